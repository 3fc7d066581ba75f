//! Uncertainty: what the numbers would have been with other customers.
//!
//! Customers fall into groups by a hash of who they are; every statistic is kept by group, and a
//! resample draws as many groups as there are, with replacement. One pass over the journeys is then
//! enough for any number of resamples of every method, and journeys of one customer stay together.
//! The price is that a standard error is itself uncertain by about `1 / √(2 · groups)`.
//!
//! Reference: Efron and Tibshirani (1993), "An Introduction to the Bootstrap"; Wolter (2007),
//! "Introduction to Variance Estimation", on random groups.

mod interval;
mod stability;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub use interval::Interval;
pub use stability::{Stability, stability};

/// Which group a customer belongs to; the same in every run.
#[must_use]
pub fn group_of(customer: u64, groups: usize) -> usize {
    (mixed(customer) % groups.max(1) as u64) as usize
}

/// A number whose bits all depend on all bits of `x` (the finalizer of SplitMix64; Steele, Lea and
/// Flood, 2014).
#[must_use]
pub(crate) fn mixed(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// How often each group is drawn, in each of `resamples` resamples.
#[must_use]
pub fn draws(groups: usize, resamples: usize, seed: u64) -> Vec<Vec<f64>> {
    let groups = groups.max(1);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut one = || {
        let mut drawn = vec![0.0; groups];
        for _ in 0..groups {
            drawn[random.random_range(0..groups)] += 1.0;
        }
        drawn
    };
    (0..resamples).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resample_draws_as_many_groups_as_there_are_and_seeds_repeat() {
        let drawn = draws(64, 50, 7);
        assert!(drawn.iter().all(|one| one.iter().sum::<f64>() == 64.0));
        assert_eq!(drawn, draws(64, 50, 7));
        assert_ne!(drawn, draws(64, 50, 8));
    }

    #[test]
    fn customers_spread_evenly_over_groups() {
        let mut size = [0_usize; 16];
        for customer in 0..16_000 {
            size[group_of(customer, 16)] += 1;
        }
        assert!(size.iter().all(|&n| (850..1150).contains(&n)), "{size:?}");
    }
}
