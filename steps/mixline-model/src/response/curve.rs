//! Response curves and adstock curves.

use super::decompose::observed;
use super::evaluate::Evaluator;
use super::summary::Interval;
use crate::fit::Draws;
use crate::model::Model;
use crate::posterior::density::adstock_values;
use crate::spec::Link;

/// One point of a response curve.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// Index of the channel.
    pub channel: usize,
    /// Media in every period, as a multiple of what they were.
    pub multiplier: f64,
    /// Spend at that level; `None` for organic media.
    pub spend: Option<f64>,
    /// What the channel would have brought in, in units of the outcome.
    pub contribution: Interval,
    /// Whether the mean positive level, so multiplied, stays within the most media ever seen in a
    /// period; beyond it the curve is an extrapolation.
    pub observed: bool,
}

/// One weight of an adstock curve.
#[derive(Debug, Clone, PartialEq)]
pub struct AdstockPoint {
    /// Index of the channel.
    pub channel: usize,
    /// Periods after the media.
    pub lag: usize,
    /// Share of the effect in that period.
    pub weight: Interval,
    /// Periods until half of the effect has come, with fractions; the same at every lag.
    pub half_life: Interval,
}

/// Multiples of the media at which curves are computed.
const MULTIPLIERS: usize = 21;
const WIDEST: f64 = 2.0;
/// Kernel evaluations a call may spend, in cells.
const BUDGET: usize = 300_000_000;

/// Response curves of every channel, over all geos and observed periods.
///
/// Media move together in all periods and keep their pattern, as in the field's tools. Under a log
/// link the curve is the channel's effect at the other channels' present levels.
#[must_use]
pub fn response_curves(model: &Model, draws: &Draws) -> Vec<CurvePoint> {
    let design = &model.design;
    let cells = MULTIPLIERS * design.geos * design.periods * design.kernels.len();
    let rows = draws.thinned((BUDGET / cells.max(1)).clamp(100, 1000));
    let mut evaluator = Evaluator::new(model);
    let mut points = Vec::new();
    for c in 0..design.kernels.len() {
        let mut sums = vec![vec![0.0; rows.len()]; MULTIPLIERS];
        for (d, row) in rows.iter().enumerate() {
            evaluator.set(row);
            for g in 0..design.geos {
                add_curve(model, &mut evaluator, (g, c), d, &mut sums);
            }
        }
        let spend = total_spend(model, c);
        let reach = highest_inside(model, c);
        for (step, draws) in sums.iter_mut().enumerate() {
            let multiplier = WIDEST * step as f64 / (MULTIPLIERS - 1) as f64;
            points.push(CurvePoint {
                channel: c,
                multiplier,
                spend: spend.map(|spend| spend * multiplier),
                contribution: Interval::of(draws),
                observed: multiplier <= reach,
            });
        }
    }
    points
}

fn add_curve(
    model: &Model,
    evaluator: &mut Evaluator<'_>,
    (g, c): (usize, usize),
    d: usize,
    sums: &mut [Vec<f64>],
) {
    let amplitude = evaluator.amplitude(g, c);
    let log = model.spec.likelihood.link == Link::Log;
    let mu = if log {
        evaluator.linear_predictor(g)
    } else {
        Vec::new()
    };
    let now = if log {
        evaluator.saturated(g, c).to_vec()
    } else {
        Vec::new()
    };
    let scale = model.design.outcome_scale[g];
    for (step, sum) in sums.iter_mut().enumerate() {
        let multiplier = WIDEST * step as f64 / (MULTIPLIERS - 1) as f64;
        let series = evaluator.saturated_at(g, c, multiplier).to_vec();
        for (t, f) in series
            .iter()
            .enumerate()
            .filter(|&(t, _)| observed(model, g, t))
        {
            sum[d] += if log {
                let without = mu[t] - amplitude * now[t];
                evaluator.expected(g, without + amplitude * f) - evaluator.expected(g, without)
            } else {
                scale * amplitude * f
            };
        }
    }
}

fn total_spend(model: &Model, c: usize) -> Option<f64> {
    let spend = model.panel.channels[c].spend.as_ref()?;
    let periods = model.design.periods;
    let cells = (0..model.design.geos).flat_map(|g| (0..periods).map(move |t| (g, t)));
    Some(
        cells
            .filter(|&(g, t)| observed(model, g, t))
            .map(|(g, t)| spend[g * periods + t])
            .sum(),
    )
}

/// The multiple of the mean positive level that reaches the most ever seen: beyond it, the curve
/// is an extrapolation.
fn highest_inside(model: &Model, c: usize) -> f64 {
    let media = &model.panel.channels[c].media;
    let most = media.iter().copied().fold(0.0, f64::max);
    let positive: Vec<f64> = media.iter().copied().filter(|x| *x > 0.0).collect();
    let mean = positive.iter().sum::<f64>() / positive.len().max(1) as f64;
    if mean > 0.0 { most / mean } else { 0.0 }
}

/// Adstock weights by lag, of every channel; in a panel with adstock by geo, of the first geo.
#[must_use]
pub fn adstock_curves(model: &Model, draws: &Draws) -> Vec<AdstockPoint> {
    let rows = draws.thinned(1000);
    let mut points = Vec::new();
    for (c, kernel) in model.design.kernels.iter().enumerate() {
        let length = kernel.adstock.length(kernel.l_max);
        let mut by_lag = vec![Vec::with_capacity(rows.len()); length];
        let mut half_lives = Vec::with_capacity(rows.len());
        for row in &rows {
            let p = adstock_values(model, row, 0, c);
            let weights = kernel.adstock.weights(&p, kernel.l_max, true);
            half_lives.push(half_life(&weights));
            by_lag
                .iter_mut()
                .zip(weights)
                .for_each(|(lag, weight)| lag.push(weight));
        }
        let half_life = Interval::of(&mut half_lives);
        for (lag, weights) in by_lag.iter_mut().enumerate() {
            points.push(AdstockPoint {
                channel: c,
                lag,
                weight: Interval::of(weights),
                half_life,
            });
        }
    }
    points
}

/// Periods until the cumulated weights, taken as spread evenly over each period, reach one half.
fn half_life(weights: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (lag, weight) in weights.iter().enumerate() {
        if sum + weight >= 0.5 {
            return lag as f64 + (0.5 - sum) / weight;
        }
        sum += weight;
    }
    weights.len() as f64
}
