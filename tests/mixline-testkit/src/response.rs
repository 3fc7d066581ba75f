//! How spend becomes revenue: carry-over, then saturation.
//!
//! For channel *c* with mean spend `m` and relative spend `x_t = spend_t / m` in a region:
//!
//! ```text
//! a_t            = (1 − λ) Σ_{l ≥ 0} λ^l x_{t−l}          geometric adstock, weights sum to 1
//! contribution_t = roas · m · s(a_t) / s(1)                saturation s
//! ```
//!
//! so `roas` is the return when the channel spends its mean for ever. Adstock comes before
//! saturation, as in Jin, Wang, Sun, Chan and Koehler, *Bayesian Methods for Media Mix Modeling
//! with Carryover and Shape Effects* (2017), sections 2.1 and 2.2. Spend before the first day is 0.

/// A saturation curve over relative spend: 0 at 0, rising, with falling returns for large spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Saturation {
    /// `s(x) = x^slope / (x^slope + half^slope)`: half of the ceiling at `half`; S-shaped when
    /// `slope > 1`. Jin et al. (2017), section 2.2.
    Hill {
        /// Relative spend at half of the ceiling, above 0.
        half: f64,
        /// Steepness, above 0.
        slope: f64,
    },
    /// `s(x) = (1 − e^(−rate·x)) / (1 + e^(−rate·x))`: concave everywhere. The logistic
    /// saturation of PyMC-Marketing.
    Logistic {
        /// Steepness at 0 is `rate / 2`; above 0.
        rate: f64,
    },
}

impl Saturation {
    /// The curve at relative spend `x`; negative spend counts as none.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let x = x.max(0.0);
        match *self {
            Self::Hill { half, slope } => {
                let (x, half) = (libm::pow(x, slope), libm::pow(half, slope));
                x / (x + half)
            }
            Self::Logistic { rate } => {
                let decay = libm::exp(-rate * x);
                (1.0 - decay) / (1.0 + decay)
            }
        }
    }
}

/// Geometric adstock with weights that sum to 1: `a_t = (1 − decay) x_t + decay · a_{t−1}`.
#[must_use]
pub fn geometric_adstock(spend: &[f64], decay: f64) -> Vec<f64> {
    let mut carried = 0.0;
    spend
        .iter()
        .map(|x| {
            carried = (1.0 - decay) * x + decay * carried;
            carried
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVES: [Saturation; 2] = [
        Saturation::Hill {
            half: 0.8,
            slope: 1.6,
        },
        Saturation::Logistic { rate: 1.2 },
    ];

    #[test]
    fn curves_start_at_zero_rise_and_stay_below_one() {
        for curve in CURVES {
            assert_eq!(curve.at(0.0), 0.0);
            let values: Vec<f64> = (0..100).map(|i| curve.at(f64::from(i) * 0.2)).collect();
            assert!(values.windows(2).all(|w| w[0] < w[1]), "{curve:?}");
            assert!(values.iter().all(|v| *v < 1.0));
        }
        assert_eq!(CURVES[0].at(0.8), 0.5);
    }

    #[test]
    fn adstock_keeps_the_total_and_halves_by_its_decay() {
        let mut impulse = vec![0.0; 200];
        impulse[0] = 10.0;
        let carried = geometric_adstock(&impulse, 0.5);
        assert_eq!(&carried[..3], &[5.0, 2.5, 1.25]);
        assert!((carried.iter().sum::<f64>() - 10.0).abs() < 1e-9);
    }
}
