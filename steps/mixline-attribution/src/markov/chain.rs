//! An absorbing chain, solved: the probability of a conversion from every state.
//!
//! ```text
//! h[s] = r[s] + Σ Q[s,t] · h[t]        h: what is expected from state s
//!        t                             r: reward of converting at once, Q: steps to other states
//! ```
//!
//! Gauss–Seidel sweeps from `h = 0` never pass the solution from below, sweeps from an upper bound
//! never from above, so the two **enclose** it: the answer comes with a proven error, and no random
//! number is involved. Self-loops are eliminated exactly, so long runs of one channel cost nothing.
//!
//! Reference: Kemeny and Snell (1960), "Finite Markov Chains", on `(I − Q) h = r`; Varga (1962),
//! "Matrix Iterative Analysis", on monotone iterations of M-matrices.

use super::transitions::{START, Target, Transitions};
use crate::channel::ChannelId;

/// Relative width of the enclosure at which a solution counts as exact.
const EXACT: f64 = 1e-13;
/// The same where rounding keeps the enclosure from closing further, as it does when journeys are
/// thousands of touches long.
const ROUNDED: f64 = 1e-9;
/// Change of a sweep that is rounding alone.
const STILL: f64 = 4e-16;
/// Steps looked at in all sweeps, after which a chain is given up: some seconds.
const WORK: usize = 4_000_000_000;

/// A chain that could not be solved.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// No journey with touches at all.
    #[error("there is no journey with touches, so there is no chain")]
    Empty,
    /// Journeys are so long that the enclosure does not close.
    #[error(
        "the chain does not settle: after {sweeps} sweeps the conversion probability is only known \
         to {gap:e}; some journeys are too long, see the limit on touches"
    )]
    Slow {
        /// Sweeps made.
        sweeps: usize,
        /// Width of the enclosure that is left.
        gap: f64,
    },
}

/// What is expected of one journey.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Absorption {
    /// Probability of a conversion.
    pub conversion: f64,
    /// Expected value.
    pub value: f64,
}

/// Transition probabilities, row by row.
#[derive(Debug, Clone)]
pub struct Chain {
    rows: Vec<Row>,
    steps: Vec<(u32, f64)>,
    ends_in: Vec<Option<ChannelId>>,
    /// Highest value of a conversion, on average of a state.
    dearest: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    /// Where the row's steps end; they begin where those of the row before end.
    end: usize,
    conversion: f64,
    value: f64,
    /// 1 / (1 − probability of staying).
    leave: f64,
}

type Expected = Vec<[f64; 2]>;

impl Chain {
    /// The chain of counts, each group of customers taken `weights[group]` times.
    ///
    /// # Errors
    /// [`ChainError::Empty`].
    pub fn weighted(transitions: &Transitions, weights: &[f64]) -> Result<Self, ChainError> {
        let (steps, value) = transitions.weighted(weights);
        let states = transitions.states();
        let mut left = vec![0.0; states];
        for (edge, count) in transitions.edges().iter().zip(&steps) {
            left[edge.from as usize] += count;
        }
        if left[START as usize] <= 0.0 {
            return Err(ChainError::Empty);
        }
        let mut rows: Vec<(Row, Vec<(u32, f64)>)> = vec![(Row::default(), Vec::new()); states];
        let mut stay = vec![0.0; states];
        let mut dearest = 0.0_f64;
        let counted = transitions.edges().iter().zip(steps.iter().zip(&value));
        for (edge, (&count, &value)) in counted.filter(|(_, (count, _))| **count > 0.0) {
            let from = edge.from as usize;
            let (row, onward) = &mut rows[from];
            match edge.to {
                Target::State(to) if to == edge.from => stay[from] = count / left[from],
                Target::State(to) => onward.push((to, count / left[from])),
                Target::Conversion => {
                    row.conversion = count / left[from];
                    row.value = value / left[from];
                    dearest = dearest.max(value / count);
                }
                Target::Null => {}
            }
        }
        let mut flat = Vec::with_capacity(transitions.edges().len());
        let rows = rows.into_iter().zip(stay).map(|((row, onward), stay)| {
            flat.extend(onward);
            Row {
                end: flat.len(),
                leave: 1.0 / (1.0 - stay),
                ..row
            }
        });
        let rows = rows.collect();
        Ok(Self {
            rows,
            steps: flat,
            ends_in: (0..states)
                .map(|state| transitions.channel_of(state))
                .collect(),
            dearest,
        })
    }

