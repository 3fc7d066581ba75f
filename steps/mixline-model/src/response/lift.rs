//! Lift tests beside the model that they calibrated.

use super::summary::Interval;
use crate::fit::Draws;
use crate::model::Model;

/// A lift test: what was measured, and what the fitted model says.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftResult {
    /// Name of the test.
    pub name: String,
    /// Lift measured, in units of the outcome.
    pub measured: f64,
    /// Its standard error.
    pub measured_sd: f64,
    /// Lift by the model.
    pub modelled: Interval,
}

/// Draws that are looked at.
const MOST: usize = 1000;

/// Every lift test of the specification; none when it has none.
#[must_use]
pub fn lift_tests(model: &Model, draws: &Draws) -> Vec<LiftResult> {
    if model.spec.lift_tests.is_empty() {
        return Vec::new();
    }
    let rows = draws.thinned(MOST);
    let lifts: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| model.calibration.lifts(model, row))
        .collect();
    let result = |(k, test): (usize, &crate::spec::LiftTest)| LiftResult {
        name: test.name.clone(),
        measured: test.lift,
        measured_sd: test.standard_error,
        modelled: Interval::of(&mut lifts.iter().map(|own| own[k]).collect::<Vec<f64>>()),
    };
    model
        .spec
        .lift_tests
        .iter()
        .enumerate()
        .map(result)
        .collect()
}
