//! The goal of a plan as an objective of the allocation.

use mixline_numerics::allocation::{Objective, Point};

use super::spec::Goal;
use super::surface::Surface;

/// Outcome, volume and cost of spend, draws weighted.
pub(super) struct Weighted<'a> {
    surface: &'a Surface,
    goal: Goal,
    weights: Option<Vec<f64>>,
    /// Whether to take weighted means of concave responses as concave although weights are negative.
    trusting: bool,
}

impl<'a> Weighted<'a> {
    /// Every draw counts the same.
    pub(super) fn even(surface: &'a Surface, goal: Goal) -> Self {
        Self {
            surface,
            goal,
            weights: None,
            trusting: false,
        }
    }

    /// Draws count by weights that sum to 1; they may be negative.
    pub(super) fn by(surface: &'a Surface, goal: Goal, weights: Vec<f64>) -> Self {
        Self {
            surface,
            goal,
            weights: Some(weights),
            trusting: false,
        }
    }

    /// The same, taken as concave where every draw's response is: good for finding a plan quickly,
    /// not for proving that there is no better one.
    pub(super) fn trusting(self) -> Self {
        Self {
            trusting: true,
            ..self
        }
    }
}

impl Weighted<'_> {
    /// Whether the cell's weighted mean is surely concave.
    pub(super) fn is_proven(&self, cell: usize) -> bool {
        let mut weights = self.weights.iter().flatten();
        self.surface.concave(cell) && weights.all(|w| *w >= 0.0)
    }
}

impl Objective for Weighted<'_> {
    fn response(&self, cell: usize, x: f64) -> Point {
        let outcome = self.surface.mean(cell, x, self.weights.as_deref());
        let straight = straight(self.surface, &self.goal, cell);
        Point {
            value: self.goal.outcome * outcome.value + straight * x,
            slope: self.goal.outcome * outcome.slope + straight,
            curvature: self.goal.outcome * outcome.curvature,
        }
    }

    fn concave(&self, cell: usize) -> bool {
        self.is_proven(cell) || (self.trusting && self.surface.concave(cell))
    }
}

/// What a unit of a cell's spend adds to the goal besides its outcome.
fn straight(surface: &Surface, goal: &Goal, cell: usize) -> f64 {
    goal.volume * surface.cells()[cell].units_per_spend - goal.spend
}

/// The goal at an allocation, in every draw.
pub(super) fn in_draws(surface: &Surface, goal: &Goal, x: &[f64]) -> Vec<f64> {
    of_outcome(surface, goal, x, &surface.total(x))
}

/// The same where the outcome in every draw is known already.
pub(super) fn of_outcome(surface: &Surface, goal: &Goal, x: &[f64], outcome: &[f64]) -> Vec<f64> {
    let fixed: f64 = x
        .iter()
        .enumerate()
        .map(|(cell, x)| straight(surface, goal, cell) * x)
        .sum();
    outcome.iter().map(|f| goal.outcome * f + fixed).collect()
}
