//! The prior of a single parameter.

use mixline_numerics::distribution::{Distribution, Family};

/// A parameter of a prior: a number, or another parameter of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arg {
    /// A number.
    Number(f64),
    /// The parameter at this index.
    Parameter(usize),
}

impl Arg {
    /// The value, given all parameters.
    #[inline]
    #[must_use]
    pub fn value(self, values: &[f64]) -> f64 {
        match self {
            Self::Number(value) => value,
            Self::Parameter(index) => values[index],
        }
    }

    /// Adds to the gradient of the parameter, if it is one.
    #[inline]
    pub(crate) fn add(self, amount: f64, gradient: &mut [f64]) {
        if let Self::Parameter(index) = self {
            gradient[index] += amount;
        }
    }
}

/// The prior of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ElementPrior {
    /// A distribution with numbers as parameters.
    Fixed(Distribution),
    /// A distribution whose parameters are estimated.
    Linked {
        /// Which distribution.
        family: Family,
        /// Its parameters, in the family's order.
        args: [Arg; 4],
    },
    /// No prior of its own: one on the response takes its place.
    Response,
}

impl ElementPrior {
    /// log p of value `at`, adding derivatives to `gradient`.
    #[inline]
    pub(crate) fn add(&self, at: usize, values: &[f64], gradient: &mut [f64]) -> f64 {
        match self {
            Self::Fixed(distribution) => {
                let (log_density, slope) = distribution.log_density(values[at]);
                gradient[at] += slope;
                log_density
            }
            Self::Linked { family, args } => {
                let score = family.score(values[at], &args.map(|arg| arg.value(values)));
                gradient[at] += score.slope;
                for (arg, slope) in args.iter().zip(score.parameter_slopes) {
                    arg.add(slope, gradient);
                }
                score.log_density
            }
            Self::Response => 0.0,
        }
    }

    /// Mean and standard deviation of a Normal prior, as parameters; `None` for any other.
    #[must_use]
    pub fn as_normal(&self) -> Option<[Arg; 2]> {
        match self {
            Self::Fixed(distribution) if distribution.family() == Family::Normal => {
                let p = distribution.parameters();
                Some([Arg::Number(p[0]), Arg::Number(p[1])])
            }
            Self::Linked {
                family: Family::Normal,
                args,
            } => Some([args[0], args[1]]),
            _ => None,
        }
    }
}
