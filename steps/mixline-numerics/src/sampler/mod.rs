//! Sampling a [`LogDensity`](crate::density::LogDensity): mode, Laplace whitening, No-U-Turn chains.
//!
//! ```text
//! mode ─► curvature there ─► θ = mode + L ξ ─► short tuning ─► draws of ξ ─► draws of θ
//!                  │                                          └─ divergences ─► shorter steps
//!                  └─ no usable mode, or no mixing ─► long tuning on θ itself ─► draws of θ
//! ```
//!
//! With the Laplace approximation as coordinates (L Lᵀ = inverse Hessian), a well-behaved
//! posterior looks like a standard normal: a hundred tuning draws do what a thousand do without.
//! Every chain has a random stream of its own, so the draws do not depend on the number of
//! threads.

mod laplace;
mod mode;
mod nuts;
mod run;
mod whitened;

pub use laplace::Laplace;
pub use mode::{Mode, find_mode};
pub use run::{Draws, Progress, SampleError, Settings, Warmup, sample};
pub use whitened::Whitened;

#[cfg(test)]
mod tests;
