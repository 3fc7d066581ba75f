//! A recommendation before it is kept.

use mixline_model::response::Interval;
use serde_json::Value;

use crate::confidence::Confidence;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    ScaleUp,
    ScaleDown,
    Reallocate,
    Hold,
    Test,
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ScaleUp => "scale_up",
            Self::ScaleDown => "scale_down",
            Self::Reallocate => "reallocate",
            Self::Hold => "hold",
            Self::Test => "test",
        }
    }
}

/// A recommendation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) action: Action,
    pub(crate) rule: &'static str,
    pub(crate) channel: String,
    pub(crate) to_channel: String,
    /// Spend now and proposed.
    pub(crate) spend: Option<(f64, f64)>,
    pub(crate) gain: Option<Interval>,
    pub(crate) probability: Option<f64>,
    pub(crate) confidence: Confidence,
    pub(crate) message: String,
    pub(crate) evidence: Value,
}
