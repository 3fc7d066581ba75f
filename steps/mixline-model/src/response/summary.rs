//! Draws of a quantity in six numbers.

use serde::{Deserialize, Serialize};

/// Mean and quantiles: q05 … q95 is the 90 % interval, q25 … q75 the 50 % one.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Interval {
    /// Mean over draws.
    pub mean: f64,
    /// 5 % quantile.
    pub q05: f64,
    /// 25 % quantile.
    pub q25: f64,
    /// Median.
    pub q50: f64,
    /// 75 % quantile.
    pub q75: f64,
    /// 95 % quantile.
    pub q95: f64,
}

impl Interval {
    /// The summary of some draws; NaN when there are none, or one is NaN. Reorders them.
    #[must_use]
    pub fn of(draws: &mut [f64]) -> Self {
        if draws.is_empty() || draws.iter().any(|x| x.is_nan()) {
            let nan = f64::NAN;
            return Self {
                mean: nan,
                q05: nan,
                q25: nan,
                q50: nan,
                q75: nan,
                q95: nan,
            };
        }
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        // The middle first; the outer quantiles then search one half each.
        let n = draws.len();
        draws.select_nth_unstable_by(n / 2, f64::total_cmp);
        let (low, high) = draws.split_at_mut(n / 2);
        let mut half = |p: f64| order_statistic(low, high, p * (n - 1) as f64);
        let [q05, q25, q50, q75, q95] = [0.05, 0.25, 0.5, 0.75, 0.95].map(&mut half);
        Self {
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        }
    }
}

/// The value at a rank of two halves, all of `low` below all of `high`; between two ranks, the
/// value between the two (the default of NumPy and R).
fn order_statistic(low: &mut [f64], high: &mut [f64], rank: f64) -> f64 {
    let mut at = |rank: usize| {
        let (part, rank) = match rank.checked_sub(low.len()) {
            None => (&mut *low, rank),
            Some(rank) => (&mut *high, rank),
        };
        *part.select_nth_unstable_by(rank, f64::total_cmp).1
    };
    let (floor, share) = (rank.floor() as usize, rank.fract());
    let value = at(floor);
    if share > 0.0 {
        value + share * (at(floor + 1) - value)
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;
    use mixline_numerics::diagnostics::quantile;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_sorting(mut draws in prop::collection::vec(-1e3..1e3f64, 1..200)) {
            let sorted = draws.clone();
            let summary = Interval::of(&mut draws);
            let want = |p| quantile(&sorted, p);
            for (got, p) in [
                (summary.q05, 0.05), (summary.q25, 0.25), (summary.q50, 0.5),
                (summary.q75, 0.75), (summary.q95, 0.95),
            ] {
                prop_assert!((got - want(p)).abs() < 1e-9, "{p}: {got} {}", want(p));
            }
        }
    }

    #[test]
    fn nothing_and_nan_are_nan() {
        assert!(Interval::of(&mut []).mean.is_nan());
        assert!(Interval::of(&mut [1.0, f64::NAN]).q50.is_nan());
    }
}
