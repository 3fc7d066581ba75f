//! Means, standard deviations, draws, and parameters from a mean and a standard deviation.

use std::f64::consts::PI;

use rand_distr::Distribution as _;

use super::Distribution;
use super::family::{Family, ParameterError, Parameters};
use crate::normal;
use crate::random::{Stream, standard_normal, uniform};

impl Family {
    /// The distribution of this family with the given mean and standard deviation.
    ///
    /// ```text
    /// Gamma         alpha = m²/s²,  beta = m/s²
    /// Beta          alpha = m κ,  beta = (1 − m) κ,  κ = m (1 − m)/s² − 1
    /// InverseGamma  alpha = m²/s² + 2,  beta = m (m²/s² + 1)
    /// LogNormal     sigma² = log(1 + s²/m²),  mu = log m − sigma²/2
    /// ```
    ///
    /// `None` for families that PyMC does not parametrise so.
    ///
    /// # Errors
    /// [`ParameterError`] when no such distribution exists, for example a Beta with mean above 1.
    pub fn from_mean_and_sd(
        self,
        mean: f64,
        sd: f64,
    ) -> Option<Result<Distribution, ParameterError>> {
        let ratio = mean * mean / (sd * sd);
        let parameters = match self {
            Self::Gamma => [ratio, mean / (sd * sd)],
            Self::Beta => {
                let kappa = mean * (1.0 - mean) / (sd * sd) - 1.0;
                [mean * kappa, (1.0 - mean) * kappa]
            }
            Self::InverseGamma => [ratio + 2.0, mean * (ratio + 1.0)],
            Self::LogNormal => {
                let variance = libm::log1p(1.0 / ratio);
                [libm::log(mean) - variance / 2.0, libm::sqrt(variance)]
            }
            _ => return None,
        };
        Some(Distribution::new(self, &parameters))
    }

    pub(super) fn mean(self, p: &Parameters) -> f64 {
        match self {
            Self::Normal | Self::Laplace => p[0],
            Self::HalfNormal => p[0] * (2.0 / PI).sqrt(),
            Self::LogNormal => libm::exp(p[0] + p[1] * p[1] / 2.0),
            Self::Gamma => p[0] / p[1],
            Self::Beta => p[0] / (p[0] + p[1]),
            Self::StudentT => when(p[0] > 1.0, p[1]),
            Self::InverseGamma => when(p[0] > 1.0, p[1] / (p[0] - 1.0)),
            Self::Exponential => 1.0 / p[0],
            Self::TruncatedNormal => truncated_moments(p).0,
            Self::Uniform => (p[0] + p[1]) / 2.0,
        }
    }

    pub(super) fn sd(self, p: &Parameters) -> f64 {
        match self {
            Self::Normal => p[1],
            Self::HalfNormal => p[0] * (1.0 - 2.0 / PI).sqrt(),
            Self::LogNormal => self.mean(p) * libm::sqrt(libm::expm1(p[1] * p[1])),
            Self::Gamma => p[0].sqrt() / p[1],
            Self::Beta => {
                let total = p[0] + p[1];
                (p[0] * p[1] / (total + 1.0)).sqrt() / total
            }
            Self::Laplace => p[1] * std::f64::consts::SQRT_2,
            Self::StudentT => when(p[0] > 2.0, p[2] * (p[0] / (p[0] - 2.0)).sqrt()),
            Self::InverseGamma => when(p[0] > 2.0, self.mean(p) / (p[0] - 2.0).sqrt()),
            Self::Exponential => 1.0 / p[0],
            Self::TruncatedNormal => truncated_moments(p).1,
            Self::Uniform => (p[1] - p[0]) / 12f64.sqrt(),
        }
    }

    pub(super) fn sample(self, p: &Parameters, rng: &mut Stream) -> f64 {
        match self {
            Self::Normal => p[0] + p[1] * standard_normal(rng),
            Self::HalfNormal => p[0] * standard_normal(rng).abs(),
            Self::LogNormal => libm::exp(p[0] + p[1] * standard_normal(rng)),
            Self::Gamma => gamma(p[0], rng) / p[1],
            Self::Beta => {
                let (a, b) = (gamma(p[0], rng), gamma(p[1], rng));
                if a + b > 0.0 { a / (a + b) } else { 0.5 }
            }
            Self::Laplace => {
                let u = uniform(rng) - 0.5;
                p[0] - p[1] * u.signum() * libm::log1p(-2.0 * u.abs())
            }
            Self::StudentT => {
                let chi_square = 2.0 * gamma(p[0] / 2.0, rng);
                p[1] + p[2] * standard_normal(rng) / (chi_square / p[0]).sqrt()
            }
            Self::InverseGamma => p[1] / gamma(p[0], rng),
            Self::Exponential => -libm::log1p(-uniform(rng)) / p[0],
            Self::TruncatedNormal => {
                let below = normal::cdf((p[2] - p[0]) / p[1]);
                let above = normal::cdf((p[3] - p[0]) / p[1]);
                let u = below + (above - below) * uniform(rng);
                (p[0] + p[1] * normal::quantile(u)).clamp(p[2], p[3])
            }
            Self::Uniform => p[0] + (p[1] - p[0]) * uniform(rng),
        }
    }
}

fn when(exists: bool, value: f64) -> f64 {
    if exists { value } else { f64::NAN }
}

/// A standard gamma draw of the given shape; 0 for a shape the generator refuses.
fn gamma(shape: f64, rng: &mut Stream) -> f64 {
    rand_distr::Gamma::new(shape, 1.0).map_or(0.0, |gamma| gamma.sample(rng))
}

/// Mean and standard deviation of a truncated Normal (Johnson, Kotz, Balakrishnan, ch. 13).
fn truncated_moments(p: &Parameters) -> (f64, f64) {
    let (a, b) = ((p[2] - p[0]) / p[1], (p[3] - p[0]) / p[1]);
    let density = |z: f64| {
        if z.is_finite() {
            libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt()
        } else {
            0.0
        }
    };
    let moment = |z: f64| if z.is_finite() { z * density(z) } else { 0.0 };
    let mass = normal::cdf(b) - normal::cdf(a);
    let shift = (density(a) - density(b)) / mass;
    let variance = 1.0 + (moment(a) - moment(b)) / mass - shift * shift;
    (p[0] + p[1] * shift, p[1] * variance.max(0.0).sqrt())
}