    /// The chain of all counts.
    ///
    /// # Errors
    /// [`ChainError::Empty`].
    pub fn new(transitions: &Transitions) -> Result<Self, ChainError> {
        Self::weighted(transitions, &vec![1.0; transitions.groups()])
    }

    /// What a journey brings when no step may lead onto `without`, to a relative 1e-13 (where
    /// journeys are so long that rounding is larger, to what rounding leaves, at most 1e-9).
    ///
    /// # Errors
    /// [`ChainError::Slow`].
    pub fn absorption(&self, without: Option<ChannelId>) -> Result<Absorption, ChainError> {
        let mut below: Expected = vec![[0.0; 2]; self.rows.len()];
        let mut above: Expected = vec![[1.0, self.dearest]; self.rows.len()];
        self.close(&mut above, without);
        let mut gap = f64::INFINITY;
        for sweep in 0..self.most_sweeps() {
            let rising = self.sweep(&mut below, without, sweep % 2 == 1);
            let falling = self.sweep(&mut above, without, sweep % 2 == 1);
            let (low, high) = (below[START as usize], above[START as usize]);
            gap = (high[0] - low[0]).max(0.0);
            let value_gap = (high[1] - low[1]).max(0.0);
            let still = rising.max(falling) <= STILL;
            let width = if still { ROUNDED } else { EXACT };
            if gap <= width * high[0] && value_gap <= width * high[1] {
                return Ok(Absorption {
                    conversion: low[0],
                    value: low[1],
                });
            }
        }
        Err(ChainError::Slow {
            sweeps: self.most_sweeps(),
            gap,
        })
    }

    /// The same, quickly: sweeps from `start` (changed in place) until nothing moves by more than
    /// `tolerance`. For resamples, whose own spread is far wider than that.
    pub(crate) fn settle(
        &self,
        start: &mut Expected,
        without: Option<ChannelId>,
        tolerance: f64,
    ) -> Absorption {
        start.resize(self.rows.len(), [0.0; 2]);
        self.close(start, without);
        for sweep in 0..self.most_sweeps() {
            let moved = self.sweep(start, without, sweep % 2 == 1);
            if moved <= tolerance {
                break;
            }
        }
        let [conversion, value] = start[START as usize];
        Absorption { conversion, value }
    }

    fn most_sweeps(&self) -> usize {
        (WORK / (self.rows.len() + self.steps.len())).clamp(1_000, 5_000_000)
    }

    /// States that may not be entered bring nothing.
    fn close(&self, expected: &mut Expected, without: Option<ChannelId>) {
        for (one, channel) in expected.iter_mut().zip(&self.ends_in) {
            if channel.is_some() && *channel == without {
                *one = [0.0; 2];
            }
        }
    }

    /// One Gauss–Seidel sweep, forward or backward; the largest change of a probability.
    fn sweep(&self, h: &mut Expected, without: Option<ChannelId>, backward: bool) -> f64 {
        let n = self.rows.len();
        let mut moved = 0.0_f64;
        for at in 0..n {
            let state = if backward { n - 1 - at } else { at };
            if self.ends_in[state].is_some() && self.ends_in[state] == without {
                continue;
            }
            let row = &self.rows[state];
            let begin = state
                .checked_sub(1)
                .map_or(0, |before| self.rows[before].end);
            let [mut conversion, mut value] = [row.conversion, row.value];
            for &(to, p) in &self.steps[begin..row.end] {
                let next = h[to as usize];
                conversion += p * next[0];
                value += p * next[1];
            }
            let new = [conversion * row.leave, value * row.leave];
            moved = moved.max((new[0] - h[state][0]).abs());
            h[state] = new;
        }
        moved
    }
}
