//! Saturation: how the effect grows with the effort, less and less.
//!
//! A kind is a curve f with up to two shape parameters and height one; the channel's amplitude
//! multiplies it. To add a kind, write its formula once over [`Num`]: gradient, golden and law
//! tests come from the tables at the end of this file's tests.

use mixline_numerics::lanes;
use serde::{Deserialize, Serialize};

use super::num::{Dual, Jet, Num};

/// The most shape parameters a saturation kind may have.
pub const SHAPE_PARAMETERS: usize = 2;

/// f(x) with its derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// f.
    pub value: f64,
    /// ∂f/∂x.
    pub slope: f64,
    /// ∂f/∂ each shape parameter.
    pub shape_slopes: [f64; SHAPE_PARAMETERS],
}

/// A kind of saturation.
pub trait Curve {
    /// Names of the shape parameters, as PyMC-Marketing has them.
    const SHAPE: &'static [&'static str];
    /// Name of the amplitude.
    const AMPLITUDE: &'static str;

    /// f(x; p) at amplitude one.
    fn value<N: Num>(x: N, p: [N; SHAPE_PARAMETERS]) -> N;

    /// Value and derivatives; override only where a derivation by hand is worth it.
    #[inline(always)]
    fn cell(x: f64, p: [f64; SHAPE_PARAMETERS]) -> Cell {
        let shape = [Dual::<3>::variable(p[0], 1), Dual::variable(p[1], 2)];
        let Dual { value, slopes } = Self::value(Dual::variable(x, 0), shape);
        Cell {
            value,
            slope: slopes[0],
            shape_slopes: [slopes[1], slopes[2]],
        }
    }

    /// Value, slope and curvature in x, where x changes at `rate`; override as [`cell`](Self::cell).
    #[inline(always)]
    fn jet(x: f64, rate: f64, p: [f64; SHAPE_PARAMETERS]) -> Jet {
        Self::value(Jet::variable(x, rate), [Jet::of(p[0]), Jet::of(p[1])])
    }
}

/// Logistic.
///
/// ```text
/// f = (1 − e^(−lam x)) / (1 + e^(−lam x)),   half of the height at x = ln 3 / lam
/// ```
///
/// Shape: one value per cell. Unit: share of the amplitude `beta`. Domain: x ≥ 0, lam > 0.
/// Guard: the exponent is held within ±350. Reference: PyMC-Marketing `logistic_saturation`.
#[derive(Debug)]
pub struct Logistic;

impl Curve for Logistic {
    const SHAPE: &'static [&'static str] = &["lam"];
    const AMPLITUDE: &'static str = "beta";
    #[inline(always)]
    fn value<N: Num>(x: N, [lam, _]: [N; SHAPE_PARAMETERS]) -> N {
        let e = (-(lam * x)).exp();
        (N::of(1.0) - e) / (N::of(1.0) + e)
    }
    #[inline(always)]
    fn cell(x: f64, [lam, _]: [f64; SHAPE_PARAMETERS]) -> Cell {
        let e = lanes::exp(-(lam * x));
        let inverse = 1.0 / (1.0 + e);
        let value = (1.0 - e) * inverse;
        // f′ = (1 − f²)/2, without the cancellation.
        let half = 2.0 * e * inverse * inverse;
        Cell {
            value,
            slope: lam * half,
            shape_slopes: [x * half, 0.0],
        }
    }
    #[inline(always)]
    fn jet(x: f64, rate: f64, [lam, _]: [f64; SHAPE_PARAMETERS]) -> Jet {
        let e = lanes::exp(-(lam * x));
        let inverse = 1.0 / (1.0 + e);
        let value = (1.0 - e) * inverse;
        let steepness = lam * rate;
        let slope = 2.0 * steepness * e * inverse * inverse;
        // f″ = −lam f f′.
        Jet {
            value,
            slope,
            curvature: -steepness * value * slope,
        }
    }
}

