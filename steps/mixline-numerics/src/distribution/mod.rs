//! The usual distributions of one real variable: log-density, its derivatives with respect to the
//! variable and to the parameters, moments, and draws.
//!
//! [`Family`] names a distribution and the order of its parameters; [`Distribution`] is one with
//! its parameters fixed. Parametrisations are those of PyMC, so that priors can be carried over.

mod family;
mod gamma;
mod moments;
mod score;

pub use family::{Family, ParameterError, Parameters};
pub use score::Score;

use crate::random::Stream;
use crate::transform::Transform;

/// A distribution with fixed parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distribution {
    family: Family,
    parameters: Parameters,
    log_normalizer: f64,
}

impl Distribution {
    /// A distribution of `family`; `parameters` in the order of [`Family::parameter_names`].
    ///
    /// # Errors
    /// [`ParameterError`] when a parameter is missing, not finite, or outside its domain.
    pub fn new(family: Family, parameters: &[f64]) -> Result<Self, ParameterError> {
        let parameters = family.check(parameters)?;
        Ok(Self {
            family,
            parameters,
            log_normalizer: family.log_normalizer(&parameters),
        })
    }

    /// Which distribution.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Its parameters, in the order of [`Family::parameter_names`].
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        &self.parameters[..self.family.parameter_names().len()]
    }

    /// log p(x) and d log p / dx; −∞ and 0 outside the support.
    #[inline]
    #[must_use]
    pub fn log_density(&self, x: f64) -> (f64, f64) {
        if !self.family.supports(x, &self.parameters) {
            return (f64::NEG_INFINITY, 0.0);
        }
        let (kernel, slope) = self.family.kernel(x, &self.parameters);
        (kernel + self.log_normalizer, slope)
    }

    /// The transform from the whole real line to the support.
    #[must_use]
    pub fn transform(&self) -> Transform {
        self.family.transform(&self.parameters)
    }

    /// One draw.
    pub fn sample(&self, rng: &mut Stream) -> f64 {
        self.family.sample(&self.parameters, rng)
    }

    /// The mean; NaN where there is none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.family.mean(&self.parameters)
    }

    /// The standard deviation; NaN where there is none.
    #[must_use]
    pub fn sd(&self) -> f64 {
        self.family.sd(&self.parameters)
    }
}

#[cfg(test)]
mod tests;
