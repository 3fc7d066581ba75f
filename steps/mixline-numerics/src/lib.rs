//! Numerical methods without marketing in them: what a model needs to be sampled, and what a
//! reader needs to trust the draws.
//!
//! - [`allocation`]: sharing a total over cells, each with its own response;
//! - [`density`]: a log-density with its gradient, and the check of one against the other;
//! - [`distribution`]: the usual distributions, with gradients and draws;
//! - [`transform`]: from the whole real line to where a parameter lives;
//! - [`sampler`]: the mode, Laplace whitening, and the No-U-Turn sampler on top;
//! - [`linear`]: ordinary least squares and ridge regression;
//! - [`diagnostics`]: convergence and precision of Markov chain draws;
//! - [`loo`]: leave-one-out prediction from draws (PSIS-LOO, WAIC);
//! - [`lanes`]: `exp`, `ln` and sums that the compiler turns into vector instructions;
//! - [`normal`]: the standard normal distribution's functions.
//!
//! Nothing here knows tables, stores or channels; results do not depend on the number of threads.

pub mod allocation;
pub mod density;
pub mod diagnostics;
pub mod distribution;
pub mod lanes;
pub mod linear;
pub mod loo;
pub mod normal;
pub mod random;
pub mod sampler;
pub mod transform;
