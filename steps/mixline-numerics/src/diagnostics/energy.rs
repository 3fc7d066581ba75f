//! The energy diagnostic of Hamiltonian Monte Carlo.

use super::chains::{mean, variance};

/// Estimated Bayesian fraction of missing information of one chain's energies.
///
/// ```text
/// E-BFMI = mean of (Eₙ − Eₙ₋₁)² / variance of E
/// ```
///
/// Below 0.3 the sampler moves between energy levels too slowly to have seen the tails. NaN for
/// fewer than two energies, or when they do not vary.
#[must_use]
pub fn e_bfmi(energies: &[f64]) -> f64 {
    let steps: Vec<f64> = energies
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).powi(2))
        .collect();
    mean(&steps) / variance(energies)
}
