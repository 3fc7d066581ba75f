//! Panels for tests and benches of the model.
//!
//! - [`shared`]: reference data beside the checkout, when they are there;
//! - [`mod@reference`]: the panels and specifications of the reference fits;
//! - [`world`]: worlds made by the fitted family itself, so that the truth is known.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

pub mod reference;
pub mod shared;
pub mod world;
