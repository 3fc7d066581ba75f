//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

/// Distribution function.
///
/// ```text
/// Φ(x) = erfc(−x / √2) / 2
/// ```
///
/// Domain: all reals; relative accuracy is that of `erfc`, also far out on the left.
#[must_use]
pub fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// Quantile function, the inverse of [`cdf`].
///
/// A rational approximation (P. J. Acklam, relative error 1.2e-9) and one step of Halley's method,
/// which brings it to the precision of `erfc`.
///
/// Domain: `p` in (0, 1); 0 gives −∞, 1 gives ∞, anything else NaN.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    if !(0.0..1.0).contains(&p) {
        return f64::NAN;
    }
    // The upper tail by symmetry: there, 1 − p is exact and p is not.
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    let x = approximate(p);
    let error = (cdf(x) - p) * (2.0 * PI).sqrt() * (x * x / 2.0).exp();
    x - error / (1.0 + x * error / 2.0)
}

/// Where the approximation changes from the tail to the middle.
const TAIL: f64 = 0.024_25;

/// For `p` in (0, 0.5].
fn approximate(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    if p < TAIL {
        let q = (-2.0 * p.ln()).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    } else {
        let q = p - 0.5;
        q * polynomial(&A, q * q) / polynomial(&B, q * q)
    }
}

/// A polynomial by Horner's rule, highest power first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients
        .iter()
        .fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_quantiles_are_met() {
        for (p, x) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.95, 1.644_853_626_951_472_6),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!(
                (quantile(p) - x).abs() < 1e-13 * x.abs().max(1.0),
                "{p}: {}",
                quantile(p)
            );
        }
        assert!(quantile(-0.1).is_nan() && quantile(f64::NAN).is_nan());
        assert_eq!(
            (quantile(0.0), quantile(1.0)),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
    }

    proptest! {
        #[test]
        fn the_quantile_undoes_the_distribution_function(x in -8.0_f64..8.0) {
            // Far out on the right, 1 − Φ has no digits left.
            prop_assume!(x < 4.0);
            prop_assert!((quantile(cdf(x)) - x).abs() < 1e-9 * x.abs().max(1.0));
        }
    }
}
