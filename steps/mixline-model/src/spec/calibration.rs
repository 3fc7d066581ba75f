//! Outside knowledge: priors on what a channel returns, and experiments.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::prior::Prior;

/// A prior on a quantity of the response instead of the amplitude.
///
/// The density changes variables exactly: for Q = a · S(shape) with amplitude a,
/// log p(a, shape) = log p(Q) + log S(shape).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponsePrior {
    /// Which quantity.
    pub on: ResponseQuantity,
    /// Its prior.
    pub prior: Prior,
}

/// What a response prior is about, over the fitted periods and all geos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseQuantity {
    /// Contribution / spend.
    Roas,
    /// (Contribution at 1 % more spend − contribution) / 1 % of spend.
    MarginalRoas,
    /// Contribution / outcome.
    ContributionShare,
}

/// The result of an experiment: media were changed in a window, and the outcome moved.
///
/// The change runs through adstock and saturation; several channels may change at once; zero and
/// negative results are legal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftTest {
    /// Name, for messages.
    pub name: String,
    /// First day of the change.
    pub start: NaiveDate,
    /// Day after the last day of the change.
    pub end: NaiveDate,
    /// Day after the last day over which the outcome was compared; `end` when left out.
    #[serde(default)]
    pub measured_until: Option<NaiveDate>,
    /// Geos of the test; all when empty.
    #[serde(default)]
    pub geos: Vec<String>,
    /// What was done, by channel: media times this factor is compared with media as they were.
    /// 0 is a black-out, 1.5 half as much again.
    pub factors: BTreeMap<String, f64>,
    /// Outcome with the factors less outcome without, in units of the outcome, summed over the
    /// window and the geos.
    pub lift: f64,
    /// Standard error of `lift`.
    pub standard_error: f64,
}
