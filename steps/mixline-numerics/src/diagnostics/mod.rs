//! Convergence and precision of Markov chain draws.
//!
//! Rank-normalized split R-hat, bulk and tail effective sample sizes and Monte Carlo standard
//! errors as of A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, *Rank-normalization,
//! folding, and localization: an improved R-hat*, Bayesian Analysis 16(2), 2021; the energy
//! diagnostic as of M. Betancourt, *Diagnosing suboptimal cotangent disintegrations in Hamiltonian
//! Monte Carlo*, 2016. Numbers agree with those of ArviZ.

mod chains;
mod energy;
mod ess;
mod interval;
mod rank;
mod rhat;

pub use chains::{Chains, ChainsError};
pub use energy::e_bfmi;
pub use ess::{ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, mcse_mean};
pub use interval::{hdi, quantile};
pub use rhat::rhat;
