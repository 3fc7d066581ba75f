//! Utilities of uncertain gains, maximised through a pessimist's weights.
//!
//! The gain of a plan in a draw is its outcome less that of current spend in the same draw: what
//! could go wrong with changing is all that counts. Mean − k·sd and CVaR are both the least weighted
//! mean of the gains F over a set of weightings of the draws:
//!
//! ```text
//! U(x) = min_{w ∈ W} Σ_d w_d F_d(x)
//! mean − k·sd:  W = { Σ w = 1, ‖w − 1/D‖ ≤ k/√D }       worst w: 1/D − k (F − mean)/(D sd)
//! CVaR_α:       W = { Σ w = 1, 0 ≤ w ≤ 1/(αD) }          worst w: 1/(αD) on the worst α
//! ```
//!
//! For weights fixed, the problem is separable again and solved exactly; its optimum bounds U from
//! above, whatever the weights. So: weigh as the pessimist would at the present plan, solve, go as
//! far towards the answer as U rises, repeat. The probability of beating current spend is climbed
//! the same way with the gradient of a smoothed step as weights; it has no bound but 1.
//!
//! Source: Rockafellar and Uryasev (2000) for CVaR as a maximum over weightings.

use mixline_numerics::allocation::{self, Allocation, Infeasible, Problem, Tree};

use super::objective::{Weighted, in_draws};
use super::spec::{Goal, Utility};
use super::surface::Surface;
use super::walk::Walk;

/// Rounds of weighing and solving at most.
const ROUNDS: usize = 30;
/// Relative gap that is good enough.
const TOLERANCE: f64 = 1e-6;

/// The best allocation for a utility other than the mean, against `current`; `certified`: with a
/// bound that is as tight as it can be had.
pub(super) fn solve(
    surface: &Surface,
    goal: Goal,
    problem: &Problem,
    current: &[f64],
    certified: bool,
) -> Result<Allocation, Infeasible> {
    let tree = Tree::new(problem)?;
    let baseline = in_draws(surface, &goal, current);
    let price = problem.total.price;
    let now: f64 = current.iter().sum();
    let gains = |x: &[f64]| {
        let paid = price * (x.iter().sum::<f64>() - now);
        let mut gains = gains(&in_draws(surface, &goal, x), &baseline);
        gains.iter_mut().for_each(|gain| *gain -= paid);
        gains
    };
    let value = |x: &[f64]| utility(goal.utility, &gains(x));
    let mean = allocation::solve(problem, &Weighted::even(surface, goal), current)?;
    let mut evaluations = mean.evaluations;
    let starts = [mean.amounts, tree.nearest(current)];
    let mut best = (starts[0].clone(), f64::NEG_INFINITY);
    for start in starts {
        let at = value(&start);
        if at > best.1 {
            best = (start, at);
        }
    }
    let mut bound = match goal.utility {
        Utility::BeatsCurrent => 1.0,
        _ => mean.bound - average(&baseline) + price * now,
    };
    // Where the utility has corners the steepest way up may lead nowhere; the average of all weights
    // so far then does, as in a game played over and over.
    let mut average_weights = worst_weights(goal.utility, &gains(&best.0));
    let mut fruitless = 0;
    for round in 0..ROUNDS {
        if bound - best.1 <= TOLERANCE * best.1.abs() || fruitless > 6 {
            break;
        }
        let weights = if fruitless <= 1 {
            worst_weights(goal.utility, &gains(&best.0))
        } else {
            average_weights.clone()
        };
        // A proof is dear: only once the quick way has stopped rising.
        let proving = certified && fruitless > 0;
        let before: f64 = weights.iter().zip(&baseline).map(|(w, b)| w * b).sum();
        let weighted = Weighted::by(surface, goal, weights);
        let weighted = if proving {
            weighted
        } else {
            weighted.trusting()
        };
        let concave = (0..problem.cells.len()).all(|cell| weighted.is_proven(cell));
        let answer = allocation::solve(problem, &weighted, &best.0)?;
        evaluations += answer.evaluations;
        if goal.utility != Utility::BeatsCurrent && (proving || concave) {
            bound = bound.min(answer.bound - before + price * now);
        }
        let worst = worst_weights(goal.utility, &gains(&answer.amounts));
        for (mean, weight) in average_weights.iter_mut().zip(worst) {
            *mean += (weight - *mean) / (round + 2) as f64;
        }
        match climb(&best, &answer.amounts, &value) {
            Some(better) => (best, fruitless) = (better, 0),
            None if !certified => break,
            None => fruitless += 1,
        }
    }
    if certified {
        let walk = Walk::new(surface, &goal, price, current, &best.0);
        if let Some(better) = walk.climb(&tree, best.1) {
            best = better;
            let weights = worst_weights(goal.utility, &gains(&best.0));
            let before: f64 = weights.iter().zip(&baseline).map(|(w, b)| w * b).sum();
            let answer =
                allocation::solve(problem, &Weighted::by(surface, goal, weights), &best.0)?;
            evaluations += answer.evaluations;
            if goal.utility != Utility::BeatsCurrent {
                bound = bound.min(answer.bound - before + price * now);
            }
        }
    }
    Ok(Allocation {
        amounts: best.0,
        value: best.1,
        bound: bound.max(best.1),
        evaluations,
        method: mean.method,
    })
}

