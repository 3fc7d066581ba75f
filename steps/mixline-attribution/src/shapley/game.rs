//! Shapley values of any game, by its coalition values.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Players up to which every coalition is looked at.
pub const EXACT_PLAYERS: usize = 20;

/// Shapley values by looking at every coalition.
///
/// ```text
/// φ[i] = Σ |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S))     over coalitions S without i
/// ```
///
/// - Shape: one value per player; `value` gets a coalition as bits, player 0 the lowest.
/// - Cost: 2ⁿ calls of `value`; `None` for more than [`EXACT_PLAYERS`] players.
/// - Law: the values sum to `v(all) − v(none)`.
pub fn exact(players: usize, mut value: impl FnMut(u32) -> f64) -> Option<Vec<f64>> {
    if players > EXACT_PLAYERS {
        return None;
    }
    let coalitions: Vec<f64> = (0..1_u32 << players).map(&mut value).collect();
    let weights = weights(players);
    let mut values = vec![0.0; players];
    for (coalition, base) in coalitions.iter().enumerate() {
        let weight = weights[coalition.count_ones() as usize];
        for (player, sum) in values.iter_mut().enumerate() {
            let with = coalition | 1 << player;
            if with != coalition {
                *sum += weight * (coalitions[with] - base);
            }
        }
    }
    Some(values)
}

/// `s! (n − s − 1)! / n!` for coalition sizes `s` from 0 to n; unused at n.
fn weights(players: usize) -> Vec<f64> {
    let n = players as f64;
    let mut weights = vec![0.0; players + 1];
    let mut choose = 1.0;
    for (size, weight) in weights.iter_mut().enumerate().take(players) {
        // 1 / (n · C(n − 1, s)), the binomial carried along.
        *weight = 1.0 / (n * choose);
        choose *= (n - 1.0 - size as f64) / (size as f64 + 1.0);
    }
    weights
}

/// Shapley values estimated from random orders of joining.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// The estimates; they sum to `v(all) − v(none)`, as the exact ones do.
    pub values: Vec<f64>,
    /// Standard error of each.
    pub errors: Vec<f64>,
}

/// Shapley values by `orders` random orders of joining, each also taken backward, which cancels
/// part of the noise.
///
/// `value` gets the players of a coalition, as flags. Equal seeds give equal results.
///
/// Reference: Castro, Gómez and Tejada (2009), "Polynomial calculation of the Shapley value based
/// on sampling"; Mitchell et al. (2022) on antithetic orders.
pub fn sampled(
    players: usize,
    mut value: impl FnMut(&[bool]) -> f64,
    orders: usize,
    seed: u64,
) -> Sampled {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..players).collect();
    let (mut sums, mut squares) = (vec![0.0; players], vec![0.0; players]);
    let pairs = orders.div_ceil(2).max(2);
    for _ in 0..pairs {
        for last in (1..players).rev() {
            order.swap(last, random.random_range(0..=last));
        }
        let mut added = vec![0.0; players];
        join(&order, &mut value, &mut added);
        order.reverse();
        join(&order, &mut value, &mut added);
        for (player, gain) in added.iter().enumerate() {
            let gain = gain / 2.0;
            sums[player] += gain;
            squares[player] += gain * gain;
        }
    }
    let n = pairs as f64;
    let error = |(sum, square): (&f64, &f64)| {
        let mean = sum / n;
        ((square / n - mean * mean).max(0.0) / (n - 1.0)).sqrt()
    };
    Sampled {
        errors: sums.iter().zip(&squares).map(error).collect(),
        values: sums.iter().map(|sum| sum / n).collect(),
    }
}

/// Adds what each player brings when they join in this order.
fn join(order: &[usize], value: &mut impl FnMut(&[bool]) -> f64, added: &mut [f64]) {
    let mut inside = vec![false; order.len()];
    let mut before = value(&inside);
    for &player in order {
        inside[player] = true;
        let after = value(&inside);
        added[player] += after - before;
        before = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_glove_game_has_its_known_value() {
        // One left glove (player 0), two right ones: only a pair is worth anything.
        let pair = |coalition: u32| f64::from(coalition & 1 == 1 && coalition & 6 != 0);
        let values = exact(3, pair).unwrap();
        for (value, expected) in values.iter().zip([2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]) {
            assert!((value - expected).abs() < 1e-15);
        }
        assert_eq!(exact(EXACT_PLAYERS + 1, |_| 0.0), None);
        assert_eq!(exact(0, |_| 0.0), Some(vec![]));
    }

    #[test]
    fn sampling_comes_within_its_stated_error_and_shares_everything() {
        // 25 players: worth the square of their number, which is shared equally.
        let square = |inside: &[bool]| {
            let n = inside.iter().filter(|&&is| is).count() as f64;
            n * n
        };
        let found = sampled(25, square, 400, 1);
        assert!((found.values.iter().sum::<f64>() - 625.0).abs() < 1e-9);
        for (value, error) in found.values.iter().zip(&found.errors) {
            assert!(
                (value - 25.0).abs() <= 5.0 * error + 1e-9,
                "{value} ± {error}"
            );
        }
        assert_eq!(found, sampled(25, square, 400, 1));
    }

    proptest! {
        #[test]
        fn efficiency_symmetry_and_null_players(
            worth in prop::collection::vec(0.0f64..10.0, 64),
        ) {
            // Five players: 3 and 4 are alike (only their number counts), player 2 adds nothing.
            let value = |coalition: u32| {
                let pair = (coalition >> 3).count_ones();
                let players = (coalition & 3) + 4 * pair;
                if coalition == 0 { 0.0 } else { worth[players as usize] }
            };
            let game = |coalition: u32| value(coalition & !4);
            let values = exact(5, game).unwrap();
            let whole = game(31) - game(0);
            prop_assert!((values.iter().sum::<f64>() - whole).abs() < 1e-12 * (1.0 + whole.abs()));
            prop_assert!(values[2].abs() < 1e-12);
            prop_assert!((values[3] - values[4]).abs() < 1e-12);
        }
    }
}
