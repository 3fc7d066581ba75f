//! Rows of the likelihood: one per touch, with what earlier touches have left.

use crate::journey::{Journey, Touch};

/// Rows of many journeys, packed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exposures {
    rows: Vec<Row>,
    carried: Vec<(u32, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    own: u32,
    /// Where what is carried over ends.
    end: usize,
    converted: f64,
    not_converted: f64,
    group: u32,
}

/// One touch: its channel, what is carried over from earlier ones, and how often the interval
/// after it ended in a conversion and how often not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exposure<'a> {
    pub(crate) own: usize,
    pub(crate) carried: &'a [(u32, f64)],
    pub(crate) converted: f64,
    pub(crate) not_converted: f64,
    pub(crate) group: usize,
}

impl Exposures {
    /// Adds the touches of a journey of a customer in `group`.
    pub(crate) fn add(&mut self, journey: &Journey<'_>, half_life_days: f64, group: usize) {
        let outcome = &journey.outcome;
        let mut carry = Carry::default();
        let counted: Vec<&Touch> = journey.touches.iter().filter(|t| t.weight > 0.0).collect();
        for (at, touch) in counted.iter().enumerate() {
            carry.until(touch.age_days, half_life_days);
            self.carried.extend_from_slice(&carry.left);
            let last = at + 1 == counted.len();
            self.rows.push(Row {
                own: touch.channel.0,
                end: self.carried.len(),
                converted: if last { outcome.conversions } else { 0.0 },
                not_converted: if last {
                    outcome.nulls
                } else {
                    outcome.journeys()
                },
                group: group as u32,
            });
            carry.add(touch);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Exposure<'_>> {
        self.rows.iter().enumerate().map(|(at, row)| {
            let begin = at.checked_sub(1).map_or(0, |before| self.rows[before].end);
            Exposure {
                own: row.own as usize,
                carried: &self.carried[begin..row.end],
                converted: row.converted,
                not_converted: row.not_converted,
                group: row.group as usize,
            }
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What touches have left so far, by channel, decaying.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carry {
    pub(crate) left: Vec<(u32, f64)>,
    age: f64,
}

impl Carry {
    /// Lets time pass until `age` days before the end.
    pub(crate) fn until(&mut self, age_days: f64, half_life_days: f64) {
        let factor = (-(self.age - age_days).max(0.0) / half_life_days).exp2();
        if factor < 1.0 {
            for (_, left) in &mut self.left {
                *left *= factor;
            }
        }
        self.age = age_days;
    }

    pub(crate) fn add(&mut self, touch: &Touch) {
        let channel = touch.channel.0;
        match self.left.iter_mut().find(|(one, _)| *one == channel) {
            Some((_, left)) => *left += touch.weight,
            None => self.left.push((channel, touch.weight)),
        }
    }
}
