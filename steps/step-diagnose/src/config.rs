//! Limits of the checks.

use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits. A value between a limit and its `fail_` twin asks for a review.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Rank-normalised split R-hat of any parameter, at most (Vehtari et al. 2021).
    pub r_hat: f64,
    /// R-hat beyond which the fit fails.
    pub fail_r_hat: f64,
    /// Bulk and tail effective sample size of any parameter, at least.
    pub ess: f64,
    /// Effective sample size below which the fit fails.
    pub fail_ess: f64,
    /// Share of divergent draws beyond which the fit fails; any divergence asks for a review.
    pub fail_divergences: f64,
    /// E-BFMI of any chain, at least (Betancourt 2016).
    pub e_bfmi: f64,
    /// Share of draws cut at the greatest depth, at most.
    pub depth_share: f64,
    /// Share of observations with Pareto k above 0.7, at most.
    pub pareto_k_share: f64,
    /// The 90 % predictive interval covers at least this share of the fitted outcomes.
    pub coverage: f64,
    /// Coverage below which the fit fails.
    pub fail_coverage: f64,
    /// Posterior predictive p-values stay this far from 0 and 1.
    pub p_value: f64,
    /// Absolute lag-one autocorrelation of residuals, at most.
    pub autocorrelation: f64,
    /// Probability of a negative baseline, at most.
    pub negative_baseline: f64,
    /// Probability of a negative baseline beyond which the fit fails.
    pub fail_negative_baseline: f64,
    /// Lowest and highest plausible ROAS of a channel, where outcome and spend share a currency.
    pub roas: [f64; 2],
    /// A parameter whose posterior is at least this wide, as a share of its prior, was not learned.
    pub prior_shift: f64,
    /// Mean absolute percentage error on the holdout, at most.
    pub holdout_error: f64,
    /// Error on the holdout beyond which the fit fails.
    pub fail_holdout_error: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            r_hat: 1.01,
            fail_r_hat: 1.05,
            ess: 400.0,
            fail_ess: 100.0,
            fail_divergences: 0.01,
            e_bfmi: 0.3,
            depth_share: 0.05,
            pareto_k_share: 0.05,
            coverage: 0.82,
            fail_coverage: 0.6,
            p_value: 0.01,
            autocorrelation: 0.4,
            negative_baseline: 0.2,
            fail_negative_baseline: 0.8,
            roas: [0.05, 20.0],
            prior_shift: 0.95,
            holdout_error: 0.15,
            fail_holdout_error: 0.5,
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let ordered = [
            ("r_hat", self.r_hat, self.fail_r_hat),
            ("ess", self.fail_ess, self.ess),
            ("coverage", self.fail_coverage, self.coverage),
            (
                "negative_baseline",
                self.negative_baseline,
                self.fail_negative_baseline,
            ),
            ("holdout_error", self.holdout_error, self.fail_holdout_error),
            ("roas", self.roas[0], self.roas[1]),
        ];
        for (key, low, high) in ordered {
            if !(low.is_finite() && low <= high) {
                let text =
                    format!("the limits of `{key}` are the wrong way round: {low} and {high}");
                return Err(StepError::config(text));
            }
        }
        Ok(())
    }
}
