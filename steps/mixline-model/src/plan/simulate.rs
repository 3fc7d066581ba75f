//! What a change of spend would do: a pure function, fast enough for a slider.

use super::request::PlanError;
use super::surface::Surface;
use crate::response::Interval;

/// What a change brings over the planned periods.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Spend of each cell after the change.
    pub spend: Vec<f64>,
    /// Outcome of planned spend before the change.
    pub before: Interval,
    /// Outcome after it.
    pub after: Interval,
    /// Difference, draw by draw.
    pub change: Interval,
    /// The same by cell; `None` where spend stays as it is.
    pub by_cell: Vec<Option<Interval>>,
    /// Probability that the change is above 0.
    pub probability_positive: f64,
    /// Cells whose spend would go beyond what was ever seen.
    pub beyond_observed: Vec<usize>,
}

/// Answers what-if questions against spend going on as it is.
#[derive(Debug, Clone)]
pub struct Simulator<'a> {
    surface: &'a Surface,
    /// Responses at current spend, cell by cell.
    current: Vec<Vec<f64>>,
    total: Vec<f64>,
}

impl<'a> Simulator<'a> {
    /// Evaluates current spend once.
    #[must_use]
    pub fn new(surface: &'a Surface) -> Self {
        let cells = surface.cells().iter().enumerate();
        let current: Vec<Vec<f64>> = cells
            .map(|(i, cell)| surface.each(i, cell.current))
            .collect();
        let mut total = vec![0.0; surface.draws()];
        for own in &current {
            total.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
        }
        Self {
            surface,
            current,
            total,
        }
    }

    /// The effect of relative changes by cell: 0.2 is 20 % more, −1 nothing any more. A cell
    /// without current spend stays at 0.
    ///
    /// # Errors
    /// [`PlanError::Number`] for a change below −1 or not finite.
    pub fn simulate(&self, changes: &[f64]) -> Result<Simulated, PlanError> {
        for &value in changes {
            if !(value.is_finite() && value >= -1.0) {
                return Err(PlanError::Number {
                    key: "change".to_owned(),
                    value,
                    rule: "a share of −1 or more, such as 0.2 for 20 % more",
                });
            }
        }
        let mut change = vec![0.0; self.surface.draws()];
        let (mut spend, mut by_cell, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
        for (i, cell) in self.surface.cells().iter().enumerate() {
            let share = changes.get(i).copied().unwrap_or(0.0);
            let x = cell.current * (1.0 + share);
            spend.push(x);
            if x == cell.current {
                by_cell.push(None);
                continue;
            }
            if x > cell.observed_most {
                beyond.push(i);
            }
            let mut own = self.surface.each(i, x);
            for (d, value) in own.iter_mut().enumerate() {
                *value -= self.current[i][d];
                change[d] += *value;
            }
            by_cell.push(Some(Interval::of(&mut own)));
        }
        let mut after: Vec<f64> = self.total.iter().zip(&change).map(|(a, b)| a + b).collect();
        let positive = change.iter().filter(|x| **x > 0.0).count();
        Ok(Simulated {
            spend,
            before: Interval::of(&mut self.total.clone()),
            after: Interval::of(&mut after),
            probability_positive: positive as f64 / change.len().max(1) as f64,
            change: Interval::of(&mut change),
            by_cell,
            beyond_observed: beyond,
        })
    }
}