/// Logistic by its half-saturation point.
///
/// ```text
/// f = (1 − e^(−x ln 3 / lam)) / (1 + e^(−x ln 3 / lam)),   f(lam) = ½
/// ```
///
/// Shape: one value per cell. Unit: share of `beta`. Domain: x ≥ 0, lam > 0 in units of x.
/// Guard: as logistic. Reference: PyMC-Marketing `inverse_scaled_logistic_saturation`.
#[derive(Debug)]
pub struct InverseScaledLogistic;

impl Curve for InverseScaledLogistic {
    const SHAPE: &'static [&'static str] = &["lam"];
    const AMPLITUDE: &'static str = "beta";
    #[inline(always)]
    fn value<N: Num>(x: N, [lam, _]: [N; SHAPE_PARAMETERS]) -> N {
        const LN_3: f64 = 1.098_612_288_668_109_8;
        let e = (-(x * N::of(LN_3) / lam)).exp();
        (N::of(1.0) - e) / (N::of(1.0) + e)
    }
}

/// Hyperbolic tangent, b · tanh(x / (b c)): slope 1/c at zero, height b.
///
/// ```text
/// f = tanh(x / s),   s = b c
/// ```
///
/// Shape: one value per cell; the shape parameter here is the product s. Unit: share of `b`.
/// Domain: x ≥ 0, b > 0, c > 0. Guard: for x/s below 0.1 a series, since 1 − e^(−2x/s) would
/// cancel. Reference: PyMC-Marketing `tanh_saturation`.
#[derive(Debug)]
pub struct Tanh;

impl Curve for Tanh {
    const SHAPE: &'static [&'static str] = &["c"];
    const AMPLITUDE: &'static str = "b";
    #[inline(always)]
    fn value<N: Num>(x: N, [scale, _]: [N; SHAPE_PARAMETERS]) -> N {
        let u = x / scale;
        let e = (-(u + u)).exp();
        let far = (N::of(1.0) - e) / (N::of(1.0) + e);
        // u − u³/3 + 2u⁵/15 − 17u⁷/315 + 62u⁹/2835 − 1382u¹¹/155925 + 21844u¹³/6081075
        let square = u * u;
        let mut series = N::of(21_844.0 / 6_081_075.0);
        for coefficient in [
            -1382.0 / 155_925.0,
            62.0 / 2835.0,
            -17.0 / 315.0,
            2.0 / 15.0,
            -1.0 / 3.0,
            1.0,
        ] {
            series = series * square + N::of(coefficient);
        }
        if u.value() < 0.1 { series * u } else { far }
    }
}

/// Michaelis–Menten.
///
/// ```text
/// f = x / (lam + x),   f(lam) = ½
/// ```
///
/// Shape: one value per cell. Unit: share of `alpha`. Domain: x ≥ 0, lam > 0 in units of x.
/// Guard: none needed. Reference: PyMC-Marketing `michaelis_menten`.
#[derive(Debug)]
pub struct MichaelisMenten;

impl Curve for MichaelisMenten {
    const SHAPE: &'static [&'static str] = &["lam"];
    const AMPLITUDE: &'static str = "alpha";
    #[inline(always)]
    fn value<N: Num>(x: N, [lam, _]: [N; SHAPE_PARAMETERS]) -> N {
        x / (lam + x)
    }
}

/// Hill.
///
/// ```text
/// f = 1 − kappa^slope / (kappa^slope + x^slope) = 1 / (1 + e^(−slope (ln x − ln kappa)))
/// ```
///
/// Shape: one value per cell. Unit: share of `beta`. Domain: x ≥ 0, slope > 0, kappa > 0 in units
/// of x. Guard: f(0) = 0 with all derivatives 0; the exponent is held within ±350.
/// Reference: PyMC-Marketing `hill_function`.
#[derive(Debug)]
pub struct Hill;

