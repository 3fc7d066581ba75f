//! Effective sample sizes: how many independent draws would be as precise.

use super::chains::{Chains, mean, variance};
use super::interval::quantile;
use super::rank::scores;

/// Effective sample size of the middle of the distribution: of the rank-normalized split chains.
#[must_use]
pub fn ess_bulk(chains: &Chains) -> f64 {
    ess(&scores(&chains.split()))
}

/// Effective sample size of the tails: the smaller one of the 5 % and the 95 % quantile.
#[must_use]
pub fn ess_tail(chains: &Chains) -> f64 {
    ess_quantile(chains, 0.05).min(ess_quantile(chains, 0.95))
}

/// Effective sample size of the estimate of a quantile: of the indicator of lying at or below it.
#[must_use]
pub fn ess_quantile(chains: &Chains, p: f64) -> f64 {
    let draws: Vec<f64> = chains.draws().collect();
    let limit = quantile(&draws, p);
    ess(&chains
        .map(|draw| f64::from(u8::from(draw <= limit)))
        .split())
}

/// Effective sample size of the estimate of the mean.
#[must_use]
pub fn ess_mean(chains: &Chains) -> f64 {
    ess(&chains.split())
}

/// Effective sample size of the estimate of the standard deviation: of the squared distances from
/// the mean.
#[must_use]
pub fn ess_sd(chains: &Chains) -> f64 {
    let draws: Vec<f64> = chains.draws().collect();
    let center = mean(&draws);
    ess(&chains.map(|draw| (draw - center).powi(2)).split())
}

/// Monte Carlo standard error of the mean: `sd / √ESS`.
#[must_use]
pub fn mcse_mean(chains: &Chains) -> f64 {
    let draws: Vec<f64> = chains.draws().collect();
    (variance(&draws) / ess_mean(chains)).sqrt()
}

/// The estimator: sums of autocorrelations over all chains, cut off and made monotone as Geyer's
/// initial monotone sequence.
///
/// ```text
/// ρ_t = 1 − (W − mean of the chains' autocovariances at t) / var⁺
/// τ   = −1 + 2 Σ ρ_t
/// ESS = m n / τ, at most m n log₁₀(m n)
/// ```
///
/// Draws that do not differ count as independent.
fn ess(chains: &Chains) -> f64 {
    let total = chains.len() as f64;
    let (low, high) = chains
        .draws()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), draw| {
            (low.min(draw), high.max(draw))
        });
    if high <= low {
        return total;
    }
    let correlations = Correlations::of(chains);
    let tau = monotone_sum(&correlations);
    total / tau.max(1.0 / total.log10())
}

/// Autocorrelations of all chains together, by lag.
struct Correlations<'a> {
    chains: Vec<(&'a [f64], f64)>,
    within: f64,
    pooled: f64,
    n: usize,
}

impl<'a> Correlations<'a> {
    fn of(chains: &'a Chains) -> Self {
        let n = chains.chains()[0].len();
        let centered: Vec<(&[f64], f64)> = chains
            .chains()
            .iter()
            .map(|chain| (chain.as_slice(), mean(chain)))
            .collect();
        let means: Vec<f64> = centered.iter().map(|(_, mean)| *mean).collect();
        let variances: Vec<f64> = chains
            .chains()
            .iter()
            .map(|chain| variance(chain))
            .collect();
        let within = mean(&variances);
        let spread = if means.len() > 1 {
            variance(&means)
        } else {
            0.0
        };
        let pooled = within * (n as f64 - 1.0) / n as f64 + spread;
        Self {
            chains: centered,
            within,
            pooled,
            n,
        }
    }

    /// The autocorrelation at a lag; the autocovariance has divisor `n`.
    fn at(&self, lag: usize) -> f64 {
        let covariance = |(chain, center): &(&[f64], f64)| {
            let products = chain.iter().zip(&chain[lag..]);
            products
                .map(|(a, b)| (a - center) * (b - center))
                .sum::<f64>()
                / self.n as f64
        };
        let covariances: Vec<f64> = self.chains.iter().map(covariance).collect();
        1.0 - (self.within - mean(&covariances)) / self.pooled
    }
}

/// −1 + 2 Σ ρ over pairs of lags as long as a pair's sum is positive, no pair's sum above the one
/// before it.
fn monotone_sum(correlations: &Correlations<'_>) -> f64 {
    let n = correlations.n;
    let (mut even, mut odd) = (1.0, correlations.at(1));
    let mut rho = vec![0.0; n];
    (rho[0], rho[1]) = (even, odd);
    let mut t = 1;
    while t + 3 < n && even + odd > 0.0 {
        (even, odd) = (correlations.at(t + 1), correlations.at(t + 2));
        if even + odd >= 0.0 {
            (rho[t + 1], rho[t + 2]) = (even, odd);
        }
        t += 2;
    }
    let last = t.saturating_sub(2);
    // The first autocorrelation behind the last pair improves the estimate for antithetic chains.
    if even > 0.0 && last + 1 < n {
        rho[last + 1] = even;
    }
    let mut t = 1;
    while t + 2 <= last {
        if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t] {
            rho[t + 1] = (rho[t - 1] + rho[t]) / 2.0;
            rho[t + 2] = rho[t + 1];
        }
        t += 2;
    }
    let pairs: f64 = rho[..=last].iter().sum();
    -1.0 + 2.0 * pairs + rho.get(last + 1).copied().unwrap_or(0.0)
}
