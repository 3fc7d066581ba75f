//! Between the whole real line, where samplers move, and the interval where a parameter lives.
//!
//! A density of x becomes one of u by adding log |dx/du|. Names of the unconstrained scale follow
//! PyMC: `_log__`, `_logodds__`, `_interval__`, `_lowerbound__`, `_upperbound__`.

/// How a parameter's value x follows from an unconstrained u.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transform {
    /// x = u on all reals.
    Identity,
    /// x = eᵘ, for x > 0.
    Log,
    /// x = lower + (upper − lower) / (1 + e⁻ᵘ), for lower < x < upper.
    Interval {
        /// Lower end.
        lower: f64,
        /// Upper end.
        upper: f64,
    },
    /// x = lower + eᵘ, for x > lower.
    LowerBound {
        /// Lower end.
        lower: f64,
    },
    /// x = upper − eᵘ, for x < upper.
    UpperBound {
        /// Upper end.
        upper: f64,
    },
}

/// A value on the constrained scale with what the change of variables needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constrained {
    /// x.
    pub value: f64,
    /// dx/du.
    pub slope: f64,
    /// log |dx/du|.
    pub log_jacobian: f64,
    /// d log |dx/du| / du.
    pub log_jacobian_slope: f64,
}

impl Transform {
    /// x and its derivatives at `u`.
    ///
    /// Guard: |u| beyond 500 is held at 500 where an exponential is taken, so that nothing
    /// overflows.
    #[must_use]
    pub fn constrain(self, u: f64) -> Constrained {
        match self {
            Self::Identity => Constrained {
                value: u,
                slope: 1.0,
                log_jacobian: 0.0,
                log_jacobian_slope: 0.0,
            },
            Self::Log => exponential(u, 0.0, 1.0),
            Self::LowerBound { lower } => exponential(u, lower, 1.0),
            Self::UpperBound { upper } => exponential(u, upper, -1.0),
            Self::Interval { lower, upper } => {
                let width = upper - lower;
                let e = libm::exp(-u.abs().min(500.0));
                // Never the end itself, where a density may be infinite.
                let (small, large) = (e / (1.0 + e), (1.0 / (1.0 + e)).min(1.0 - f64::EPSILON));
                let share = if u >= 0.0 { large } else { small };
                let slope = width * small * large;
                Constrained {
                    value: lower + width * share,
                    slope,
                    log_jacobian: libm::log(width) - u.abs().min(500.0) - 2.0 * libm::log1p(e),
                    log_jacobian_slope: 1.0 - 2.0 * share,
                }
            }
        }
    }

    /// u for a value inside the domain; ±∞ or NaN outside it.
    #[must_use]
    pub fn unconstrain(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Log => libm::log(x),
            Self::LowerBound { lower } => libm::log(x - lower),
            Self::UpperBound { upper } => libm::log(upper - x),
            Self::Interval { lower, upper } => libm::log((x - lower) / (upper - x)),
        }
    }

    /// What PyMC appends to the name of a parameter on the unconstrained scale.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Log => "_log__",
            Self::Interval { lower, upper } if lower == 0.0 && upper == 1.0 => "_logodds__",
            Self::Interval { .. } => "_interval__",
            Self::LowerBound { .. } => "_lowerbound__",
            Self::UpperBound { .. } => "_upperbound__",
        }
    }
}

fn exponential(u: f64, offset: f64, sign: f64) -> Constrained {
    let e = libm::exp(u.clamp(-500.0, 500.0));
    Constrained {
        value: offset + sign * e,
        slope: sign * e,
        log_jacobian: u,
        log_jacobian_slope: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Transform; 5] = [
        Transform::Identity,
        Transform::Log,
        Transform::Interval {
            lower: -1.5,
            upper: 4.0,
        },
        Transform::LowerBound { lower: 2.0 },
        Transform::UpperBound { upper: -3.0 },
    ];

    proptest! {
        #[test]
        fn there_and_back_with_the_right_derivatives(u in -8.0..8.0f64) {
            let h = 1e-5;
            for transform in ALL {
                let at = transform.constrain(u);
                prop_assert!((transform.unconstrain(at.value) - u).abs() < 1e-9);
                prop_assert!((at.slope.abs().ln() - at.log_jacobian).abs() < 1e-10);
                let (up, down) = (transform.constrain(u + h), transform.constrain(u - h));
                let slope = (up.value - down.value) / (2.0 * h);
                prop_assert!((slope - at.slope).abs() < 1e-5 * at.slope.abs().max(1.0));
                let bend = (up.log_jacobian - down.log_jacobian) / (2.0 * h);
                prop_assert!((bend - at.log_jacobian_slope).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn extreme_points_stay_inside() {
        for transform in ALL {
            for u in [-1e6, 1e6] {
                let at = transform.constrain(u);
                assert!(
                    at.value.is_finite() && at.log_jacobian.is_finite(),
                    "{transform:?}"
                );
            }
        }
    }
}
