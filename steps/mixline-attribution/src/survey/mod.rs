//! All methods over all journeys, in one pass.
//!
//! Everything that is kept adds up (credits, steps between states, frequencies) and is kept by
//! group of customers, so that the pass is also enough for the intervals. Memory grows with
//! channels, states and groups, not with journeys.
//!
//! ```text
//! journeys ─► Survey::add ─► results.rs: totals, intervals and stability of each method
//!                        ├─► sample.rs:  the journeys that the conversion model is fitted to
//!                        └─► paths, positions, compositions, transition matrices
//! ```

mod results;
mod sample;

use rustc_hash::FxHashMap;

use crate::credit::{Credit as _, Totals};
use crate::journey::{Journey, Journeys};
use crate::markov::{Transitions, Which};
use crate::paths::{Paths, Run};
use crate::reconcile::Composition;
use crate::resample::group_of;
use crate::rules::TouchRule;
use crate::shapley::{Cumulative, Positions, positions};

pub use results::{MarkovResult, ModelResult, Result, Setting};
pub use sample::Sample;

/// What a survey keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Rules whose totals are kept.
    pub rules: Vec<TouchRule>,
    /// Markov chains: order, and which journeys.
    pub chains: Vec<(usize, Which)>,
    /// Groups of customers for resampling.
    pub groups: usize,
    /// Different paths that are counted at most.
    pub paths: usize,
    /// Positions that are told apart in the ordered Shapley value.
    pub positions: usize,
    /// Journeys that the conversion model is fitted to, at most; 0 for none.
    pub sample: usize,
    /// Whether compositions are kept, for a reconciliation with a mix model.
    pub compositions: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            chains: Vec::new(),
            groups: 128,
            paths: 200_000,
            positions: 10,
            sample: 0,
            compositions: false,
        }
    }
}

/// Numbers of one group of customers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Journeys.
    pub journeys: f64,
    /// Journeys with a conversion.
    pub conversions: f64,
    /// Their value.
    pub value: f64,
    /// Conversions that some touch led to.
    pub touched_conversions: f64,
    /// Their value.
    pub touched_value: f64,
    /// Touches.
    pub touches: f64,
}

/// One pass over journeys.
#[derive(Debug, Clone)]
pub struct Survey {
    plan: Plan,
    counts: Vec<Counts>,
    /// By rule, then by group.
    rules: Vec<Vec<Totals>>,
    /// By group.
    shapley: Vec<Totals>,
    chains: Vec<Transitions>,
    /// Frequencies of paths.
    pub paths: Paths,
    /// The ordered Shapley value.
    pub positions: Positions,
    compositions: FxHashMap<Box<[(u32, u32)]>, f64>,
    sample: Sample,
    shares: Vec<f64>,
    runs: Vec<Run>,
}

/// Shares in compositions are told apart to a millionth; where there are too many compositions,
/// to a twentieth.
const FINE: f64 = 1e6;
const COARSE: f64 = FINE / 20.0;
const COMPOSITIONS: usize = 500_000;

