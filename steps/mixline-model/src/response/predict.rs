//! Predictions beside what was observed.

use mixline_numerics::distribution::Family as Distributions;
use mixline_numerics::normal;
use mixline_numerics::random::{Stream, standard_normal, stream, uniform};

use super::decompose::observed;
use super::evaluate::Evaluator;
use super::summary::Interval;
use crate::fit::Draws;
use crate::model::Model;
use crate::spec::{Family, Link};

/// One cell with an observed outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Geo.
    pub geo: usize,
    /// Period.
    pub period: usize,
    /// Whether the cell was kept out of the fit.
    pub holdout: bool,
    /// What was observed.
    pub observed: f64,
    /// The expectation over draws.
    pub expected: Interval,
    /// A new outcome, scatter included.
    pub predicted: Interval,
    /// Probability of a new outcome below the observed one.
    pub probability_below: f64,
    /// Continuous ranked probability score of the prediction, in units of the outcome.
    pub crps: f64,
}

/// Draws used for predictions.
const DRAWS: usize = 1000;

/// Predictions for every cell with an observed outcome, and for each draw the sum over cells of
/// (observed, simulated) that posterior predictive checks ask for.
#[must_use]
pub fn predict(model: &Model, draws: &Draws, seed: u64) -> Vec<Prediction> {
    let design = &model.design;
    let rows = draws.thinned(DRAWS);
    let mut evaluator = Evaluator::new(model);
    let mut rng = stream(seed, 0);
    let mut out = Vec::new();
    for g in 0..design.geos {
        let kept: Vec<usize> = (0..design.periods)
            .filter(|&t| observed(model, g, t))
            .collect();
        let mut expected = vec![Vec::with_capacity(rows.len()); kept.len()];
        let mut simulated = vec![Vec::with_capacity(rows.len()); kept.len()];
        for row in &rows {
            evaluator.set(row);
            let mu = evaluator.linear_predictor(g);
            for (i, &t) in kept.iter().enumerate() {
                expected[i].push(evaluator.expected(g, mu[t]));
                simulated[i].push(simulate(model, &evaluator, g, mu[t], &mut rng));
            }
        }
        for (i, &t) in kept.iter().enumerate() {
            let seen = model.panel.outcome[g * design.periods + t];
            let below = simulated[i].iter().filter(|x| **x < seen).count();
            let crps = crps(&mut simulated[i], seen);
            out.push(Prediction {
                geo: g,
                period: t,
                holdout: model.panel.holdout[t],
                observed: seen,
                expected: Interval::of(&mut expected[i]),
                probability_below: below as f64 / rows.len().max(1) as f64,
                crps,
                predicted: Interval::of(&mut simulated[i]),
            });
        }
    }
    out
}

/// A new outcome in original units.
pub(super) fn simulate(
    model: &Model,
    evaluator: &Evaluator<'_>,
    g: usize,
    mu: f64,
    rng: &mut Stream,
) -> f64 {
    let sigma = evaluator.sigma(g);
    let likelihood = model.spec.likelihood;
    let y = match likelihood.family {
        Family::Normal => mu + sigma * standard_normal(rng),
        Family::StudentT => {
            let nu = evaluator.nu(g).unwrap_or(f64::INFINITY);
            let t = mixline_numerics::distribution::Distribution::new(
                Distributions::StudentT,
                &[nu, mu, sigma],
            );
            t.map_or(mu, |t| t.sample(rng))
        }
        Family::TruncatedNormal => {
            let below = normal::cdf(-mu / sigma);
            mu + sigma * normal::quantile(below + (1.0 - below) * uniform(rng))
        }
    };
    let scale = model.design.outcome_scale[g];
    match likelihood.link {
        Link::Identity => scale * y,
        Link::Log => scale * libm::exp(y),
    }
}

/// E|X − y| − E|X − X′|/2 over draws of X. Sorts them.
fn crps(draws: &mut [f64], observed: f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance: f64 = draws.iter().map(|x| (x - observed).abs()).sum::<f64>() / n;
    let spread: f64 = draws
        .iter()
        .enumerate()
        .map(|(i, x)| x * (2.0 * i as f64 - n + 1.0))
        .sum::<f64>();
    distance - spread / (n * n)
}

/// log p(y | draw) of every fitted cell: one row per cell, one column per draw, scaled outcome.
#[must_use]
pub fn pointwise_log_likelihood(model: &Model, draws: &Draws) -> Vec<Vec<f64>> {
    let design = &model.design;
    let rows = draws.thinned((40_000_000 / (design.geos * design.periods).max(1)).max(200));
    let mut evaluator = Evaluator::new(model);
    let mut out = Vec::new();
    for g in 0..design.geos {
        let kept: Vec<usize> = (0..design.periods)
            .filter(|&t| model.panel.fitted(g, t))
            .collect();
        let from = out.len();
        out.resize_with(from + kept.len(), || Vec::with_capacity(rows.len()));
        for row in &rows {
            evaluator.set(row);
            let mu = evaluator.linear_predictor(g);
            let sigma = evaluator.sigma(g);
            for (i, &t) in kept.iter().enumerate() {
                let y = design.outcome(g)[t];
                let value = match model.spec.likelihood.family {
                    Family::StudentT => {
                        let nu = evaluator.nu(g).unwrap_or(f64::INFINITY);
                        Distributions::StudentT.score(y, &[nu, mu[t], sigma, 0.0])
                    }
                    Family::TruncatedNormal => {
                        Distributions::TruncatedNormal.score(y, &[mu[t], sigma, 0.0, f64::INFINITY])
                    }
                    Family::Normal => Distributions::Normal.score(y, &[mu[t], sigma, 0.0, 0.0]),
                };
                out[from + i].push(value.log_density);
            }
        }
    }
    out
}
