//! The Bayesian engine: NUTS on the posterior.

use mixline_numerics::random::stream;
use mixline_numerics::sampler::{Settings, sample};

use super::{ChainStatistics, Draws, FitError, Watch};
use crate::model::Model;
use crate::posterior::Posterior;

/// Streams of the conditional draws come after those of the chains.
const CONDITIONAL: u64 = 1 << 32;

/// Draws from the posterior of `model`.
///
/// The draws depend on data, specification and seed alone, not on the number of threads.
///
/// # Errors
/// [`FitError::Sample`].
pub fn fit(model: &Model, settings: &Settings, watch: impl Watch) -> Result<Draws, FitError> {
    let start = Posterior::new(model).start();
    let mut guide = Posterior::new(model).smoothed();
    let sampled = sample(
        || Posterior::new(model),
        &mut guide,
        &start,
        settings,
        watch,
    )?;
    let mut posterior = Posterior::new(model);
    let mut chains = Vec::with_capacity(sampled.chains.len());
    let mut statistics = Vec::with_capacity(sampled.chains.len());
    for (id, chain) in sampled.chains.into_iter().enumerate() {
        let mut rng = stream(settings.seed, CONDITIONAL + id as u64);
        let mut values = Vec::with_capacity(settings.draws * model.layout.len());
        for q in chain.positions.chunks_exact(sampled.dim.max(1)) {
            values.extend_from_slice(posterior.parameters(q, &mut rng));
        }
        chains.push(values);
        statistics.push(ChainStatistics {
            energy: chain.energy,
            diverging: chain.diverging,
            steps: chain.steps,
            depth_reached: chain.depth_reached,
            step_size: chain.step_size,
        });
    }
    Ok(Draws {
        labels: model.layout.labels(),
        chains,
        statistics,
        warmup: Some(sampled.warmup),
        evaluations: sampled.evaluations,
    })
}
