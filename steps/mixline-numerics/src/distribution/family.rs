//! The distributions by name, with the order, domain and meaning of their parameters.

use serde::{Deserialize, Serialize};

use crate::transform::Transform;

/// Parameters of one distribution, in the order of [`Family::parameter_names`]; the rest is 0.
pub type Parameters = [f64; 4];

/// A distribution of one real variable, parametrised as in PyMC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Family {
    /// Normal(mu, sigma).
    Normal,
    /// |Normal(0, sigma)|.
    HalfNormal,
    /// log x ~ Normal(mu, sigma).
    LogNormal,
    /// Gamma(alpha, beta): shape and rate.
    Gamma,
    /// Beta(alpha, beta).
    Beta,
    /// Laplace(mu, b): location and scale.
    Laplace,
    /// StudentT(nu, mu, sigma): degrees of freedom, location, scale.
    StudentT,
    /// InverseGamma(alpha, beta): shape and scale.
    InverseGamma,
    /// Exponential(lam): rate.
    Exponential,
    /// Normal(mu, sigma) cut to lower < x < upper.
    TruncatedNormal,
    /// Uniform(lower, upper).
    Uniform,
}

/// A distribution whose parameters make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// Too few or too many.
    #[error("{family} takes the parameters {expected}, but {got} were given")]
    Count {
        /// Which distribution.
        family: &'static str,
        /// Names, with commas.
        expected: String,
        /// How many were given.
        got: usize,
    },
    /// Outside its domain.
    #[error("{family} needs `{name}` {rule}, but it is {value}")]
    Domain {
        /// Which distribution.
        family: &'static str,
        /// Which parameter.
        name: &'static str,
        /// The domain, in words.
        rule: &'static str,
        /// What was given.
        value: f64,
    },
}

impl Family {
    /// Every distribution.
    pub const ALL: [Self; 11] = [
        Self::Normal,
        Self::HalfNormal,
        Self::LogNormal,
        Self::Gamma,
        Self::Beta,
        Self::Laplace,
        Self::StudentT,
        Self::InverseGamma,
        Self::Exponential,
        Self::TruncatedNormal,
        Self::Uniform,
    ];

    /// The name, as PyMC writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::HalfNormal => "HalfNormal",
            Self::LogNormal => "LogNormal",
            Self::Gamma => "Gamma",
            Self::Beta => "Beta",
            Self::Laplace => "Laplace",
            Self::StudentT => "StudentT",
            Self::InverseGamma => "InverseGamma",
            Self::Exponential => "Exponential",
            Self::TruncatedNormal => "TruncatedNormal",
            Self::Uniform => "Uniform",
        }
    }

    /// Names of the parameters, in order.
    #[must_use]
    pub fn parameter_names(self) -> &'static [&'static str] {
        match self {
            Self::Normal | Self::LogNormal => &["mu", "sigma"],
            Self::HalfNormal => &["sigma"],
            Self::Gamma | Self::Beta | Self::InverseGamma => &["alpha", "beta"],
            Self::Laplace => &["mu", "b"],
            Self::StudentT => &["nu", "mu", "sigma"],
            Self::Exponential => &["lam"],
            Self::TruncatedNormal => &["mu", "sigma", "lower", "upper"],
            Self::Uniform => &["lower", "upper"],
        }
    }

    /// Checks count and domains.
    pub(super) fn check(self, given: &[f64]) -> Result<Parameters, ParameterError> {
        let names = self.parameter_names();
        if given.len() != names.len() {
            return Err(ParameterError::Count {
                family: self.name(),
                expected: names.join(", "),
                got: given.len(),
            });
        }
        let bounded = matches!(self, Self::TruncatedNormal | Self::Uniform);
        for (&name, &value) in names.iter().zip(given) {
            let free = matches!(name, "mu");
            let bound = matches!(name, "lower" | "upper");
            let (holds, rule) = if bound {
                let open = self == Self::TruncatedNormal;
                (
                    !value.is_nan() && (open || value.is_finite()),
                    "to be a number",
                )
            } else if free {
                (value.is_finite(), "finite")
            } else {
                (value.is_finite() && value > 0.0, "finite and above 0")
            };
            if !holds {
                return Err(self.outside(name, rule, value));
            }
        }
        let mut parameters = Parameters::default();
        parameters[..given.len()].copy_from_slice(given);
        if bounded {
            let [lower, upper] = self.bounds(&parameters);
            if lower >= upper {
                return Err(self.outside("lower", "below `upper`", lower));
            }
        }
        Ok(parameters)
    }

    fn outside(self, name: &'static str, rule: &'static str, value: f64) -> ParameterError {
        ParameterError::Domain {
            family: self.name(),
            name,
            rule,
            value,
        }
    }

    /// Ends of the support.
    pub(super) fn bounds(self, p: &Parameters) -> [f64; 2] {
        match self {
            Self::Normal | Self::Laplace | Self::StudentT => [f64::NEG_INFINITY, f64::INFINITY],
            Self::HalfNormal
            | Self::LogNormal
            | Self::Gamma
            | Self::InverseGamma
            | Self::Exponential => [0.0, f64::INFINITY],
            Self::Beta => [0.0, 1.0],
            Self::TruncatedNormal => [p[2], p[3]],
            Self::Uniform => [p[0], p[1]],
        }
    }

    /// Whether x lies in the support.
    #[inline]
    pub(super) fn supports(self, x: f64, p: &Parameters) -> bool {
        let [lower, upper] = self.bounds(p);
        lower <= x && x <= upper
    }

    /// The transform from the whole real line to the support.
    #[must_use]
    pub fn transform(self, p: &Parameters) -> Transform {
        match self.bounds(p) {
            [lower, upper] if lower.is_finite() && upper.is_finite() => {
                Transform::Interval { lower, upper }
            }
            [0.0, _] => Transform::Log,
            [lower, _] if lower.is_finite() => Transform::LowerBound { lower },
            [_, upper] if upper.is_finite() => Transform::UpperBound { upper },
            _ => Transform::Identity,
        }
    }
}
