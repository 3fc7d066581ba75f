//! Draws as summaries and sampler statistics.

use mixline_model::fit::Draws;
use mixline_model::response::Interval;
use mixline_numerics::diagnostics::{Chains, ess_bulk, ess_tail, mcse_mean, rhat};
use mixline_schema::catalog::{PosteriorSummary, SamplerStats};

/// One row per parameter. Convergence is null for bootstrap draws and for constants.
pub(crate) fn rows(draws: &Draws) -> Vec<PosteriorSummary> {
    let sampled = !draws.statistics.is_empty();
    (0..draws.width())
        .map(|at| {
            let by_chain = draws.parameter(at);
            let mut all: Vec<f64> = by_chain.iter().flatten().copied().collect();
            let interval = Interval::of(&mut all);
            let squares = all.iter().map(|x| (x - interval.mean).powi(2)).sum::<f64>();
            let chains = sampled.then(|| Chains::new(by_chain).ok()).flatten();
            let of = |measure: fn(&Chains) -> f64| {
                chains
                    .as_ref()
                    .map(measure)
                    .filter(|value| value.is_finite())
            };
            PosteriorSummary {
                parameter: draws.labels[at].clone(),
                mean: interval.mean,
                sd: (squares / (all.len().max(2) - 1) as f64).sqrt(),
                q05: interval.q05,
                q25: interval.q25,
                q50: interval.q50,
                q75: interval.q75,
                q95: interval.q95,
                mcse_mean: of(mcse_mean),
                ess_bulk: of(ess_bulk),
                ess_tail: of(ess_tail),
                r_hat: of(rhat),
            }
        })
        .collect()
}

/// One row per draw; `None` for the econometric engine.
pub(crate) fn sampler(draws: &Draws) -> Option<Vec<SamplerStats>> {
    let rows = draws
        .statistics
        .iter()
        .enumerate()
        .flat_map(|(chain, own)| {
            (0..own.energy.len()).map(move |draw| SamplerStats {
                chain: chain as i64,
                draw: draw as i64,
                energy: own.energy[draw],
                diverging: own.diverging[draw],
                steps: own.steps[draw].try_into().unwrap_or(i64::MAX),
                depth_reached: own.depth_reached[draw],
            })
        });
    (!draws.statistics.is_empty()).then(|| rows.collect())
}
