//! Log-densities and their derivatives.

use std::f64::consts::{LN_2, PI};

use super::family::{Family, Parameters};
use super::gamma::{digamma, ln_gamma};
use crate::normal;

/// log p(x | parameters) with its derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// log p.
    pub log_density: f64,
    /// ∂ log p / ∂x.
    pub slope: f64,
    /// ∂ log p / ∂ each parameter, in the order of [`Family::parameter_names`].
    pub parameter_slopes: Parameters,
}

/// log √(2π).
const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;

impl Family {
    /// log p with derivatives also with respect to the parameters, for hierarchies.
    ///
    /// Domain: `x` in the support and the parameters in theirs; elsewhere log p is −∞ and the
    /// derivatives are 0.
    #[must_use]
    pub fn score(self, x: f64, p: &Parameters) -> Score {
        if self.check(&p[..self.parameter_names().len()]).is_err() || !self.supports(x, p) {
            return Score {
                log_density: f64::NEG_INFINITY,
                ..Score::default()
            };
        }
        let (kernel, slope) = self.kernel(x, p);
        Score {
            log_density: kernel + self.log_normalizer(p),
            slope,
            parameter_slopes: self.parameter_slopes(x, p),
        }
    }

    /// The part of log p that depends on x, and its derivative.
    ///
    /// The Laplace density has a kink at its location; the derivative there is taken as 0.
    #[inline]
    pub(super) fn kernel(self, x: f64, p: &Parameters) -> (f64, f64) {
        match self {
            Self::Normal | Self::TruncatedNormal => quadratic((x - p[0]) / p[1], p[1]),
            Self::HalfNormal => quadratic(x / p[0], p[0]),
            Self::LogNormal => {
                let log = libm::log(x);
                let (value, slope) = quadratic((log - p[0]) / p[1], p[1]);
                (value - log, (slope - 1.0) / x)
            }
            Self::Gamma => {
                let value = (p[0] - 1.0) * libm::log(x) - p[1] * x;
                (value, (p[0] - 1.0) / x - p[1])
            }
            Self::Beta => {
                let value = (p[0] - 1.0) * libm::log(x) + (p[1] - 1.0) * libm::log1p(-x);
                (value, (p[0] - 1.0) / x - (p[1] - 1.0) / (1.0 - x))
            }
            Self::Laplace => {
                let z = (x - p[0]) / p[1];
                (-z.abs(), -sign(z) / p[1])
            }
            Self::StudentT => {
                let (nu, z) = (p[0], (x - p[1]) / p[2]);
                let value = -(nu + 1.0) / 2.0 * libm::log1p(z * z / nu);
                (value, -(nu + 1.0) * z / ((nu + z * z) * p[2]))
            }
            Self::InverseGamma => {
                let value = -(p[0] + 1.0) * libm::log(x) - p[1] / x;
                (value, -(p[0] + 1.0) / x + p[1] / (x * x))
            }
            Self::Exponential => (-p[0] * x, -p[0]),
            Self::Uniform => (0.0, 0.0),
        }
    }

    /// The part of log p that does not depend on x.
    pub(super) fn log_normalizer(self, p: &Parameters) -> f64 {
        match self {
            Self::Normal | Self::LogNormal => -LN_SQRT_TAU - libm::log(p[1]),
            Self::HalfNormal => LN_2 - LN_SQRT_TAU - libm::log(p[0]),
            Self::Gamma | Self::InverseGamma => p[0] * libm::log(p[1]) - ln_gamma(p[0]),
            Self::Beta => ln_gamma(p[0] + p[1]) - ln_gamma(p[0]) - ln_gamma(p[1]),
            Self::Laplace => -LN_2 - libm::log(p[1]),
            Self::StudentT => {
                let nu = p[0];
                ln_gamma((nu + 1.0) / 2.0)
                    - ln_gamma(nu / 2.0)
                    - 0.5 * libm::log(nu * PI)
                    - libm::log(p[2])
            }
            Self::Exponential => libm::log(p[0]),
            Self::TruncatedNormal => {
                -LN_SQRT_TAU - libm::log(p[1]) - libm::log(normal_mass(p).mass)
            }
            Self::Uniform => -libm::log(p[1] - p[0]),
        }
    }

