//! What the fit means: contributions, returns, curves, predictions, draw by draw.
//!
//! - [`Evaluator`]: one draw's series, geo by geo;
//! - [`decompose()`]: contributions of every component by period and in total;
//! - [`channels()`]: contribution, ROAS, marginal ROAS and shares by channel;
//! - [`response_curves()`], [`adstock_curves()`]: what a channel would bring at other levels, and
//!   when;
//! - [`lift_tests()`]: experiments beside the model;
//! - [`predict()`]: the outcome as the model sees it, and how likely it found what was seen.
//!
//! All in original units. Intervals are quantiles over draws.

mod channel;
mod check;
mod curve;
mod decompose;
mod evaluate;
mod lift;
mod predict;
mod summary;

pub use channel::{ChannelResult, channels, contribution_draws};
pub use check::{PredictiveCheck, negative_baseline, predictive_checks, residual_autocorrelation};
pub use curve::{AdstockPoint, CurvePoint, adstock_curves, response_curves};
pub use decompose::{Component, ComponentKind, Contribution, Decomposition, decompose};
pub use evaluate::Evaluator;
pub use lift::{LiftResult, lift_tests};
pub use predict::{Prediction, pointwise_log_likelihood, predict};
pub use summary::Interval;
