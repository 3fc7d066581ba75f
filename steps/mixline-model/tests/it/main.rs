//! The model beside PyMC, and its laws.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod golden_density;
mod golden_posterior;
mod golden_transforms;
mod gradient;
mod plan;
mod recovery;
mod robustness;