    fn parameter_slopes(self, x: f64, p: &Parameters) -> Parameters {
        match self {
            Self::Normal => {
                let z = (x - p[0]) / p[1];
                [z / p[1], (z * z - 1.0) / p[1], 0.0, 0.0]
            }
            Self::HalfNormal => {
                let z = x / p[0];
                [(z * z - 1.0) / p[0], 0.0, 0.0, 0.0]
            }
            Self::LogNormal => {
                let z = (libm::log(x) - p[0]) / p[1];
                [z / p[1], (z * z - 1.0) / p[1], 0.0, 0.0]
            }
            Self::Gamma => {
                let shape = libm::log(p[1]) - digamma(p[0]) + libm::log(x);
                [shape, p[0] / p[1] - x, 0.0, 0.0]
            }
            Self::Beta => {
                let both = digamma(p[0] + p[1]);
                let alpha = both - digamma(p[0]) + libm::log(x);
                [alpha, both - digamma(p[1]) + libm::log1p(-x), 0.0, 0.0]
            }
            Self::Laplace => {
                let z = (x - p[0]) / p[1];
                [sign(z) / p[1], (z.abs() - 1.0) / p[1], 0.0, 0.0]
            }
            Self::StudentT => student_slopes(x, p),
            Self::InverseGamma => {
                let shape = libm::log(p[1]) - digamma(p[0]) - libm::log(x);
                [shape, p[0] / p[1] - 1.0 / x, 0.0, 0.0]
            }
            Self::Exponential => [1.0 / p[0] - x, 0.0, 0.0, 0.0],
            Self::TruncatedNormal => truncated_slopes(x, p),
            Self::Uniform => {
                let density = 1.0 / (p[1] - p[0]);
                [density, -density, 0.0, 0.0]
            }
        }
    }
}

#[inline]
fn quadratic(z: f64, scale: f64) -> (f64, f64) {
    (-0.5 * z * z, -z / scale)
}

/// The sign, with 0 for 0.
fn sign(z: f64) -> f64 {
    if z == 0.0 { 0.0 } else { z.signum() }
}

fn student_slopes(x: f64, p: &Parameters) -> Parameters {
    let [nu, mu, sigma, _] = *p;
    let z = (x - mu) / sigma;
    let square = z * z;
    let weight = (nu + 1.0) / (nu + square);
    let freedom = 0.5
        * (digamma((nu + 1.0) / 2.0) - digamma(nu / 2.0) - 1.0 / nu - libm::log1p(square / nu)
            + weight * square / nu);
    [
        freedom,
        weight * z / sigma,
        (weight * square - 1.0) / sigma,
        0.0,
    ]
}

/// The share of a Normal between its cuts, with the densities at the cuts.
struct Mass {
    mass: f64,
    lower: f64,
    upper: f64,
    lower_density: f64,
    upper_density: f64,
}

fn normal_mass(p: &Parameters) -> Mass {
    let (lower, upper) = ((p[2] - p[0]) / p[1], (p[3] - p[0]) / p[1]);
    // Far out on the right the distribution function is 1 to the last bit: use the left tail.
    let mass = if lower > 0.0 {
        normal::cdf(-lower) - normal::cdf(-upper)
    } else {
        normal::cdf(upper) - normal::cdf(lower)
    };
    let density = |z: f64| {
        if z.is_finite() {
            libm::exp(-0.5 * z * z - LN_SQRT_TAU)
        } else {
            0.0
        }
    };
    Mass {
        mass,
        lower,
        upper,
        lower_density: density(lower),
        upper_density: density(upper),
    }
}

fn truncated_slopes(x: f64, p: &Parameters) -> Parameters {
    let z = (x - p[0]) / p[1];
    let cut = normal_mass(p);
    let moment = |z: f64, density: f64| if z.is_finite() { z * density } else { 0.0 };
    let scale = p[1] * cut.mass;
    let mu = z / p[1] + (cut.upper_density - cut.lower_density) / scale;
    let sigma = (z * z - 1.0) / p[1]
        + (moment(cut.upper, cut.upper_density) - moment(cut.lower, cut.lower_density)) / scale;
    [
        mu,
        sigma,
        cut.lower_density / scale,
        -cut.upper_density / scale,
    ]
}
