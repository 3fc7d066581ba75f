//! Counting the steps of journeys between states of order `k`, in one pass.
//!
//! Consecutive touches of one channel are steps too (self-loops are kept): at order 1 they change
//! no removal effect, at higher orders they are what the states are about.

use rustc_hash::FxHashMap;

use crate::channel::ChannelId;
use crate::journey::Journey;

/// Which journeys a chain is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Which {
    /// Converting and non-converting ones.
    #[default]
    All,
    /// Converting ones only: every path ends in a conversion.
    Converting,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    State(u32),
    Conversion,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    pub(crate) from: u32,
    pub(crate) to: Target,
}

/// One row of the transition matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The state left: its channels, oldest first; none at the start of a journey.
    pub from: Vec<ChannelId>,
    /// The state reached; `None` when the journey ends.
    pub to: Option<Vec<ChannelId>>,
    /// Whether the journey ends in a conversion.
    pub converts: bool,
    /// How many journeys took the step.
    pub count: f64,
    /// Probability of the step, given the state left.
    pub probability: f64,
}

/// Counts of steps, apart for each of some groups of customers.
#[derive(Debug, Clone)]
pub struct Transitions {
    order: usize,
    which: Which,
    states: Vec<Box<[ChannelId]>>,
    edges: Vec<Edge>,
    /// (state, channel or end) to edge.
    index: FxHashMap<u64, u32>,
    by_state: FxHashMap<Box<[ChannelId]>, u32>,
    groups: Vec<Counts>,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    /// By edge.
    steps: Vec<f64>,
    /// Value of conversions, by edge.
    value: Vec<f64>,
}

/// The state before the first touch.
pub(crate) const START: u32 = 0;
/// Ends, in place of a channel.
const CONVERSION: u32 = u32::MAX;
const NULL: u32 = u32::MAX - 1;

impl Transitions {
    /// No journeys yet. An order of 0 is taken as 1; counts are kept for `groups` groups, at least
    /// one.
    #[must_use]
    pub fn new(order: usize, which: Which, groups: usize) -> Self {
        let start: Box<[ChannelId]> = Box::default();
        Self {
            order: order.max(1),
            which,
            by_state: FxHashMap::from_iter([(start.clone(), START)]),
            states: vec![start],
            edges: Vec::new(),
            index: FxHashMap::default(),
            groups: vec![Counts::default(); groups.max(1)],
        }
    }

    /// Length of the states.
    #[must_use]
    pub fn order(&self) -> usize {
        self.order
    }

    /// Which journeys are counted.
    #[must_use]
    pub fn which(&self) -> Which {
        self.which
    }

    /// Number of states, the start included.
    #[must_use]
    pub fn states(&self) -> usize {
        self.states.len()
    }

    /// Adds a journey to a group. Touches of weight 0 are not there; a journey without touches is
    /// no evidence about channels and is left out.
    pub fn add(&mut self, journey: &Journey<'_>, group: usize) {
        let outcome = &journey.outcome;
        let nulls = match self.which {
            Which::All => outcome.nulls,
            Which::Converting => 0.0,
        };
        let count = outcome.conversions + nulls;
        if count <= 0.0 {
            return;
        }
        let group = group % self.groups.len();
        let mut state = START;
        for touch in journey.touches.iter().filter(|touch| touch.weight > 0.0) {
            let edge = self.edge(state, touch.channel.0);
            self.groups[group].step(edge, count, 0.0);
            if let Target::State(next) = self.edges[edge].to {
                state = next;
            }
        }
        if state == START {
            return;
        }
        if outcome.conversions > 0.0 {
            let edge = self.edge(state, CONVERSION);
            self.groups[group].step(edge, outcome.conversions, outcome.value.max(0.0));
        }
        if nulls > 0.0 {
            let edge = self.edge(state, NULL);
            self.groups[group].step(edge, nulls, 0.0);
        }
    }

    fn edge(&mut self, from: u32, onto: u32) -> usize {
        let key = u64::from(from) << 32 | u64::from(onto);
        if let Some(&edge) = self.index.get(&key) {
            return edge as usize;
        }
        let to = match onto {
            CONVERSION => Target::Conversion,
            NULL => Target::Null,
            channel => Target::State(self.successor(from, ChannelId(channel))),
        };
        let edge = self.edges.len();
        self.edges.push(Edge { from, to });
        self.index.insert(key, edge as u32);
        edge
    }

    /// The state after `channel`, made when it is new.
    fn successor(&mut self, from: u32, channel: ChannelId) -> u32 {
        let mut last: Vec<ChannelId> = self.states[from as usize].to_vec();
        last.push(channel);
        let kept: Box<[ChannelId]> = last[last.len().saturating_sub(self.order)..].into();
        let next = self.states.len() as u32;
        let state = *self.by_state.entry(kept.clone()).or_insert(next);
        if state == next {
            self.states.push(kept);
        }
        state
    }

    /// The channel a state ends in; `None` for the start.
    pub(crate) fn channel_of(&self, state: usize) -> Option<ChannelId> {
        self.states[state].last().copied()
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Steps and value of conversions by edge, each group taken `weights[group]` times.
    pub(crate) fn weighted(&self, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut steps = vec![0.0; self.edges.len()];
        let mut value = vec![0.0; self.edges.len()];
        for (counts, &weight) in self.groups.iter().zip(weights) {
            if weight == 0.0 {
                continue;
            }
            for (sum, step) in steps.iter_mut().zip(&counts.steps) {
                *sum += weight * step;
            }
            for (sum, one) in value.iter_mut().zip(&counts.value) {
                *sum += weight * one;
            }
        }
        (steps, value)
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The transition matrix: every step that was taken, in the order of states.
    #[must_use]
    pub fn matrix(&self) -> Vec<Transition> {
        let (steps, _) = self.weighted(&vec![1.0; self.groups.len()]);
        let mut left = vec![0.0; self.states.len()];
        for (edge, count) in self.edges.iter().zip(&steps) {
            left[edge.from as usize] += count;
        }
        let channels = |state: u32| self.states[state as usize].to_vec();
        let row = |(edge, &count): (&Edge, &f64)| Transition {
            from: channels(edge.from),
            to: match edge.to {
                Target::State(state) => Some(channels(state)),
                Target::Conversion | Target::Null => None,
            },
            converts: edge.to == Target::Conversion,
            count,
            probability: count / left[edge.from as usize],
        };
        self.edges.iter().zip(&steps).map(row).collect()
    }
}

impl Counts {
    fn step(&mut self, edge: usize, count: f64, value: f64) {
        if self.steps.len() <= edge {
            self.steps.resize(edge + 1, 0.0);
            self.value.resize(edge + 1, 0.0);
        }
        self.steps[edge] += count;
        self.value[edge] += value;
    }
}