impl Curve for Hill {
    const SHAPE: &'static [&'static str] = &["slope", "kappa"];
    const AMPLITUDE: &'static str = "beta";
    #[inline(always)]
    fn value<N: Num>(x: N, [slope, kappa]: [N; SHAPE_PARAMETERS]) -> N {
        let e = (-(slope * (x.ln() - kappa.ln()))).exp();
        let f = N::of(1.0) / (N::of(1.0) + e);
        if x.value() > 0.0 { f } else { N::of(0.0) }
    }
    #[inline(always)]
    fn jet(x: f64, rate: f64, [power, kappa]: [f64; SHAPE_PARAMETERS]) -> Jet {
        let at = x.max(f64::MIN_POSITIVE);
        let e = lanes::exp(-(power * (lanes::ln(at) - lanes::ln(kappa))));
        let value = 1.0 / (1.0 + e);
        let relative = rate / at;
        // f′ = s f (1 − f) / x and f″ = f′ (s (1 − 2 f) − 1) / x.
        let slope = power * value * (1.0 - value) * relative;
        let curvature = slope * (power * (1.0 - 2.0 * value) - 1.0) * relative;
        let known = f64::from(x > 0.0);
        Jet {
            value: known * value,
            slope: known * slope,
            curvature: known * curvature,
        }
    }
}

/// A logistic step that starts at zero.
///
/// ```text
/// f = 1/(1 + e^(−beta (x − lam))) − 1/(1 + e^(beta lam))
/// ```
///
/// Shape: one value per cell. Unit: share of `sigma`. Domain: x ≥ 0, beta > 0, lam > 0 in units of
/// x. Guard: exponents are held within ±350. Reference: PyMC-Marketing `hill_saturation_sigmoid`.
#[derive(Debug)]
pub struct HillSigmoid;

impl Curve for HillSigmoid {
    const SHAPE: &'static [&'static str] = &["beta", "lam"];
    const AMPLITUDE: &'static str = "sigma";
    #[inline(always)]
    fn value<N: Num>(x: N, [beta, lam]: [N; SHAPE_PARAMETERS]) -> N {
        let one = N::of(1.0);
        let at = one / (one + (-(beta * (x - lam))).exp());
        at - one / (one + (beta * lam).exp())
    }
}

/// A power below one.
///
/// ```text
/// f = x^alpha
/// ```
///
/// Shape: one value per cell. Unit: `beta` per unit of x^alpha. Domain: x ≥ 0, 0 < alpha < 1.
/// Guard: f(0) = 0 with all derivatives 0. Reference: PyMC-Marketing `root_saturation`.
#[derive(Debug)]
pub struct Root;

impl Curve for Root {
    const SHAPE: &'static [&'static str] = &["alpha"];
    const AMPLITUDE: &'static str = "beta";
    #[inline(always)]
    fn value<N: Num>(x: N, [alpha, _]: [N; SHAPE_PARAMETERS]) -> N {
        x.powf(alpha)
    }
}

/// Logarithm.
///
/// ```text
/// f = ln(1 + x)
/// ```
///
/// Shape: one value per cell. Unit: `beta` per unit of ln(1 + x). Domain: x ≥ 0.
/// Guard: none needed. Reference: PyMC-Marketing `LogSaturation`.
#[derive(Debug)]
pub struct Log;

impl Curve for Log {
    const SHAPE: &'static [&'static str] = &[];
    const AMPLITUDE: &'static str = "beta";
    #[inline(always)]
    fn value<N: Num>(x: N, _: [N; SHAPE_PARAMETERS]) -> N {
        (N::of(1.0) + x).ln()
    }
}

/// No saturation: f = x.
#[derive(Debug)]
pub struct Linear;

impl Curve for Linear {
    const SHAPE: &'static [&'static str] = &[];
    const AMPLITUDE: &'static str = "beta";
    #[inline(always)]
    fn value<N: Num>(x: N, _: [N; SHAPE_PARAMETERS]) -> N {
        x
    }
}

