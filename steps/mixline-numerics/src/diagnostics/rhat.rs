//! Rank-normalized split R-hat.

use super::chains::{Chains, mean, variance};
use super::rank::{folded, scores};

/// The potential scale reduction factor: the larger of the rank-normalized split R-hat of the draws
/// (do the chains agree on the location?) and of the folded draws (on the scale?).
///
/// ```text
/// W  = mean of the chains' variances
/// B  = n · variance of the chains' means
/// R̂ = √((B / W + n − 1) / n)
/// ```
///
/// over half chains of n draws. Near 1 when the chains agree; above 1.01 they do not. NaN when no
/// draw differs from another.
#[must_use]
pub fn rhat(chains: &Chains) -> f64 {
    let halves = chains.split();
    let location = plain(&scores(&halves));
    let scale = plain(&scores(&folded(&halves)));
    location.max(scale)
}

fn plain(chains: &Chains) -> f64 {
    let n = chains.chains()[0].len() as f64;
    let means: Vec<f64> = chains.chains().iter().map(|chain| mean(chain)).collect();
    let variances: Vec<f64> = chains
        .chains()
        .iter()
        .map(|chain| variance(chain))
        .collect();
    let between = n * variance(&means);
    ((between / mean(&variances) + n - 1.0) / n).sqrt()
}
