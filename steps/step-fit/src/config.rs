//! Configuration of `step-fit`.

use std::num::NonZeroUsize;

use mixline_model::fit::EconometricSettings;
use mixline_model::spec::ModelSpec;
use mixline_model_tables::Engine;
use mixline_numerics::sampler::Settings;
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is fitted, and with how many draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `bayesian` or `econometric`.
    pub engine: Engine,
    /// Draws kept per chain.
    pub draws: usize,
    /// Chains.
    pub chains: usize,
    /// Tuning draws per chain after a Laplace start; without one, 1000 at least.
    pub tune: usize,
    /// Mean acceptance probability that tuning aims for.
    pub target_accept: f64,
    /// Trajectories double at most this often.
    pub max_depth: usize,
    /// Threads; 0 uses every core. The draws do not depend on it.
    pub threads: usize,
    /// Whether the draws are also written as a netCDF file for ArviZ.
    pub netcdf: bool,
    /// The model.
    pub model: ModelSpec,
    /// Settings of the econometric engine.
    pub econometric: EconometricSettings,
}

impl Default for Config {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            engine: Engine::Bayesian,
            draws: settings.draws,
            chains: settings.chains,
            tune: settings.tune,
            target_accept: settings.target_accept,
            max_depth: settings.max_depth,
            threads: 0,
            netcdf: true,
            model: ModelSpec::default(),
            econometric: EconometricSettings::default(),
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let limits = [
            ("draws", self.draws, 10, 1_000_000),
            ("chains", self.chains, 1, 64),
            ("tune", self.tune, 20, 100_000),
            ("max_depth", self.max_depth, 1, 20),
            (
                "econometric.bootstraps",
                self.econometric.bootstraps,
                2,
                100_000,
            ),
        ];
        for (key, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                let text = format!("`{key}` is {value}, which is not between {least} and {most}");
                return Err(StepError::config(text));
            }
        }
        if !(0.5..1.0).contains(&self.target_accept) {
            let text = format!(
                "`target_accept` is {}, which is not in [0.5, 1)",
                self.target_accept
            );
            return Err(
                StepError::config(text).hint("0.8 suits most models; 0.95 takes short steps")
            );
        }
        Ok(())
    }

    pub(crate) fn settings(&self, seed: u64) -> Settings {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Settings {
            chains: self.chains,
            draws: self.draws,
            tune: self.tune,
            plain_tune: self.tune.max(1000),
            target_accept: self.target_accept,
            max_depth: self.max_depth,
            threads: NonZeroUsize::new(self.threads).unwrap_or_else(cores),
            seed,
            ..Settings::default()
        }
    }
}
