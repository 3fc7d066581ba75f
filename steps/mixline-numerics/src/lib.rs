//! Numerical methods without marketing in them: what a model needs to be sampled, and what a
//! reader needs to trust the draws.
//!
//! - [`diagnostics`]: convergence and precision of Markov chain draws;
//! - [`loo`]: leave-one-out prediction from draws (PSIS-LOO, WAIC);
//! - [`normal`]: the standard normal distribution's functions.
//!
//! Nothing here knows tables, stores or channels; results do not depend on the number of threads.

pub mod diagnostics;
pub mod loo;
pub mod normal;
