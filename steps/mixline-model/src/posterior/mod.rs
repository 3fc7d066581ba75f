//! The posterior: what a data scientist would write down, evaluated fast.
//!
//! ```text
//! y_gt  ~ Likelihood(μ_gt, σ)
//! μ_gt  = intercept_g + Σ_c β_gc s_c(adstock_c(x_gc))_t + Σ_k γ_k z_gkt + Σ_(a,b) δ_ab s_a s_b
//! ```
//!
//! - [`Density`]: log p of all parameters on PyMC's unconstrained scale, with its gradient;
//! - [`Posterior`]: the same in the coordinates that the sampler moves in
//!   (`coordinates`), with coefficients by geo integrated out where that is exact
//!   (`integrated`);
//! - `calibration`: response priors and lift tests;
//! - `likelihood`: the scatter around μ.

pub(crate) mod calibration;
pub(crate) mod coordinates;
pub(crate) mod density;
pub(crate) mod integrated;
mod likelihood;
mod linear;
mod marginal;
mod point;
mod sampled;

pub use density::Density;
pub use point::{PointError, read_point};
pub use sampled::Posterior;
