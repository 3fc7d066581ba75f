//! Fitting: from a model to draws of its parameters.
//!
//! Two engines give the same kind of result. The *Bayesian* one samples the posterior; the
//! *econometric* one chooses adstock and saturation on a grid, regresses, and repeats both on
//! resampled residuals. Everything downstream reads draws and does not ask where they came from.

mod bayesian;
mod econometric;
mod prior;

pub use bayesian::fit as fit_bayesian;
pub use econometric::{EconometricSettings, Regression, fit as fit_econometric};
pub use prior::draw_prior;

use mixline_numerics::sampler::{Progress, SampleError, Warmup};

/// Draws of every parameter, in the order of the layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    /// Labels of the parameters.
    pub labels: Vec<String>,
    /// Chains; each holds draws × parameters, row by row.
    pub chains: Vec<Vec<f64>>,
    /// What the sampler recorded; empty for the econometric engine.
    pub statistics: Vec<ChainStatistics>,
    /// How the sampler was tuned.
    pub warmup: Option<Warmup>,
    /// Evaluations of the density.
    pub evaluations: u64,
}

/// What the sampler recorded of one chain, one entry per draw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChainStatistics {
    /// Energy (Hamiltonian).
    pub energy: Vec<f64>,
    /// Whether the trajectory diverged.
    pub diverging: Vec<bool>,
    /// Leapfrog steps.
    pub steps: Vec<u64>,
    /// Whether the trajectory was cut at the greatest depth.
    pub depth_reached: Vec<bool>,
    /// Step size after tuning.
    pub step_size: f64,
}

/// Why there are no draws.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// The sampler.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The regression.
    #[error("the regression failed: {0}")]
    Linear(#[from] mixline_numerics::linear::LinearError),
}

/// Called with the progress of a fit; returns whether to go on.
pub trait Watch: Fn(Progress) -> bool + Sync {}

impl<F: Fn(Progress) -> bool + Sync> Watch for F {}

impl Draws {
    /// Number of parameters.
    #[must_use]
    pub fn width(&self) -> usize {
        self.labels.len()
    }

    /// Draws in all chains together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chains
            .iter()
            .map(|chain| chain.len() / self.width().max(1))
            .sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every draw, chain after chain.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.chains
            .iter()
            .flat_map(|chain| chain.chunks_exact(self.width().max(1)))
    }

    /// At most `most` draws, evenly spaced.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Vec<&[f64]> {
        let step = self.len().div_ceil(most.max(1)).max(1);
        self.rows().step_by(step).collect()
    }

    /// Every chain's draws of parameter `at`.
    #[must_use]
    pub fn parameter(&self, at: usize) -> Vec<Vec<f64>> {
        let of = |chain: &Vec<f64>| {
            chain
                .chunks_exact(self.width().max(1))
                .map(|row| row[at])
                .collect()
        };
        self.chains.iter().map(of).collect()
    }
}
