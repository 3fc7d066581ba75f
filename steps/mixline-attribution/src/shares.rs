//! Shares: weights that sum to exactly 1.

/// Weights below this fraction of the total count as zero. It keeps the rounding rest, which goes
/// to the last share, from turning that share negative.
const NEGLIGIBLE: f64 = 1e-12;

/// Each weight's share of the total.
///
/// ```text
/// share[i] = weight[i] / Σ weight            for all but the last credited weight
/// share[l] = 1 − Σ share[i], i ≠ l           for the last credited weight l
/// ```
///
/// - Shape: one share per weight, same order.
/// - Unit: shares, dimensionless; added up in order they give exactly 1.0.
/// - Domain: finite weights; zero and negative ones get share 0.
/// - Guard: weights under 1e-12 of the total get 0, so that the last share cannot be
///   negative by rounding; weights are scaled by their largest before they are added, so that
///   the total cannot overflow.
/// - `None` when no weight is positive, or one is not finite.
///
/// Reference: the efficiency axiom of cost sharing; Shapley (1953), "A value for n-person games".
#[must_use]
pub fn shares(weights: &[f64]) -> Option<Vec<f64>> {
    let mut shares = weights.to_vec();
    share_out(&mut shares).then_some(shares)
}

/// Replaces weights by their [`shares`]; `false`, and all 0, where they have none.
pub fn share_out(weights: &mut [f64]) -> bool {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 || weights.iter().any(|weight| !weight.is_finite()) {
        weights.fill(0.0);
        return false;
    }
    for weight in weights.iter_mut() {
        *weight = weight.max(0.0) / largest;
    }
    let total: f64 = weights.iter().sum();
    let mut last = 0;
    for (at, weight) in weights.iter_mut().enumerate() {
        *weight /= total;
        if *weight < NEGLIGIBLE {
            *weight = 0.0;
        } else {
            last = at;
        }
    }
    let others: f64 = weights[..last].iter().sum();
    weights[last] = (1.0 - others).max(0.0);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thirds_add_up_exactly() {
        let shares = shares(&[1.0, 1.0, 1.0]).unwrap();
        assert_eq!(shares.iter().sum::<f64>(), 1.0);
        assert_eq!(shares[0], 1.0 / 3.0);
    }

    #[test]
    fn nothing_positive_has_no_shares() {
        assert_eq!(shares(&[]), None);
        assert_eq!(shares(&[0.0, -3.0]), None);
        assert_eq!(shares(&[1.0, f64::NAN]), None);
        assert_eq!(shares(&[f64::INFINITY]), None);
    }

    #[test]
    fn huge_and_tiny_weights_do_not_overflow_or_go_negative() {
        assert_eq!(shares(&[f64::MAX, f64::MAX]).unwrap(), [0.5, 0.5]);
        assert_eq!(shares(&[1.0, 1e-300]).unwrap(), [1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn shares_sum_to_exactly_one(weights in prop::collection::vec(0.0f64..1e6, 1..200)) {
            if let Some(shares) = shares(&weights) {
                prop_assert_eq!(shares.iter().sum::<f64>(), 1.0);
                prop_assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)));
            }
        }

        #[test]
        fn shares_do_not_depend_on_the_unit(
            weights in prop::collection::vec(0.01f64..1e3, 1..20), unit in 0.01f64..100.0,
        ) {
            let scaled: Vec<f64> = weights.iter().map(|w| w * unit).collect();
            for (a, b) in shares(&weights).unwrap().iter().zip(shares(&scaled).unwrap()) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }
}
