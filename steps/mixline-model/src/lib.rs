//! The marketing-mix model: what media, season and everything else bring in.
//!
//! ```text
//! Panel + ModelSpec ─► Model ─► Posterior ─► draws ─► responses
//!        data, spec     checked,   log p,       of all     contributions, ROAS,
//!                       laid out   gradient     parameters curves
//! ```
//!
//! - [`panel`]: the data in original units; [`spec`]: what is asked of them;
//! - [`kernel`]: adstock and saturation;
//! - [`design`] and [`layout`]: scaled data, and where each parameter sits;
//! - [`posterior`]: the log-density, its gradient, and the sampler's coordinates;
//! - [`fit`]: draws, from the Bayesian engine or the econometric one;
//! - [`response`]: contributions, returns and curves, draw by draw;
//! - [`plan`]: what planned spend would bring, and which is best.
//!
//! No tables, stores or clocks here: the mathematics builds and tests alone.

mod baseline;
pub mod design;
mod error;
pub mod fit;
pub mod kernel;
pub mod layout;
mod model;
pub mod panel;
pub mod plan;
pub mod posterior;
pub mod response;
pub mod spec;

pub use error::ModelError;
pub use model::Model;
