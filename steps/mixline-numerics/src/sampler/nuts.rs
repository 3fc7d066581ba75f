//! The No-U-Turn sampler of `nuts-rs`: the only file that knows it.

use std::collections::HashMap;
use std::convert::Infallible;

use nuts_rs::rand::Rng;
use nuts_rs::{
    Chain as _, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError,
    Settings as _,
};

use super::run::SampleError;
use crate::density::{Divergence, LogDensity};
use crate::random::Stream;

/// What one chain is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub tune: u64,
    pub draws: u64,
    pub target_accept: f64,
    pub max_depth: u64,
}

/// One draw as the sampler hands it over.
pub(super) struct Draw<'a> {
    pub position: &'a [f64],
    pub tuning: bool,
    pub energy: f64,
    pub diverging: bool,
    pub steps: u64,
    pub depth_reached: bool,
    pub step_size: f64,
}

/// Runs one chain from `start` and hands every draw, tuning first, to `take`; `take` returns
/// whether to go on.
pub(super) fn chain(
    density: impl LogDensity,
    start: &[f64],
    options: Options,
    id: u64,
    rng: &mut Stream,
    mut take: impl FnMut(Draw<'_>) -> bool,
) -> Result<(), SampleError> {
    let mut settings = DiagNutsSettings {
        num_tune: options.tune,
        num_draws: options.draws,
        maxdepth: options.max_depth,
        ..DiagNutsSettings::default()
    };
    settings.adapt_options.step_size_settings.target_accept = options.target_accept;
    let failed = |reason: String| SampleError::Chain { chain: id, reason };
    let math = CpuMath::new(Adapter(density));
    let chain = settings.new_chain(id, math, rng);
    let mut chain = chain.map_err(|error| failed(error.to_string()))?;
    let placed = chain.set_position(start);
    placed.map_err(|error| failed(error.to_string()))?;
    for _ in 0..options.tune + options.draws {
        let drawn = chain.expanded_draw();
        let (position, _, stats, progress) = drawn.map_err(|error| failed(error.to_string()))?;
        let draw = Draw {
            position: &position,
            tuning: progress.tuning,
            energy: stats.point.energy,
            diverging: progress.diverging,
            steps: progress.num_steps,
            depth_reached: stats.maxdepth_reached,
            step_size: progress.step_size,
        };
        if !take(draw) {
            return Err(SampleError::Stopped);
        }
    }
    Ok(())
}

/// Our density in the sampler's clothes.
struct Adapter<D>(D);

impl LogpError for Divergence {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl<D> HasDims for Adapter<D> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::new()
    }
}

impl<D: LogDensity> CpuLogpFunc for Adapter<D> {
    type LogpError = Divergence;
    type FlowParameters = Infallible;
    type ExpandedVector = ();

    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, Divergence> {
        self.0.eval(position, gradient)
    }

    fn expand_vector<R: Rng + ?Sized>(&mut self, _: &mut R, _: &[f64]) -> Result<(), CpuMathError> {
        Ok(())
    }
}
