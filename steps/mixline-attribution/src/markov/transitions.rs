//! Counting the steps of journeys between states of order `k`, in one pass.
//!
//! Consecutive touches of one channel are steps too (self-loops are kept): at order 1 they change
//! no removal effect, at higher orders they are what the states are about.

use rustc_hash::FxHashMap;

use super::successors::{Successor, Successors};
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
    successors: Successors,
    /// By state: the steps to a conversion and to null.
    ends: Vec<[Option<u32>; 2]>,
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
            successors: Successors::new(),
            ends: vec![[None; 2]],
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
            let step = match self.successors.get(state, touch.channel.0) {
                Some(step) => step,
                None => self.first_step(state, touch.channel),
            };
            self.groups[group].step(step.edge as usize, count, 0.0);
            state = step.state;
        }
        if state == START {
            return;
        }
        if outcome.conversions > 0.0 {
            let edge = self.end(state, Target::Conversion);
            self.groups[group].step(edge, outcome.conversions, outcome.value.max(0.0));
        }
        if nulls > 0.0 {
            let edge = self.end(state, Target::Null);
            self.groups[group].step(edge, nulls, 0.0);
        }
    }

    /// A step that no journey has taken before.
    fn first_step(&mut self, from: u32, channel: ChannelId) -> Successor {
        let state = self.successor(from, channel);
        let edge = self.edges.len() as u32;
        self.edges.push(Edge {
            from,
            to: Target::State(state),
        });
        let step = Successor { edge, state };
        self.successors.insert(from, channel.0, step);
        step
    }

    /// The step that ends a journey.
    fn end(&mut self, from: u32, to: Target) -> usize {
        let place = usize::from(to == Target::Null);
        if let Some(edge) = self.ends[from as usize][place] {
            return edge as usize;
        }
        let edge = self.edges.len();
        self.edges.push(Edge { from, to });
        self.ends[from as usize][place] = Some(edge as u32);
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
            self.ends.push([None; 2]);
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
        }
        self.steps[edge] += count;
        if value > 0.0 {
            if self.value.len() <= edge {
                self.value.resize(edge + 1, 0.0);
            }
            self.value[edge] += value;
        }
    }
}
