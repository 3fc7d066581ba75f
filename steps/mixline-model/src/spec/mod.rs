//! What model is fitted: media, baseline, likelihood, priors, calibration.
//!
//! A [`ModelSpec`] is plain data that reads from TOML or JSON and validates itself against a
//! [`Panel`](crate::panel::Panel). Names and defaults are PyMC-Marketing's.

mod baseline;
mod calibration;
mod media;
mod prior;
mod scaling;

pub use baseline::{Baseline, Event, Fourier, Knots, Treatment, Trend};
pub use calibration::{LiftTest, ResponsePrior, ResponseQuantity};
pub use media::{ChannelSpec, Media};
pub use prior::{Argument, Prior, PriorError};
pub(crate) use prior::{canonical, default};
pub use scaling::{Scale, ScaleMethod, Scaling};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A marketing-mix model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    /// Adstock and saturation of the channels.
    pub media: Media,
    /// Intercept, trend, season, controls, events.
    pub baseline: Baseline,
    /// Distribution of the outcome around its expectation.
    pub likelihood: Likelihood,
    /// How outcome and media are scaled before the fit.
    pub scaling: Scaling,
    /// Priors by parameter name (`saturation_beta`), or by one element (`saturation_beta[tv]`).
    pub priors: BTreeMap<String, Prior>,
    /// Priors on return or contribution, by channel; each replaces the amplitude's own prior.
    pub response_priors: BTreeMap<String, ResponsePrior>,
    /// Experiments that the model must agree with.
    pub lift_tests: Vec<LiftTest>,
    /// Pairs of channels whose joint presence has an effect of its own.
    pub synergies: Vec<[String; 2]>,
}

/// Distribution of the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Normal(μ, σ).
    #[default]
    Normal,
    /// StudentT(ν, μ, σ): outliers pull less.
    StudentT,
    /// Normal(μ, σ) cut below 0: outcomes are never negative.
    TruncatedNormal,
}

/// Scale on which effects add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Effects add up on the outcome.
    #[default]
    Identity,
    /// Effects add up on the logarithm of the outcome: they multiply.
    Log,
}

/// How the outcome scatters around its expectation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Likelihood {
    /// Distribution.
    pub family: Family,
    /// Scale on which effects add up.
    pub link: Link,
}
