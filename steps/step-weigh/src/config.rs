//! Configuration of the step.

use std::collections::BTreeSet;

use mixline_attribution::markov::Which;
use mixline_attribution_tables::{Method, RuleSettings};
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What journeys count as that may still convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenJourneys {
    /// As not converted so far.
    #[default]
    Null,
    /// As not there.
    Skip,
}

/// Configuration of `step-weigh`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Methods to apply. Those that cannot be (no touches, no spend, no mix model) are left out, and
    /// the result says so.
    pub methods: BTreeSet<Method>,
    /// Parameters of the rules.
    pub rules: RuleSettings,
    /// Resamples behind intervals and stability.
    pub resamples: usize,
    /// Groups of customers that are resampled.
    pub groups: usize,
    /// Journeys that the model of conversions is fitted to, at most.
    pub fitted_journeys: usize,
    /// Paths in `attribution_paths`.
    pub top_paths: usize,
    /// What journeys count as that may still convert.
    pub open_journeys: OpenJourneys,
}

impl Default for Config {
    fn default() -> Self {
        let methods = [
            Method::SpendShare,
            Method::LastTouch,
            Method::LastNonDirect,
            Method::FirstTouch,
            Method::Linear,
            Method::TimeDecay,
            Method::PositionBased,
            Method::Markov(1, Which::All),
            Method::Markov(2, Which::All),
            Method::Markov(3, Which::All),
            Method::Shapley,
            Method::ShapleyIncremental,
            Method::DataDriven,
            Method::MmmInformed,
        ];
        Self {
            methods: methods.into(),
            rules: RuleSettings::default(),
            resamples: 200,
            groups: 128,
            fitted_journeys: 100_000,
            top_paths: 200,
            open_journeys: OpenJourneys::Null,
        }
    }
}

impl Config {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`StepError::config`] naming the key.
    pub fn check(&self) -> Result<(), StepError> {
        if self.methods.is_empty() {
            return Err(StepError::config("`methods` is empty")
                .hint("name at least one method, for example [\"linear\"]"));
        }
        self.rules
            .validate()
            .map_err(|(key, error)| StepError::config(format!("`rules.{key}`: {error}")))?;
        let bounded = [
            ("resamples", self.resamples, 0..=10_000),
            ("groups", self.groups, 2..=4_096),
            ("fitted_journeys", self.fitted_journeys, 100..=10_000_000),
            ("top_paths", self.top_paths, 1..=100_000),
        ];
        for (key, value, range) in bounded {
            if !range.contains(&value) {
                let (low, high) = range.into_inner();
                return Err(StepError::config(format!(
                    "`{key}` is {value}; it must be between {low} and {high}"
                )));
            }
        }
        Ok(())
    }
}