/// The best of some points between two, when it is better than the first.
fn climb(
    from: &(Vec<f64>, f64),
    to: &[f64],
    value: &dyn Fn(&[f64]) -> f64,
) -> Option<(Vec<f64>, f64)> {
    let mut best: Option<(Vec<f64>, f64)> = None;
    let mut share = 1.0;
    for _ in 0..14 {
        let x: Vec<f64> = from
            .0
            .iter()
            .zip(to)
            .map(|(a, b)| a + share * (b - a))
            .collect();
        let at = value(&x);
        let beaten = best.as_ref().map_or(from.1, |(_, best)| *best);
        if at > beaten {
            best = Some((x, at));
        } else if best.is_some() {
            break;
        }
        share *= 0.6;
    }
    let risen = |(_, at): &(Vec<f64>, f64)| at - from.1 > 1e-12 * from.1.abs();
    best.filter(risen)
}

/// The gain of each draw.
pub(super) fn gains(draws: &[f64], baseline: &[f64]) -> Vec<f64> {
    draws.iter().zip(baseline).map(|(f, b)| f - b).collect()
}

fn average(draws: &[f64]) -> f64 {
    draws.iter().sum::<f64>() / draws.len().max(1) as f64
}

fn deviation(draws: &[f64]) -> f64 {
    let mean = average(draws);
    let squares: f64 = draws.iter().map(|f| (f - mean) * (f - mean)).sum();
    (squares / draws.len().max(1) as f64).sqrt()
}

/// The utility of gains known in draws.
pub(super) fn utility(kind: Utility, gains: &[f64]) -> f64 {
    match kind {
        Utility::Mean => average(gains),
        Utility::MeanSd(k) => average(gains) - k * deviation(gains),
        Utility::Cvar(share) => {
            let weights = tail(gains, share);
            gains.iter().zip(&weights).map(|(f, w)| f * w).sum()
        }
        Utility::BeatsCurrent => {
            let better = gains.iter().filter(|gain| **gain > 0.0).count();
            better as f64 / gains.len().max(1) as f64
        }
    }
}

/// The weighting at which the weighted mean is the utility; for a probability, its gradient.
fn worst_weights(kind: Utility, gains: &[f64]) -> Vec<f64> {
    let n = gains.len() as f64;
    let even = || vec![1.0 / n; gains.len()];
    match kind {
        Utility::Mean => even(),
        Utility::MeanSd(k) => {
            let (mean, sd) = (average(gains), deviation(gains));
            if sd <= 0.0 {
                return even();
            }
            let weight = |f: &f64| 1.0 / n - k * (f - mean) / (n * sd);
            gains.iter().map(weight).collect()
        }
        Utility::Cvar(share) => tail(gains, share),
        Utility::BeatsCurrent => {
            let width = gains.iter().map(|a| a.abs()).sum::<f64>() / n;
            smooth_step(gains, 0.5 * width)
        }
    }
}

/// 1/(αD) on the worst α of the draws, the draw at the border in part.
fn tail(draws: &[f64], share: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..draws.len()).collect();
    order.sort_by(|a, b| draws[*a].total_cmp(&draws[*b]));
    let (mut left, most) = (1.0, 1.0 / (share * draws.len() as f64));
    let mut weights = vec![0.0; draws.len()];
    for d in order {
        weights[d] = most.min(left);
        left -= weights[d];
        if left <= 0.0 {
            break;
        }
    }
    weights
}

/// The derivative of a logistic step of the given width, normalised.
fn smooth_step(ahead: &[f64], width: f64) -> Vec<f64> {
    let even = 1.0 / ahead.len() as f64;
    if width <= 0.0 {
        return vec![even; ahead.len()];
    }
    let density = |a: &f64| {
        let half = (0.5 * a / width).cosh();
        1.0 / (half * half)
    };
    let weights: Vec<f64> = ahead.iter().map(density).collect();
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        weights.iter().map(|w| w / sum).collect()
    } else {
        vec![even; ahead.len()]
    }
}
