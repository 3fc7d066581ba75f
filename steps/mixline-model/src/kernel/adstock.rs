//! Adstock: how the effect of a week's media spreads over the weeks that follow.
//!
//! ```text
//! z_t = Σ_{l=0}^{L−1} w_l x_{t−l},   x before the first period is 0
//! ```
//!
//! A kind is a type that writes L weights; everything else (normalisation, convolution, gradient,
//! curves, tests) is shared. Normalised weights are divided by their sum, so that a constant
//! series is left as it is.

use serde::{Deserialize, Serialize};

use super::num::{Dual, Num};

/// The most parameters an adstock kind may have.
pub const ADSTOCK_PARAMETERS: usize = 2;

/// A kind of adstock: the weights by lag.
///
/// To add a kind: implement this for a new type, and list it in [`AdstockKind`].
trait Weights {
    /// Names of the parameters, as PyMC-Marketing has them.
    const PARAMETERS: &'static [&'static str];

    /// Number of weights for a given `l_max`.
    fn length(l_max: usize) -> usize {
        l_max
    }

    /// Writes one weight per lag. `w` has [`length`](Self::length)(`l_max`) elements.
    fn write<N: Num>(p: [N; ADSTOCK_PARAMETERS], l_max: usize, w: &mut [N]);
}

/// No carry-over: all effect in the same period.
struct NoAdstock;

impl Weights for NoAdstock {
    const PARAMETERS: &'static [&'static str] = &[];
    fn length(_: usize) -> usize {
        1
    }
    fn write<N: Num>(_: [N; ADSTOCK_PARAMETERS], _: usize, w: &mut [N]) {
        w.fill(N::of(1.0));
    }
}

/// Geometric decay.
///
/// ```text
/// w_l = alpha^l,   l = 0 … l_max − 1
/// ```
///
/// Shape: l_max weights. Unit: share. Domain: 0 ≤ alpha < 1.
/// Guard: none needed, powers are running products. Reference: PyMC-Marketing `geometric_adstock`.
struct Geometric;

impl Weights for Geometric {
    const PARAMETERS: &'static [&'static str] = &["alpha"];
    fn write<N: Num>(p: [N; ADSTOCK_PARAMETERS], _: usize, w: &mut [N]) {
        let mut weight = N::of(1.0);
        for slot in w {
            *slot = weight;
            weight = weight * p[0];
        }
    }
}

/// Decay with a delayed peak.
///
/// ```text
/// w_l = alpha^((l − theta)²),   l = 0 … l_max − 1
/// ```
///
/// Shape: l_max weights. Unit: share. Domain: 0 ≤ alpha < 1, theta ≥ 0 in periods.
/// Guard: alpha is held above 1e-12.
/// Reference: Jin et al. (2017), "Bayesian methods for media mix modeling with carryover and shape
/// effects"; PyMC-Marketing `delayed_adstock`.
struct Delayed;

impl Weights for Delayed {
    const PARAMETERS: &'static [&'static str] = &["alpha", "theta"];
    fn write<N: Num>([alpha, theta]: [N; ADSTOCK_PARAMETERS], _: usize, w: &mut [N]) {
        let log = above(alpha, 1e-12).ln();
        for (lag, slot) in w.iter_mut().enumerate() {
            let distance = N::of(lag as f64) - theta;
            *slot = (distance * distance * log).exp();
        }
    }
}

/// Decay that reaches zero at a finite lag.
///
/// ```text
/// w_l = (1 − l / (l_max + 1))^(1/alpha − 1),   l = 0 … l_max − 1
/// ```
///
/// Shape: l_max weights. Unit: share. Domain: 0 < alpha ≤ 1.
/// Guard: alpha is held above 1e-9. Reference: PyMC-Marketing `binomial_adstock`; Meridian's kernel
/// of the same name divides by l_max instead.
struct Binomial;

impl Weights for Binomial {
    const PARAMETERS: &'static [&'static str] = &["alpha"];
    fn write<N: Num>([alpha, _]: [N; ADSTOCK_PARAMETERS], l_max: usize, w: &mut [N]) {
        let alpha = above(alpha, 1e-9);
        let power = N::of(1.0) / alpha - N::of(1.0);
        for (lag, slot) in w.iter_mut().enumerate() {
            let base = 1.0 - lag as f64 / (l_max as f64 + 1.0);
            *slot = (N::of(base).ln() * power).exp();
        }
    }
}

/// The Weibull density at t = 1 … l_max, stretched to reach from 0 to 1.
///
/// ```text
/// f_t = (k/lam) (t/lam)^(k−1) exp(−(t/lam)^k),   w = (f − min f) / (max f − min f)
/// ```
///
/// Shape: l_max weights. Unit: share. Domain: lam > 0 in periods, k > 0.
/// Guard: lam and k are held above 1e-9; where all densities are equal, as for l_max = 1, the
/// kernel is the identity. Reference: PyMC-Marketing `weibull_adstock`, type PDF; Robyn.
struct WeibullPdf;