impl Survey {
    /// Before the first journey.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let groups = plan.groups.max(1);
        let chain = |&(order, which): &(usize, Which)| Transitions::new(order, which, groups);
        Self {
            counts: vec![Counts::default(); groups],
            rules: vec![vec![Totals::default(); groups]; plan.rules.len()],
            shapley: vec![Totals::default(); groups],
            chains: plan.chains.iter().map(chain).collect(),
            paths: Paths::new(plan.paths),
            positions: Positions::new(),
            compositions: FxHashMap::default(),
            sample: Sample::new(plan.sample),
            shares: Vec::new(),
            runs: Vec::new(),
            plan,
        }
    }

    /// Adds journeys. Many at a time are quicker than one by one.
    pub fn add(&mut self, journeys: &Journeys) {
        self.count_steps(journeys);
        for journey in journeys.iter() {
            self.add_one(&journey);
        }
    }

    /// Counts steps, group after group: the counts of one group are few enough to stay close to the
    /// processor.
    fn count_steps(&mut self, journeys: &Journeys) {
        let groups = self.counts.len();
        let group = |journey: &Journey<'_>| group_of(journey.outcome.customer, groups);
        let mut by_group: Vec<(usize, Journey<'_>)> = journeys
            .iter()
            .map(|journey| (group(&journey), journey))
            .collect();
        by_group.sort_by_key(|(group, _)| *group);
        for chain in &mut self.chains {
            for (group, journey) in &by_group {
                chain.add(journey, *group);
            }
        }
    }

    fn add_one(&mut self, journey: &Journey<'_>) {
        let group = group_of(journey.outcome.customer, self.counts.len());
        self.count(journey, group);
        self.paths.add(journey, &mut self.runs);
        self.sample.add(journey);
        if journey.outcome.conversions <= 0.0 {
            return;
        }
        for (rule, totals) in self.plan.rules.iter().zip(&mut self.rules) {
            totals[group].add(rule, journey, &mut self.shares);
        }
        self.shapley[group].add(&Cumulative, journey, &mut self.shares);
        positions(journey, self.plan.positions, &mut self.positions);
        if self.plan.compositions {
            self.compose(journey);
        }
    }

    fn count(&mut self, journey: &Journey<'_>, group: usize) {
        let (counts, outcome) = (&mut self.counts[group], &journey.outcome);
        let touched = journey.touches.iter().any(|touch| touch.weight > 0.0);
        counts.journeys += outcome.journeys();
        counts.conversions += outcome.conversions;
        counts.value += outcome.value;
        counts.touches += outcome.journeys() * journey.touches.len() as f64;
        if touched {
            counts.touched_conversions += outcome.conversions;
            counts.touched_value += outcome.value;
        }
    }

    fn compose(&mut self, journey: &Journey<'_>) {
        TouchRule::Linear.credit(journey.touches, &mut self.shares);
        let mut by_channel: Vec<(u32, f64)> = Vec::new();
        for (touch, share) in journey.touches.iter().zip(&self.shares) {
            match by_channel
                .iter_mut()
                .find(|(channel, _)| *channel == touch.channel.0)
            {
                Some((_, sum)) => *sum += share,
                None => by_channel.push((touch.channel.0, *share)),
            }
        }
        let unit = if self.compositions.len() < COMPOSITIONS {
            1.0
        } else {
            COARSE
        };
        let rounded = |&(channel, share): &(u32, f64)| {
            (channel, ((share * FINE / unit).round() * unit) as u32)
        };
        let mut key: Vec<(u32, u32)> = by_channel
            .iter()
            .map(rounded)
            .filter(|(_, share)| *share > 0)
            .collect();
        key.sort_unstable();
        *self.compositions.entry(key.into()).or_insert(0.0) += journey.outcome.value;
    }

    /// Numbers of all customers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
            .iter()
            .fold(Counts::default(), |sum, one| Counts {
                journeys: sum.journeys + one.journeys,
                conversions: sum.conversions + one.conversions,
                value: sum.value + one.value,
                touched_conversions: sum.touched_conversions + one.touched_conversions,
                touched_value: sum.touched_value + one.touched_value,
                touches: sum.touches + one.touches,
            })
    }

    /// The chains, as planned.
    #[must_use]
    pub fn chains(&self) -> &[Transitions] {
        &self.chains
    }

    /// The sample of journeys.
    #[must_use]
    pub fn sample(&self) -> &Sample {
        &self.sample
    }

    /// What the converting journeys consist of; empty unless planned. In a fixed order.
    #[must_use]
    pub fn compositions(&self) -> Vec<Composition> {
        let mut entries: Vec<(&[(u32, u32)], f64)> = self
            .compositions
            .iter()
            .map(|(key, value)| (&**key, *value))
            .collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let composition = |(key, value): (&[(u32, u32)], f64)| {
            let all: f64 = key.iter().map(|(_, share)| f64::from(*share)).sum();
            Composition {
                shares: key
                    .iter()
                    .map(|&(c, share)| (c, f64::from(share) / all))
                    .collect(),
                value,
            }
        };
        entries.into_iter().map(composition).collect()
    }
}
