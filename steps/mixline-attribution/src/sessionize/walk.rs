//! Walking along a customer's touches and orders, in the order of time.

use std::collections::HashSet;

use super::rules::{AfterConversion, DAY, Rules};
use super::screen::{plausible, screen};
use super::{Bought, End, LeftOut, Met, Reason};

/// A touch in a journey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The caller's row.
    pub row: usize,
    /// Session of the customer, from 1.
    pub session: u32,
    /// Days before the journey's end; 0 or more.
    pub age_days: f64,
    /// How much it counts; 0 beyond its look-back.
    pub weight: f64,
}

/// A journey: which of the [`Sessionizer::steps`] it has, oldest first, and its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Trip {
    /// Its steps; empty for an order that no touch led to.
    pub steps: std::ops::Range<usize>,
    /// How it ended.
    pub end: End,
    /// When: the order, or the last touch.
    pub ended_at: i64,
}

/// Sessionizes one customer after the other, and keeps its memory between them.
#[derive(Debug)]
pub struct Sessionizer {
    rules: Rules,
    /// Nothing can have happened after this instant.
    end: i64,
    sessions: Vec<u32>,
    /// Whether a touch is in a journey already.
    used: Vec<bool>,
    /// The trips of the last customer, in the order of time.
    pub trips: Vec<Trip>,
    /// Their steps.
    pub steps: Vec<Step>,
    /// What of the last customer was left out.
    pub left_out: Vec<(LeftOut, Reason)>,
}

impl Sessionizer {
    /// With these rules; `end` is the instant (microseconds) at which the data ends.
    #[must_use]
    pub fn new(rules: Rules, end: i64) -> Self {
        Self {
            rules,
            end,
            sessions: Vec::new(),
            used: Vec::new(),
            trips: Vec::new(),
            steps: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Sessionizes a customer: fills [`Self::trips`], [`Self::steps`] and [`Self::left_out`].
    /// Touches and orders may come in any order, and are sorted.
    pub fn customer(&mut self, touches: &mut Vec<Met>, orders: &mut [Bought]) {
        self.trips.clear();
        self.steps.clear();
        self.left_out.clear();
        screen(
            &self.rules,
            self.end,
            touches,
            &mut self.sessions,
            &mut self.left_out,
        );
        self.used.clear();
        self.used.resize(touches.len(), false);
        orders.sort_by_key(|order| (order.at, order.row));
        let mut seen = HashSet::new();
        let mut begin = 0;
        for order in orders.iter() {
            if let Some(reason) = self.refusal(order, &mut seen) {
                self.left_out.push((LeftOut::Order(order.row), reason));
                if reason == Reason::NegativeValue {
                    self.finish(self.steps.len(), End::Converted(order.row), order.at);
                }
                continue;
            }
            let until = self.first_after(touches, order.at);
            begin = self.convert(touches, begin, until, order);
        }
        let all = touches.len();
        self.unconverted(touches, 0, all);
    }

    fn refusal(&self, order: &Bought, seen: &mut HashSet<u64>) -> Option<Reason> {
        if !seen.insert(order.id) {
            return Some(Reason::DuplicateOrder);
        }
        if !plausible(order.at, self.end) {
            return Some(Reason::ClockSkew);
        }
        if !order.value.is_finite() {
            return Some(Reason::NoValue);
        }
        (order.value < 0.0).then_some(Reason::NegativeValue)
    }

    /// The first touch that comes after an order.
    fn first_after(&self, touches: &[Met], order: i64) -> usize {
        let skew = (self.rules.clock_skew_seconds * 1e6) as i64;
        let before = |touch: &Met| {
            touch.at < order
                || (touch.at == order && self.rules.at_conversion)
                || (touch.at > order && touch.at - order <= skew)
                || (touch.at == order && skew > 0)
        };
        touches.partition_point(before)
    }

    /// The journey to an order: touches `begin..until` within the look-back. Older ones have had
    /// their time. Gives the beginning of the next journey.
    fn convert(&mut self, touches: &[Met], begin: usize, until: usize, order: &Bought) -> usize {
        let reach = self.rules.reach();
        let recent = touches[..until].partition_point(|t| (order.at - t.at) as f64 > reach);
        let first = match self.rules.after_conversion {
            AfterConversion::Restart => recent.max(begin),
            AfterConversion::Continue => recent,
        };
        self.unconverted(touches, begin, first.min(until));
        let first = self.shortened(touches, first.min(until), until);
        let start = self.steps.len();
        for at in first..until {
            self.step(touches, at, order.at);
        }
        self.finish(start, End::Converted(order.row), order.at);
        until
    }

    /// Journeys without an order, of the unused touches in a range: one for each stretch without a
    /// gap as long as the look-back.
    fn unconverted(&mut self, touches: &[Met], begin: usize, end: usize) {
        let reach = self.rules.reach();
        let mut stretch: Vec<usize> = Vec::new();
        for at in begin..end {
            if self.used[at] {
                continue;
            }
            let gap = stretch
                .last()
                .map(|&before| (touches[at].at - touches[before].at) as f64);
            if gap.is_some_and(|gap| gap > reach) {
                self.close(touches, &stretch);
                stretch.clear();
            }
            stretch.push(at);
        }
        if !stretch.is_empty() {
            self.close(touches, &stretch);
        }
    }

    fn close(&mut self, touches: &[Met], stretch: &[usize]) {
        let most = self.rules.max_touches;
        let (long, kept) = stretch.split_at(stretch.len().saturating_sub(most));
        for &at in long {
            self.too_long(touches, at);
        }
        let last = kept.last().map_or(0, |&at| touches[at].at);
        let start = self.steps.len();
        for &at in kept {
            self.step(touches, at, last);
        }
        let open = (self.end.saturating_sub(last)) as f64 <= self.rules.reach();
        self.finish(start, if open { End::Open } else { End::Ended }, last);
    }

    /// Leaves out the oldest touches of a path that has too many; gives its new beginning.
    fn shortened(&mut self, touches: &[Met], first: usize, until: usize) -> usize {
        let kept = first.max(until.saturating_sub(self.rules.max_touches));
        for at in first..kept {
            if !self.used[at] {
                self.too_long(touches, at);
            }
        }
        kept
    }

    fn too_long(&mut self, touches: &[Met], at: usize) {
        self.used[at] = true;
        self.left_out
            .push((LeftOut::Touch(touches[at].row), Reason::PathTooLong));
    }

    fn step(&mut self, touches: &[Met], at: usize, end: i64) {
        let touch = &touches[at];
        let age_days = (end - touch.at).max(0) as f64 / DAY;
        self.used[at] = true;
        self.steps.push(Step {
            row: touch.row,
            session: self.sessions[at],
            age_days,
            weight: self.rules.weight(touch.kind, age_days),
        });
    }

    fn finish(&mut self, start: usize, end: End, ended_at: i64) {
        self.trips.push(Trip {
            steps: start..self.steps.len(),
            end,
            ended_at,
        });
    }
}
