//! Limits of the findings.

use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits; the list follows Meridian's exploratory checks, the limits are ours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Absolute correlation of two series that asks for attention.
    pub correlation: f64,
    /// Absolute correlation at which two series are one.
    pub same: f64,
    /// Variance inflation that asks for attention.
    pub vif: f64,
    /// Share of variance explained by geo or period alone that asks for attention.
    pub collinear: f64,
    /// Observations per parameter, at least.
    pub adequacy: f64,
    /// Share of spend in one channel that asks for attention.
    pub concentration: f64,
    /// Distance from the quartiles, in interquartile ranges, at which a value is an outlier.
    pub outlier: f64,
    /// Whether an error stops the run.
    pub stop_on_error: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            correlation: 0.9,
            same: 0.999,
            vif: 10.0,
            collinear: 0.95,
            adequacy: 3.0,
            concentration: 0.8,
            outlier: 4.0,
            stop_on_error: true,
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), StepError> {
        if self.correlation <= self.same && self.same <= 1.0 && self.vif > 1.0 {
            return Ok(());
        }
        Err(StepError::config(
            "limits must satisfy correlation ≤ same ≤ 1 and vif > 1",
        ))
    }
}