impl Weights for WeibullPdf {
    const PARAMETERS: &'static [&'static str] = &["lam", "k"];
    fn write<N: Num>([lam, k]: [N; ADSTOCK_PARAMETERS], _: usize, w: &mut [N]) {
        let (lam, k) = (above(lam, 1e-9), above(k, 1e-9));
        let (mut least, mut most) = (None::<N>, None::<N>);
        for (lag, slot) in w.iter_mut().enumerate() {
            let log = N::of(lag as f64 + 1.0).ln() - lam.ln();
            let log_density = k.ln() - lam.ln() + (k - N::of(1.0)) * log - (k * log).exp();
            *slot = log_density.exp();
            least = Some(least.filter(|x| x.value() <= slot.value()).unwrap_or(*slot));
            most = Some(most.filter(|x| x.value() >= slot.value()).unwrap_or(*slot));
        }
        let (Some(least), Some(most)) = (least, most) else {
            return;
        };
        let range = most - least;
        if range.value() <= 0.0 {
            identity(w);
            return;
        }
        for slot in w {
            *slot = (*slot - least) / range;
        }
    }
}

/// Running product of the Weibull survival function.
///
/// ```text
/// w_0 = 1,   w_l = w_{l−1} · exp(−(l/lam)^k),   l = 1 … l_max
/// ```
///
/// Shape: l_max + 1 weights. Unit: share. Domain: lam > 0 in periods, k > 0.
/// Guard: lam and k are held above 1e-9. Reference: PyMC-Marketing `weibull_adstock`, type CDF.
struct WeibullCdf;

impl Weights for WeibullCdf {
    const PARAMETERS: &'static [&'static str] = &["lam", "k"];
    fn length(l_max: usize) -> usize {
        l_max + 1
    }
    fn write<N: Num>([lam, k]: [N; ADSTOCK_PARAMETERS], _: usize, w: &mut [N]) {
        let (lam, k) = (above(lam, 1e-9), above(k, 1e-9));
        let mut weight = N::of(1.0);
        for (lag, slot) in w.iter_mut().enumerate() {
            if lag > 0 {
                let power = (k * (N::of(lag as f64).ln() - lam.ln())).exp();
                weight = weight * (-power).exp();
            }
            *slot = weight;
        }
    }
}

fn above<N: Num>(x: N, least: f64) -> N {
    if x.value() > least { x } else { N::of(least) }
}

fn identity<N: Num>(w: &mut [N]) {
    w.fill(N::of(0.0));
    if let Some(first) = w.first_mut() {
        *first = N::of(1.0);
    }
}

/// The kinds of adstock, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdstockKind {
    /// All effect in the same period.
    None,
    /// w_l = alpha^l.
    Geometric,
    /// w_l = alpha^((l − theta)²).
    Delayed,
    /// w_l = (1 − l/(l_max + 1))^(1/alpha − 1).
    Binomial,
    /// Weibull density over the lags, stretched to 0 … 1.
    WeibullPdf,
    /// Running product of the Weibull survival function; l_max + 1 weights.
    WeibullCdf,
}

/// Calls a generic function with the type behind a kind.
macro_rules! with_weights {
    ($kind:expr, $weights:ident => $body:expr) => {
        match $kind {
            AdstockKind::None => {
                type $weights = NoAdstock;
                $body
            }
            AdstockKind::Geometric => {
                type $weights = Geometric;
                $body
            }
            AdstockKind::Delayed => {
                type $weights = Delayed;
                $body
            }
            AdstockKind::Binomial => {
                type $weights = Binomial;
                $body
            }
            AdstockKind::WeibullPdf => {
                type $weights = WeibullPdf;
                $body
            }
            AdstockKind::WeibullCdf => {
                type $weights = WeibullCdf;
                $body
            }
        }
    };
}

impl AdstockKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Geometric,
        Self::Delayed,
        Self::Binomial,
        Self::WeibullPdf,
        Self::WeibullCdf,
    ];

    /// Names of the parameters, as PyMC-Marketing has them.
    #[must_use]
    pub fn parameter_names(self) -> &'static [&'static str] {
        with_weights!(self, W => W::PARAMETERS)
    }

    /// Number of weights for a given `l_max`.
    #[must_use]
    pub fn length(self, l_max: usize) -> usize {
        with_weights!(self, W => W::length(l_max)).max(1)
    }

    /// The weights by lag and their derivatives with respect to each parameter.
    ///
    /// `p` in the order of [`parameter_names`](Self::parameter_names), the rest ignored.
    /// `weights` has [`length`](Self::length) elements.
    pub fn write_weights(
        self,
        p: [f64; ADSTOCK_PARAMETERS],
        l_max: usize,
        normalize: bool,
        weights: &mut [Dual<ADSTOCK_PARAMETERS>],
    ) {
        let p = std::array::from_fn(|index| Dual::variable(p[index], index));
        with_weights!(self, W => W::write(p, l_max, weights));
        if normalize {
            let total = weights.iter().skip(1).fold(weights[0], |sum, w| sum + *w);
            if total.value() > 0.0 {
                weights.iter_mut().for_each(|w| *w = *w / total);
            } else {
                identity(weights);
            }
        }
    }

    /// The weights by lag.
    #[must_use]
    pub fn weights(self, p: &[f64], l_max: usize, normalize: bool) -> Vec<f64> {
        let mut padded = [0.0; ADSTOCK_PARAMETERS];
        for (slot, value) in padded.iter_mut().zip(p) {
            *slot = *value;
        }
        let mut weights = vec![Dual::of(0.0); self.length(l_max)];
        self.write_weights(padded, l_max, normalize, &mut weights);
        weights.into_iter().map(Num::value).collect()
    }
}

/// z_t = Σ_l w_l x_{t−l}, with nothing before the first period.
#[must_use]
pub fn convolve(x: &[f64], weights: &[f64]) -> Vec<f64> {
    (0..x.len())
        .map(|t| {
            weights
                .iter()
                .take(t + 1)
                .enumerate()
                .map(|(l, w)| w * x[t - l])
                .sum()
        })
        .collect()
}
