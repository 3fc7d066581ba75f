//! Elementary functions and sums in a form that compilers turn into vector instructions.
//!
//! Loops over [`exp`] and [`ln`] vectorise because both are straight lines of additions and
//! multiplications; sums keep eight partial sums, in a fixed order. Where a product is added, it is
//! always by `mul_add`, which rounds once whatever the machine does it with: narrow vectors, wide
//! ones, or a function of the C library. So every machine gives the same bits.

/// Partial sums per reduction, and the multiple to which callers pad their series.
pub const LANES: usize = 8;

/// `n` rounded up to a whole number of [`LANES`].
#[must_use]
pub fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

/// Runs `work` compiled for the widest vectors this machine has.
///
/// Only what the compiler inlines into `work` gains: mark inner functions `#[inline(always)]`.
#[inline]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// 1.5 · 2⁵²: adding it rounds to an integer, which then sits in the low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; products of the first with small integers are exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// eˣ.
///
/// ```text
/// n = round(x / ln 2),  r = x − n ln 2,  eˣ = 2ⁿ · Σ_{k ≤ 13} rᵏ / k!
/// ```
///
/// Domain: all reals; beyond ±350 the value of the border is given, so that squares stay finite.
/// Relative error below 4e-16.
#[inline(always)]
#[must_use]
pub fn exp(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 12] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
    ];
    let x = x.clamp(-350.0, 350.0);
    let shifted = x.mul_add(std::f64::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let mut sum: f64 = 1.0 / 6_227_020_800.0;
    for coefficient in COEFFICIENTS {
        sum = sum.mul_add(r, coefficient);
    }
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    sum.mul_add(r, 1.0) * power
}

/// The natural logarithm.
///
/// ```text
/// x = 2ᵉ m with m in [√½, √2),  t = (m − 1) / (m + 1),  ln x = e ln 2 + 2 Σ_{k ≤ 10} t²ᵏ⁺¹ / (2k + 1)
/// ```
///
/// Domain: x > 0; anything smaller than the smallest normal number counts as that number.
/// Absolute error below 4e-16 near 1, relative error below 4e-16 elsewhere.
#[inline(always)]
#[must_use]
pub fn ln(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let bits = x.max(f64::MIN_POSITIVE).to_bits();
    let biased = bits.wrapping_add(ONE - SQRT_HALF) >> 52;
    let m = f64::from_bits(bits.wrapping_sub(biased << 52).wrapping_add(ONE));
    let e = f64::from_bits(biased | TWO_52) - (4_503_599_627_370_496.0 + 1023.0);
    let t = (m - 1.0) / (m + 1.0);
    let square = t * t;
    let mut sum: f64 = 1.0 / 21.0;
    for k in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        sum = sum.mul_add(square, 1.0 / k);
    }
    let small = 2.0 * t;
    let rest = (small * square).mul_add(sum, e * LN2_LOW);
    e.mul_add(LN2_HIGH, small + rest)
}

/// Σ aᵢ bᵢ, with eight partial sums.
#[inline(always)]
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] = a[lane].mul_add(b[lane], lanes[lane]);
        }
    }
    for (lane, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[lane] = a.mul_add(*b, lanes[lane]);
    }
    fold(lanes)
}

/// Σ aᵢ, with eight partial sums.
#[inline(always)]
#[must_use]
pub fn sum(a: &[f64]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (chunks, rest) = a.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        lanes[lane] += value;
    }
    fold(lanes)
}

/// yᵢ ← yᵢ + a xᵢ.
#[inline(always)]
pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = a.mul_add(*x, *y);
    }
}

#[inline(always)]
fn fold(lanes: [f64; LANES]) -> f64 {
    let pair = |a: usize| lanes[a] + lanes[a + 4];
    (pair(0) + pair(2)) + (pair(1) + pair(3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exp_agrees_with_the_library(x in -350.0..350.0f64) {
            let relative = exp(x) / libm::exp(x) - 1.0;
            prop_assert!(relative.abs() < 5e-16, "{x}: {relative:e}");
        }

        #[test]
        fn ln_agrees_with_the_library(exponent in -300.0..300.0f64, near in 0.5..2.0f64) {
            for x in [libm::exp10(exponent), near] {
                let error = ln(x) - libm::log(x);
                prop_assert!(error.abs() <= 5e-16 * libm::log(x).abs().max(0.5), "{x}: {error:e}");
            }
        }

        #[test]
        fn vectors_of_any_width_give_the_same_bits(
            a in prop::collection::vec(-1e3..1e3f64, 0..40),
        ) {
            let narrow = dot(&a, &a) + sum(&a);
            let wide = vectorized(|| dot(&a, &a) + sum(&a));
            prop_assert_eq!(narrow.to_bits(), wide.to_bits());
            let plain: f64 = a.iter().map(|x| x * x + x).sum();
            prop_assert!((narrow - plain).abs() <= 1e-9 * plain.abs().max(1.0));
        }
    }

    #[test]
    fn borders_stay_finite() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(ln(1.0), 0.0);
        assert!(exp(-1e9) > 0.0 && exp(1e9).is_finite());
        assert!(ln(0.0).is_finite() && ln(-1.0).is_finite());
        assert_eq!(padded(9), 16);
    }
}
