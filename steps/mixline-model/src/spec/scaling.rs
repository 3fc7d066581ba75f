//! Scaling before the fit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How outcome and media are scaled. Results are always in original units.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scaling {
    /// The outcome.
    pub outcome: Scale,
    /// Media, each channel by itself.
    pub media: Scale,
}

/// One scale.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scale {
    /// What a series is divided by.
    pub method: ScaleMethod,
    /// Whether every geo has a scale of its own; otherwise one is shared by all.
    pub per_geo: bool,
    /// Whether series are divided by the geo's population first.
    pub per_capita: bool,
}

/// What a series is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScaleMethod {
    /// Its greatest absolute value.
    #[default]
    Max,
    /// Its mean.
    Mean,
    /// The median of its positive values.
    Median,
    /// A fixed number, so that refits keep the meaning of their parameters.
    Fixed(f64),
    /// Nothing.
    None,
}
