//! Moving money from where the next unit brings least to where it brings most, step by step.
//!
//! It is what people do by hand, and so a plan that needs no explanation. It stops where no single
//! move helps: for concave responses that is near the optimum, for S-shaped ones it may be far.

use super::{Allocation, Method, Objective, Tree};

/// Steps per total at first, and halvings of the step.
const STEPS: f64 = 200.0;
const HALVINGS: usize = 8;
/// Moves at most.
const MOVES: usize = 20_000;

/// Improves `start` by single moves. The bound is infinite: nothing is proven.
#[must_use]
pub fn solve(tree: &Tree, objective: &dyn Objective, start: &[f64]) -> Allocation {
    let x = tree.nearest(start);
    let mut walk = Walk::new(tree, objective, x);
    let mut step = walk.x.iter().sum::<f64>().max(f64::MIN_POSITIVE) / STEPS;
    let mut moves = 0;
    for _ in 0..=HALVINGS {
        while moves < MOVES && walk.improve(step) {
            moves += 1;
        }
        step *= 0.5;
    }
    let spent: f64 = walk.x.iter().sum();
    Allocation {
        value: walk.values.iter().sum::<f64>() - tree.price() * spent,
        bound: f64::INFINITY,
        evaluations: walk.evaluations,
        amounts: walk.x,
        method: Method::Greedy,
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    objective: &'a dyn Objective,
    x: Vec<f64>,
    values: Vec<f64>,
    evaluations: usize,
}

/// One side of a move: a cell, or what is not allocated at all.
type Side = Option<usize>;

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, objective: &'a dyn Objective, x: Vec<f64>) -> Self {
        let mut walk = Self {
            tree,
            objective,
            values: Vec::new(),
            evaluations: 0,
            x,
        };
        walk.values = (0..walk.x.len())
            .map(|i| walk.value(i, walk.x[i]))
            .collect();
        walk.evaluations = walk.x.len();
        walk
    }

    fn value(&self, i: usize, x: f64) -> f64 {
        self.objective.response(i, x).value
    }

    /// Makes the best feasible move of size `step`; whether there was one.
    fn improve(&mut self, step: f64) -> bool {
        let (mut receivers, mut givers) = (Vec::new(), Vec::new());
        for (i, cell) in self.tree.cells().iter().enumerate() {
            if self.x[i] + step <= cell.upper {
                receivers.push((Some(i), self.value(i, self.x[i] + step) - self.values[i]));
            }
            if self.x[i] - step >= cell.lower {
                givers.push((Some(i), self.values[i] - self.value(i, self.x[i] - step)));
            }
        }
        self.evaluations += receivers.len() + givers.len();
        receivers.push((None, self.tree.price() * step));
        givers.push((None, self.tree.price() * step));
        receivers.sort_by(|a: &(Side, f64), b| b.1.total_cmp(&a.1));
        givers.sort_by(|a: &(Side, f64), b| a.1.total_cmp(&b.1));
        for (receiver, gain) in &receivers {
            for (giver, loss) in &givers {
                if gain - loss <= 1e-12 * gain.abs() {
                    break;
                }
                if receiver != giver && self.moved(*giver, *receiver, step) {
                    return true;
                }
            }
        }
        false
    }

    /// Moves if that is feasible.
    fn moved(&mut self, giver: Side, receiver: Side, step: f64) -> bool {
        let mut x = self.x.clone();
        for (side, change) in [(giver, -step), (receiver, step)] {
            if let Some(i) = side {
                x[i] += change;
            }
        }
        let scale = x.iter().sum::<f64>().abs();
        if self.tree.violation(&x) > 1e-9 * scale {
            return false;
        }
        for i in [giver, receiver].into_iter().flatten() {
            self.values[i] = self.value(i, x[i]);
        }
        self.x = x;
        true
    }
}
