//! Leave-one-out prediction from draws: PSIS-LOO and WAIC.
//!
//! Pareto-smoothed importance sampling as of A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry,
//! *Pareto smoothed importance sampling*, JMLR 25, 2024; WAIC as of S. Watanabe, JMLR 11, 2010. The
//! tail's shape is estimated as by J. Zhang and M. Stephens, Technometrics 51(3), 2009. Numbers agree
//! with those of ArviZ.

mod pareto;

/// How well each observation is predicted from the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Loo {
    /// Expected log pointwise predictive density, summed over observations.
    pub elpd: f64,
    /// Its standard error.
    pub se: f64,
    /// Effective number of parameters.
    pub p: f64,
    /// The summands of `elpd`, by observation.
    pub pointwise: Vec<f64>,
    /// Shape of the tail of each observation's weights: above 0.7 its summand cannot be trusted.
    pub pareto_k: Vec<f64>,
}

/// WAIC: the same question, asked with the variance of the log-likelihood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waic {
    /// Expected log pointwise predictive density, summed over observations.
    pub elpd: f64,
    /// Effective number of parameters.
    pub p: f64,
}

/// PSIS-LOO from the log-likelihood of each observation under each draw.
///
/// ```text
/// r_s  = 1 / p(y_i | θ_s), the largest smoothed by a generalized Pareto distribution
/// elpd = Σ_i log Σ_s w_s p(y_i | θ_s),   w_s = r_s / Σ r
/// p    = Σ_i log mean_s p(y_i | θ_s) − elpd
/// ```
///
/// `log_likelihood[i][s]`: observation i, draw s, chains one after another. `relative_efficiency`:
/// mean effective sample size of the parameters by number of draws; 1 for independent draws.
/// Observations without draws give NaN.
#[must_use]
pub fn psis_loo(log_likelihood: &[Vec<f64>], relative_efficiency: f64) -> Loo {
    let (mut pointwise, mut pareto_k, mut lppd) = (Vec::new(), Vec::new(), 0.0);
    for observation in log_likelihood {
        let ratios: Vec<f64> = observation.iter().map(|value| -value).collect();
        let (weights, k) = pareto::smoothed(&ratios, relative_efficiency);
        let terms: Vec<f64> = weights
            .iter()
            .zip(observation)
            .map(|(w, value)| w + value)
            .collect();
        pointwise.push(log_sum_exp(&terms));
        pareto_k.push(k);
        lppd += log_mean_exp(observation);
    }
    let n = pointwise.len() as f64;
    let elpd: f64 = pointwise.iter().sum();
    let squares: f64 = pointwise
        .iter()
        .map(|value| (value - elpd / n).powi(2))
        .sum();
    Loo {
        elpd,
        se: squares.sqrt(),
        p: lppd - elpd,
        pointwise,
        pareto_k,
    }
}

/// WAIC from the log-likelihood of each observation under each draw, as for [`psis_loo`].
///
/// ```text
/// elpd = Σ_i (log mean_s p(y_i | θ_s) − var_s log p(y_i | θ_s))
/// ```
#[must_use]
pub fn waic(log_likelihood: &[Vec<f64>]) -> Waic {
    let variance = |values: &Vec<f64>| {
        let n = values.len() as f64;
        let center = values.iter().sum::<f64>() / n;
        values
            .iter()
            .map(|value| (value - center).powi(2))
            .sum::<f64>()
            / n
    };
    let p: f64 = log_likelihood.iter().map(variance).sum();
    let lppd: f64 = log_likelihood
        .iter()
        .map(|values| log_mean_exp(values))
        .sum();
    Waic { elpd: lppd - p, p }
}

/// `log Σ exp(x)` without overflow.
fn log_sum_exp(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most.is_infinite() {
        return most;
    }
    most + values
        .iter()
        .map(|value| (value - most).exp())
        .sum::<f64>()
        .ln()
}

fn log_mean_exp(values: &[f64]) -> f64 {
    log_sum_exp(values) - (values.len() as f64).ln()
}
