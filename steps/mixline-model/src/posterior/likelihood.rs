//! The likelihood of one geo's residuals.

use mixline_numerics::distribution::Family as Distributions;
use mixline_numerics::lanes::dot;
use mixline_numerics::normal;

use crate::spec::Family;

/// Scale and form of the scatter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scatter {
    pub family: Family,
    pub sigma: f64,
    /// Degrees of freedom of a Student-t.
    pub nu: f64,
}

/// log p of the residuals and its derivatives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Score {
    pub log_density: f64,
    pub sigma: f64,
    pub nu: f64,
}

/// log √(2π).
pub(super) const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;

impl Scatter {
    /// log p, ∂/∂σ and ∂/∂ν; ∂/∂μ goes to `slope`, cell by cell.
    ///
    /// `residual` = y − μ where the mask is 1, else 0; `fitted` counts the ones.
    #[inline(always)]
    pub(super) fn score(
        &self,
        outcome: &[f64],
        residual: &[f64],
        mask: &[f64],
        fitted: f64,
        slope: &mut [f64],
    ) -> Score {
        match self.family {
            Family::Normal => self.normal(residual, fitted, slope),
            Family::StudentT => self.student(residual, fitted, slope),
            Family::TruncatedNormal => self.truncated(outcome, residual, mask, fitted, slope),
        }
    }

    /// −n log σ√(2π) − Σ r² / 2σ².
    #[inline(always)]
    fn normal(&self, residual: &[f64], fitted: f64, slope: &mut [f64]) -> Score {
        let precision = 1.0 / (self.sigma * self.sigma);
        for (slope, r) in slope.iter_mut().zip(residual) {
            *slope = r * precision;
        }
        let squares = dot(residual, residual) * precision;
        Score {
            log_density: -fitted * (libm::log(self.sigma) + LN_SQRT_TAU) - 0.5 * squares,
            sigma: (squares - fitted) / self.sigma,
            nu: 0.0,
        }
    }

    /// Every cell's constant, and −(ν + 1)/2 Σ log(1 + r²/νσ²).
    fn student(&self, residual: &[f64], fitted: f64, slope: &mut [f64]) -> Score {
        let (nu, sigma) = (self.nu, self.sigma);
        let constant = Distributions::StudentT.score(0.0, &[nu, 0.0, sigma, 0.0]);
        let (mut logs, mut weighted) = (0.0, 0.0);
        for (slope, r) in slope.iter_mut().zip(residual) {
            let z = r / sigma;
            let weight = (nu + 1.0) / (nu + z * z);
            *slope = weight * z / sigma;
            logs += libm::log1p(z * z / nu);
            weighted += weight * z * z;
        }
        Score {
            log_density: fitted * constant.log_density - 0.5 * (nu + 1.0) * logs,
            sigma: (weighted - fitted) / sigma,
            nu: fitted * constant.parameter_slopes[0] + 0.5 * (weighted / nu - logs),
        }
    }

    /// The Normal, less log Φ(μ/σ) in every cell: the outcome is never below 0.
    fn truncated(
        &self,
        outcome: &[f64],
        residual: &[f64],
        mask: &[f64],
        fitted: f64,
        slope: &mut [f64],
    ) -> Score {
        let mut score = self.normal(residual, fitted, slope);
        for (t, slope) in slope.iter_mut().enumerate().filter(|&(t, _)| mask[t] > 0.0) {
            let m = (outcome[t] - residual[t]) / self.sigma;
            let mass = normal::cdf(m).max(1e-300);
            let hazard = libm::exp(-0.5 * m * m - LN_SQRT_TAU) / mass;
            score.log_density -= libm::log(mass);
            *slope -= hazard / self.sigma;
            score.sigma += hazard * m / self.sigma;
        }
        score
    }
}
