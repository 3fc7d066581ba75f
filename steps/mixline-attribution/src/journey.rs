//! Journeys: what customers met, oldest first, and what came of it. Every method reads this type.

use crate::channel::{ChannelId, Channels};

/// One touch of a journey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touch {
    /// Where it happened.
    pub channel: ChannelId,
    /// Days before the conversion, or before the last touch of a journey without one; 0 or more.
    pub age_days: f64,
    /// How much it counts beside other touches: 1 for a click, less for a view, 0 for nothing.
    pub weight: f64,
}

impl Touch {
    /// A touch that counts fully.
    #[must_use]
    pub fn new(channel: ChannelId, age_days: f64) -> Self {
        Self {
            channel,
            age_days,
            weight: 1.0,
        }
    }
}

/// What came of the journeys that took one path.
///
/// One customer's journey has `conversions` or `nulls` 1 and the other 0. Path tables, as analytics
/// export them, hold many journeys a row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Journeys that ended in a conversion.
    pub conversions: f64,
    /// Value of all those conversions together.
    pub value: f64,
    /// Journeys that ended without.
    pub nulls: f64,
    /// Who went on the journey: any number that is the same for one customer. Resampling draws
    /// customers, not journeys.
    pub customer: u64,
}

impl Outcome {
    /// One conversion of a value.
    #[must_use]
    pub fn conversion(value: f64, customer: u64) -> Self {
        Self {
            conversions: 1.0,
            value,
            nulls: 0.0,
            customer,
        }
    }

    /// One journey without a conversion.
    #[must_use]
    pub fn null(customer: u64) -> Self {
        Self {
            nulls: 1.0,
            customer,
            ..Self::default()
        }
    }

    /// All journeys of the path.
    #[must_use]
    pub fn journeys(&self) -> f64 {
        self.conversions + self.nulls
    }
}

/// One path with its outcome. Touches are oldest first; there may be none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Journey<'a> {
    /// The touches, oldest first.
    pub touches: &'a [Touch],
    /// What came of them.
    pub outcome: Outcome,
}

/// Many journeys, packed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journeys {
    touches: Vec<Touch>,
    /// Where each journey's touches end, and its outcome.
    ends: Vec<(usize, Outcome)>,
}

impl Journeys {
    /// No journeys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a journey.
    pub fn push(&mut self, touches: impl IntoIterator<Item = Touch>, outcome: Outcome) {
        self.touches.extend(touches);
        self.ends.push((self.touches.len(), outcome));
    }

    /// Adds a path in the words of path tables: `google > meta > email`. Each touch is a day
    /// before the next one.
    pub fn push_path(&mut self, channels: &mut Channels, path: &str, outcome: Outcome) {
        let names: Vec<&str> = path
            .split('>')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .collect();
        let last = names.len().saturating_sub(1);
        let touches = names
            .iter()
            .enumerate()
            .map(|(at, name)| Touch::new(channels.intern(name), (last - at) as f64));
        self.push(touches, outcome);
    }

    /// The journeys, in the order they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Journey<'_>> + Clone {
        self.ends.iter().enumerate().map(|(at, &(end, outcome))| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before].0);
            Journey {
                touches: &self.touches[start..end],
                outcome,
            }
        })
    }

    /// How many journeys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets all journeys, and keeps the memory.
    pub fn clear(&mut self) {
        self.touches.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journeys_come_back_as_they_were_pushed_also_empty_ones() {
        let mut channels = Channels::new();
        let mut journeys = Journeys::new();
        journeys.push_path(&mut channels, "a > b", Outcome::conversion(5.0, 1));
        journeys.push_path(&mut channels, "", Outcome::conversion(2.0, 2));
        journeys.push_path(&mut channels, "b", Outcome::null(3));
        let paths: Vec<Vec<&str>> = journeys
            .iter()
            .map(|j| j.touches.iter().map(|t| channels.name(t.channel)).collect())
            .collect();
        assert_eq!(paths, [vec!["a", "b"], vec![], vec!["b"]]);
        assert_eq!(journeys.iter().map(|j| j.outcome.value).sum::<f64>(), 7.0);
        assert_eq!(
            journeys.iter().next().map(|j| j.touches[0].age_days),
            Some(1.0)
        );
    }
}
