//! Random draws that are the same on every machine.
//!
//! Each concern and day has a stream of its own, named by a label: adding a draw to one leaves
//! all others as they were. Distributions are written out here over `libm`, because the standard
//! library's logarithm may differ in its last bit from one system to the next.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Above this mean a Poisson count is drawn from its normal approximation.
const POISSON_NORMAL: f64 = 400.0;
/// Largest mean that one product of uniforms can handle without underflow worries.
const POISSON_CHUNK: f64 = 20.0;

/// One stream of random numbers.
#[derive(Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of `label` at `index` (a day, a week) in the world of `seed`.
    pub(crate) fn new(seed: u64, label: &str, index: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(fnv1a(label.as_bytes()) ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self(rng)
    }

    /// Uniform on `[0, 1)`, 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * SCALE
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Uniform on `0..n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        // `uniform` is below 1, so the product is below `n`.
        (self.uniform() * f64::from(n)) as u32
    }

    /// Standard normal, by the method of Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Log-normal with the given mean and coefficient of variation.
    pub(crate) fn log_normal(&mut self, mean: f64, variation: f64) -> f64 {
        let variance = libm::log(1.0 + variation * variation);
        mean * libm::exp(libm::sqrt(variance) * self.normal() - variance / 2.0)
    }

    /// Exponential with the given mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.uniform())
    }

    /// Poisson count. Large means use the normal approximation, rounded.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        if mean > POISSON_NORMAL {
            return libm::round(mean + libm::sqrt(mean) * self.normal()).max(0.0) as u32;
        }
        // A sum of independent Poisson counts is one with the sum of their means.
        let (mut left, mut count) = (mean, 0);
        while left > 0.0 {
            let limit = libm::exp(-left.min(POISSON_CHUNK));
            let mut product = self.uniform();
            while product > limit {
                product *= self.uniform();
                count += 1;
            }
            left -= POISSON_CHUNK;
        }
        count
    }

    /// An index with probability proportional to its weight; 0 when all weights are 0.
    pub(crate) fn pick(&mut self, weights: &[f64]) -> usize {
        let mut target = self.uniform() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if target < *weight {
                return index;
            }
            target -= weight;
        }
        weights
            .iter()
            .rposition(|weight| *weight > 0.0)
            .unwrap_or(0)
    }
}

/// The 64-bit FNV-1a hash: short, and fixed for all time.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Rounds money to cents.
pub(crate) fn cents(value: f64) -> f64 {
    libm::round(value * 100.0) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(n: u32, mut draw: impl FnMut() -> f64) -> f64 {
        (0..n).map(|_| draw()).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn a_stream_is_fixed_by_seed_label_and_index() {
        let first = |seed, label, index| Draw::new(seed, label, index).uniform();
        assert_eq!(first(1, "a", 0), first(1, "a", 0));
        assert_ne!(first(1, "a", 0), first(1, "a", 1));
        assert_ne!(first(1, "a", 0), first(1, "b", 0));
        assert_ne!(first(1, "a", 0), first(2, "a", 0));
    }

    #[test]
    fn distributions_have_the_means_they_are_asked_for() {
        let mut draw = Draw::new(5, "test", 0);
        assert!(mean(20_000, || draw.normal()).abs() < 0.03);
        assert!((mean(20_000, || draw.log_normal(90.0, 0.6)) - 90.0).abs() < 1.5);
        assert!((mean(20_000, || draw.exponential(3.0)) - 3.0).abs() < 0.1);
        for wanted in [0.3, 7.0, 45.0, 1000.0] {
            let got = mean(5_000, || f64::from(draw.poisson(wanted)));
            assert!(
                (got - wanted).abs() < 5.0 * (wanted / 5_000.0).sqrt(),
                "{wanted}: {got}"
            );
        }
    }

    #[test]
    fn picks_follow_the_weights() {
        let mut draw = Draw::new(5, "pick", 0);
        let hits = (0..10_000)
            .filter(|_| draw.pick(&[1.0, 0.0, 3.0]) == 2)
            .count();
        assert!((7_300..7_700).contains(&hits), "{hits}");
        assert_eq!(draw.pick(&[0.0, 0.0]), 0);
    }
}
