//! What paths look like: the most frequent ones, how long they are, how long they take.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::channel::{ChannelId, Channels};
use crate::journey::{Journey, Outcome};

/// A run of touches of one channel.
pub type Run = (ChannelId, u32);

/// A path with what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Its channels, consecutive touches of one counted together.
    pub runs: Vec<Run>,
    /// What came of the journeys that took it.
    pub outcome: Outcome,
}

impl Path {
    /// The path in words: `meta ×2 > google`.
    #[must_use]
    pub fn words(&self, channels: &Channels) -> String {
        let word = |&(channel, times): &Run| match times {
            1 => channels.name(channel).to_owned(),
            _ => format!("{} ×{times}", channels.name(channel)),
        };
        self.runs.iter().map(word).collect::<Vec<_>>().join(" > ")
    }

    /// Number of touches.
    #[must_use]
    pub fn touches(&self) -> u32 {
        self.runs.iter().map(|(_, times)| times).sum()
    }
}

/// Conversions and their value, by some measure of the path.
pub type Histogram = BTreeMap<u32, (f64, f64)>;

/// Frequencies of paths, of their lengths, and of the days they take.
///
/// Paths are counted in bounded memory: when there are more than `capacity` different ones, the
/// rarest are forgotten. A path that was forgotten and comes again is counted too low by at most
/// [`Paths::forgotten`] journeys (Manku and Motwani, 2002, "Approximate frequency counts over data
/// streams").
#[derive(Debug, Clone)]
pub struct Paths {
    capacity: usize,
    counts: FxHashMap<Box<[Run]>, Outcome>,
    forgotten: f64,
    /// Touches of converting journeys.
    pub lengths: Histogram,
    /// Whole days from the first touch to the conversion.
    pub days: Histogram,
}

/// Lengths and days beyond this are counted here.
pub const LONGEST: u32 = 1_000;

impl Paths {
    /// No paths yet.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(2),
            counts: FxHashMap::default(),
            forgotten: 0.0,
            lengths: Histogram::new(),
            days: Histogram::new(),
        }
    }

    /// Adds a journey. `runs` is scratch space.
    pub fn add(&mut self, journey: &Journey<'_>, runs: &mut Vec<Run>) {
        runs.clear();
        let mut touches = 0_u32;
        let mut oldest = 0.0;
        for touch in journey.touches.iter().filter(|touch| touch.weight > 0.0) {
            if touches == 0 {
                oldest = touch.age_days;
            }
            touches += 1;
            match runs.last_mut() {
                Some((channel, times)) if *channel == touch.channel => *times += 1,
                _ => runs.push((touch.channel, 1)),
            }
        }
        let outcome = &journey.outcome;
        if outcome.conversions > 0.0 {
            count(&mut self.lengths, touches, outcome);
            if touches > 0 {
                count(&mut self.days, oldest.max(0.0) as u32, outcome);
            }
        }
        match self.counts.get_mut(runs.as_slice()) {
            Some(known) => grow(known, outcome),
            None => {
                if self.counts.len() >= self.capacity {
                    self.forget();
                }
                self.counts.insert(
                    runs.as_slice().into(),
                    Outcome {
                        customer: 0,
                        ..*outcome
                    },
                );
            }
        }
    }

    /// Forgets the rarer half.
    fn forget(&mut self) {
        let mut sizes: Vec<f64> = self.counts.values().map(Outcome::journeys).collect();
        let (_, &mut middle, _) = sizes.select_nth_unstable_by(self.capacity / 2, f64::total_cmp);
        self.counts.retain(|_, outcome| outcome.journeys() > middle);
        self.forgotten += middle;
    }

    /// By how many journeys a count may be too low.
    #[must_use]
    pub fn forgotten(&self) -> f64 {
        self.forgotten
    }

    /// The paths with most conversions; among equals those of more journeys, then by channels.
    #[must_use]
    pub fn top(&self, most: usize) -> Vec<Path> {
        let pairs = self.counts.iter();
        let mut paths: Vec<(&[Run], &Outcome)> =
            pairs.map(|(runs, outcome)| (&**runs, outcome)).collect();
        paths.sort_by(|(a, x), (b, y)| {
            y.conversions
                .total_cmp(&x.conversions)
                .then_with(|| y.journeys().total_cmp(&x.journeys()))
                .then_with(|| a.cmp(b))
        });
        let path = |(runs, outcome): &(&[Run], &Outcome)| Path {
            runs: runs.to_vec(),
            outcome: **outcome,
        };
        paths.iter().take(most).map(path).collect()
    }
}

fn count(histogram: &mut Histogram, at: u32, outcome: &Outcome) {
    let entry = histogram.entry(at.min(LONGEST)).or_insert((0.0, 0.0));
    entry.0 += outcome.conversions;
    entry.1 += outcome.value;
}

fn grow(sum: &mut Outcome, by: &Outcome) {
    sum.conversions += by.conversions;
    sum.value += by.value;
    sum.nulls += by.nulls;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::Journeys;

    #[test]
    fn repeats_are_counted_together_and_rare_paths_are_forgotten_first() {
        let mut channels = Channels::new();
        let mut journeys = Journeys::new();
        for customer in 0..20 {
            journeys.push_path(
                &mut channels,
                "a > a > b",
                Outcome::conversion(2.0, customer),
            );
        }
        for rare in 0..50 {
            journeys.push_path(&mut channels, &format!("r{rare}"), Outcome::null(rare));
        }
        let (mut paths, mut runs) = (Paths::new(8), Vec::new());
        for journey in journeys.iter() {
            paths.add(&journey, &mut runs);
        }
        let top = paths.top(1);
        assert_eq!(top[0].words(&channels), "a ×2 > b");
        assert_eq!((top[0].touches(), top[0].outcome.conversions), (3, 20.0));
        assert!(paths.forgotten() >= 1.0);
        assert_eq!(paths.lengths[&3], (20.0, 40.0));
        assert_eq!(paths.days[&2], (20.0, 40.0));
    }
}
