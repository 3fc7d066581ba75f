//! Posterior predictive checks, and how plausible the baseline is.

use mixline_numerics::random::stream;

use super::evaluate::Evaluator;
use super::predict::simulate;
use crate::fit::Draws;
use crate::model::Model;
use crate::spec::Link;

/// A statistic of the fitted outcomes, observed and simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictiveCheck {
    /// `mean`, `sd`, `min`, `max` or `autocorrelation` (at lag one).
    pub statistic: &'static str,
    /// Of the observed outcomes.
    pub observed: f64,
    /// Mean over simulated data sets.
    pub simulated: f64,
    /// Share of simulated data sets whose statistic is at least the observed one; values near 0
    /// or 1 mean that the model does not make data like these.
    pub p_value: f64,
}

/// Draws used.
const DRAWS: usize = 400;

/// A statistic of series by geo.
type Statistic = fn(&[Vec<f64>]) -> f64;

/// The statistics by name.
const STATISTICS: [(&str, Statistic); 5] = [
    ("mean", mean),
    ("sd", sd),
    ("min", |series| fold(series, f64::INFINITY, f64::min)),
    ("max", |series| fold(series, f64::NEG_INFINITY, f64::max)),
    ("autocorrelation", autocorrelation),
];

/// Compares the fitted outcomes with data simulated from the posterior.
#[must_use]
pub fn predictive_checks(model: &Model, draws: &Draws, seed: u64) -> Vec<PredictiveCheck> {
    let design = &model.design;
    let kept: Vec<Vec<usize>> = (0..design.geos)
        .map(|g| {
            (0..design.periods)
                .filter(|&t| model.panel.fitted(g, t))
                .collect()
        })
        .collect();
    let seen: Vec<Vec<f64>> = kept
        .iter()
        .enumerate()
        .map(|(g, kept)| {
            kept.iter()
                .map(|&t| model.panel.outcome[g * design.periods + t])
                .collect()
        })
        .collect();
    let rows = draws.thinned(DRAWS);
    let mut evaluator = Evaluator::new(model);
    let mut rng = stream(seed, 1);
    let mut values = [const { Vec::new() }; STATISTICS.len()];
    for row in &rows {
        evaluator.set(row);
        let mut simulated = Vec::with_capacity(design.geos);
        for (g, kept) in kept.iter().enumerate() {
            let mu = evaluator.linear_predictor(g);
            let one = |&t: &usize| simulate(model, &evaluator, g, mu[t], &mut rng);
            simulated.push(kept.iter().map(one).collect::<Vec<f64>>());
        }
        for (values, (_, statistic)) in values.iter_mut().zip(STATISTICS) {
            values.push(statistic(&simulated));
        }
    }
    let summary = |(values, (name, statistic)): (Vec<f64>, (&'static str, Statistic))| {
        let observed = statistic(&seen);
        let reached = values.iter().filter(|value| **value >= observed).count();
        PredictiveCheck {
            statistic: name,
            observed,
            simulated: values.iter().sum::<f64>() / values.len().max(1) as f64,
            p_value: reached as f64 / values.len().max(1) as f64,
        }
    };
    values.into_iter().zip(STATISTICS).map(summary).collect()
}

/// Lag-one autocorrelation of the residuals of the mean prediction.
#[must_use]
pub fn residual_autocorrelation(model: &Model, draws: &Draws) -> f64 {
    let design = &model.design;
    let rows = draws.thinned(DRAWS);
    let mut evaluator = Evaluator::new(model);
    let mut residuals = vec![vec![0.0; design.periods]; design.geos];
    for row in &rows {
        evaluator.set(row);
        for (g, own) in residuals.iter_mut().enumerate() {
            let mu = evaluator.linear_predictor(g);
            for (sum, mu) in own.iter_mut().zip(mu) {
                *sum -= evaluator.expected(g, mu) / rows.len() as f64;
            }
        }
    }
    let kept: Vec<Vec<f64>> = residuals
        .into_iter()
        .enumerate()
        .map(|(g, own)| {
            let fitted = (0..design.periods).filter(|&t| model.panel.fitted(g, t));
            fitted
                .map(|t| own[t] + model.panel.outcome[g * design.periods + t])
                .collect()
        })
        .collect();
    autocorrelation(&kept)
}

/// Probability that the baseline (all but media), summed over the fitted periods, is below zero.
/// 0 under a log link, where it cannot be.
#[must_use]
pub fn negative_baseline(model: &Model, draws: &Draws) -> f64 {
    if model.spec.likelihood.link == Link::Log {
        return 0.0;
    }
    let design = &model.design;
    let rows = draws.thinned(DRAWS);
    let mut evaluator = Evaluator::new(model);
    let below = rows.iter().filter(|row| {
        evaluator.set(row);
        let mut total = 0.0;
        for g in 0..design.geos {
            for k in 0..design.terms.len() {
                let series = evaluator.term(g, k);
                let fitted = (0..design.periods).filter(|&t| model.panel.fitted(g, t));
                total += design.outcome_scale[g] * fitted.map(|t| series[t]).sum::<f64>();
            }
        }
        total < 0.0
    });
    below.count() as f64 / rows.len().max(1) as f64
}

fn fold(series: &[Vec<f64>], start: f64, pick: fn(f64, f64) -> f64) -> f64 {
    series.iter().flatten().copied().fold(start, pick)
}

fn mean(series: &[Vec<f64>]) -> f64 {
    let count = series.iter().map(Vec::len).sum::<usize>().max(1);
    series.iter().flatten().sum::<f64>() / count as f64
}

fn sd(series: &[Vec<f64>]) -> f64 {
    let (mean, count) = (
        mean(series),
        series.iter().map(Vec::len).sum::<usize>().max(1),
    );
    (series
        .iter()
        .flatten()
        .map(|x| (x - mean).powi(2))
        .sum::<f64>()
        / count as f64)
        .sqrt()
}

/// At lag one, pooled over geos around each geo's own mean.
fn autocorrelation(series: &[Vec<f64>]) -> f64 {
    let (mut together, mut alone) = (0.0, 0.0);
    for own in series {
        let mean = own.iter().sum::<f64>() / own.len().max(1) as f64;
        together += own
            .windows(2)
            .map(|pair| (pair[0] - mean) * (pair[1] - mean))
            .sum::<f64>();
        alone += own.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    }
    if alone > 0.0 { together / alone } else { 0.0 }
}