/// The kinds of saturation, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaturationKind {
    /// beta · x.
    None,
    /// beta · (1 − e^(−lam x)) / (1 + e^(−lam x)).
    Logistic,
    /// Logistic with `lam` as the half-saturation point.
    InverseScaledLogistic,
    /// b · tanh(x / (b c)).
    Tanh,
    /// alpha · x / (lam + x).
    MichaelisMenten,
    /// beta · x^slope / (kappa^slope + x^slope).
    Hill,
    /// sigma · (logistic step at lam with steepness beta, less its value at 0).
    HillSigmoid,
    /// beta · x^alpha.
    Root,
    /// beta · ln(1 + x).
    Log,
}

/// Calls a generic function with the type behind a kind.
macro_rules! with_curve {
    ($kind:expr, $curve:ident => $body:expr) => {{
        use $crate::kernel::saturation as kinds;
        match $kind {
            kinds::SaturationKind::None => {
                type $curve = kinds::Linear;
                $body
            }
            kinds::SaturationKind::Logistic => {
                type $curve = kinds::Logistic;
                $body
            }
            kinds::SaturationKind::InverseScaledLogistic => {
                type $curve = kinds::InverseScaledLogistic;
                $body
            }
            kinds::SaturationKind::Tanh => {
                type $curve = kinds::Tanh;
                $body
            }
            kinds::SaturationKind::MichaelisMenten => {
                type $curve = kinds::MichaelisMenten;
                $body
            }
            kinds::SaturationKind::Hill => {
                type $curve = kinds::Hill;
                $body
            }
            kinds::SaturationKind::HillSigmoid => {
                type $curve = kinds::HillSigmoid;
                $body
            }
            kinds::SaturationKind::Root => {
                type $curve = kinds::Root;
                $body
            }
            kinds::SaturationKind::Log => {
                type $curve = kinds::Log;
                $body
            }
        }
    }};
}
pub(crate) use with_curve;

impl SaturationKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Logistic,
        Self::InverseScaledLogistic,
        Self::Tanh,
        Self::MichaelisMenten,
        Self::Hill,
        Self::HillSigmoid,
        Self::Root,
        Self::Log,
    ];

    /// Names of the shape parameters, as PyMC-Marketing has them.
    #[must_use]
    pub fn shape_names(self) -> &'static [&'static str] {
        with_curve!(self, C => C::SHAPE)
    }

    /// Name of the amplitude.
    #[must_use]
    pub fn amplitude_name(self) -> &'static str {
        with_curve!(self, C => C::AMPLITUDE)
    }

    /// Whether the amplitude also scales the horizontal axis, as in b · tanh(x / (b c)).
    #[must_use]
    pub fn couples_amplitude(self) -> bool {
        self == Self::Tanh
    }

    /// What the curve takes as shape parameters, given the model's own and the amplitude.
    #[inline]
    #[must_use]
    pub fn effective_shape(
        self,
        amplitude: f64,
        shape: [f64; SHAPE_PARAMETERS],
    ) -> [f64; SHAPE_PARAMETERS] {
        if self.couples_amplitude() {
            [shape[0] * amplitude, shape[1]]
        } else {
            shape
        }
    }

    /// f(x) with derivatives, at amplitude one and for effective shape parameters.
    #[must_use]
    pub fn cell(self, x: f64, p: [f64; SHAPE_PARAMETERS]) -> Cell {
        with_curve!(self, C => C::cell(x, p))
    }

    /// amplitude · f(x). `shape` in the order of [`shape_names`](Self::shape_names).
    #[must_use]
    pub fn value(self, x: f64, amplitude: f64, shape: &[f64]) -> f64 {
        let mut padded = [0.0; SHAPE_PARAMETERS];
        for (slot, value) in padded.iter_mut().zip(shape) {
            *slot = *value;
        }
        let p = self.effective_shape(amplitude, padded);
        amplitude * with_curve!(self, C => C::value(x, p))
    }
}
