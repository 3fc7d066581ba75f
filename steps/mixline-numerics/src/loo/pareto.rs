//! Importance weights whose largest values are replaced by what a generalized Pareto distribution
//! expects of them.

use super::log_sum_exp;

/// Fewer weights than this make no tail.
const LEAST_TAIL: usize = 5;
/// Strength of the prior of the shape, in observations, and its mean.
const PRIOR_K: (f64, f64) = (10.0, 0.5);
/// Scale of the prior of the support.
const PRIOR_B: f64 = 3.0;

/// Normalized log-weights and the shape of their tail; infinite when there is no tail to speak of.
pub(super) fn smoothed(log_ratios: &[f64], relative_efficiency: f64) -> (Vec<f64>, f64) {
    let most = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<f64> = log_ratios.iter().map(|ratio| ratio - most).collect();
    let k = smooth_tail(&mut weights, relative_efficiency);
    let total = log_sum_exp(&weights);
    weights.iter_mut().for_each(|weight| *weight -= total);
    (weights, k)
}

fn smooth_tail(weights: &mut [f64], relative_efficiency: f64) -> f64 {
    let n = weights.len() as f64;
    let tail = (n / 5.0).min(3.0 * (n / relative_efficiency).sqrt()).ceil() as usize;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*a].total_cmp(&weights[*b]));
    let Some(at) = weights.len().checked_sub(tail + 1) else {
        return f64::INFINITY;
    };
    let cutoff = weights[order[at]].max(f64::MIN_POSITIVE.ln());
    let above: Vec<usize> = order
        .into_iter()
        .filter(|at| weights[*at] > cutoff)
        .collect();
    if above.len() < LEAST_TAIL {
        return f64::INFINITY;
    }
    let excess: Vec<f64> = above
        .iter()
        .map(|at| weights[*at].exp() - cutoff.exp())
        .collect();
    let (k, sigma) = fit(&excess);
    if k.is_finite() {
        for (place, at) in above.iter().enumerate() {
            let p = (place as f64 + 0.5) / above.len() as f64;
            // A smoothed weight is never above the largest one there was.
            weights[*at] = (quantile(p, k, sigma) + cutoff.exp()).ln().min(0.0);
        }
    }
    k
}

/// Shape and scale of a generalized Pareto distribution for values in ascending order: the posterior
/// mean of `b = −k / σ` on a grid, and a weak prior that draws the shape to 0.5.
fn fit(ascending: &[f64]) -> (f64, f64) {
    let n = ascending.len();
    let points = 30 + (n as f64).sqrt() as usize;
    let quartile = ascending[((n as f64 / 4.0 + 0.5) as usize).max(1) - 1];
    let most = ascending[n - 1];
    let grid: Vec<f64> = (1..=points)
        .map(|j| {
            let spread = 1.0 - (points as f64 / (j as f64 - 0.5)).sqrt();
            spread / (PRIOR_B * quartile) + 1.0 / most
        })
        .collect();
    let shape = |b: f64| ascending.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / n as f64;
    let profile = |b: f64| {
        let k = shape(b);
        n as f64 * ((-(b / k)).ln() - k - 1.0)
    };
    let profiles: Vec<f64> = grid.iter().map(|b| profile(*b)).collect();
    let weight = |one: f64| {
        1.0 / profiles
            .iter()
            .map(|other| (other - one).exp())
            .sum::<f64>()
    };
    let weights: Vec<f64> = profiles.iter().map(|one| weight(*one)).collect();
    let kept = || {
        weights
            .iter()
            .zip(&grid)
            .filter(|(weight, _)| **weight >= 10.0 * f64::EPSILON)
    };
    let total: f64 = kept().map(|(weight, _)| weight).sum();
    let b: f64 = kept().map(|(weight, b)| b * weight / total).sum();
    let k = shape(b);
    let (strength, center) = PRIOR_K;
    (
        (n as f64 * k + strength * center) / (n as f64 + strength),
        -k / b,
    )
}

/// The quantile at `p` of the distribution with location 0.
fn quantile(p: f64, k: f64, sigma: f64) -> f64 {
    if k.abs() < f64::EPSILON {
        -sigma * (-p).ln_1p()
    } else {
        sigma * (-k * (-p).ln_1p()).exp_m1() / k
    }
}
