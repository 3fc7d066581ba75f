//! Rank normalization: draws become normal scores of their ranks, so that a diagnostic is defined
//! for heavy tails, too.

use super::chains::Chains;
use super::interval::quantile;
use crate::normal;

/// Blom's offset.
const OFFSET: f64 = 3.0 / 8.0;

/// Normal scores of the ranks over all chains; equal draws share their mean rank.
///
/// ```text
/// z = Φ⁻¹((rank − 3/8) / (n + 1/4))
/// ```
pub(super) fn scores(chains: &Chains) -> Chains {
    let draws: Vec<f64> = chains.draws().collect();
    let mut order: Vec<usize> = (0..draws.len()).collect();
    order.sort_by(|a, b| draws[*a].total_cmp(&draws[*b]));
    let mut scores = vec![0.0; draws.len()];
    let mut start = 0;
    while start < order.len() {
        let value = draws[order[start]];
        let tied = order[start..]
            .iter()
            .take_while(|at| draws[**at] == value)
            .count();
        // Ranks from 1: the mean of start + 1 … start + tied.
        let rank = start as f64 + (tied as f64 + 1.0) / 2.0;
        let score = normal::quantile((rank - OFFSET) / (draws.len() as f64 + 1.0 - 2.0 * OFFSET));
        for at in &order[start..start + tied] {
            scores[*at] = score;
        }
        start += tied;
    }
    chains.refilled(&scores)
}

/// Distances from the median: what is far out on either side becomes large.
pub(super) fn folded(chains: &Chains) -> Chains {
    let draws: Vec<f64> = chains.draws().collect();
    let median = quantile(&draws, 0.5);
    chains.map(|draw| (draw - median).abs())
}
