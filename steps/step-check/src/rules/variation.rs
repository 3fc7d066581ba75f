//! `var.low`: a driver that hardly moves cannot explain anything.

use crate::finding::Finding;
use crate::series::{Points, moments};

/// Fewest periods for a share or a variation to mean anything.
const LEAST: usize = 8;

/// `var.low`: the share of periods that are not 0 is below `nonzero`, or the standard deviation
/// is below `variation` times the mean.
pub(crate) fn low(
    artifact: &'static str,
    subject: &str,
    series: &Points,
    nonzero: f64,
    variation: f64,
) -> Option<Finding> {
    let values: Vec<f64> = series.values().copied().collect();
    let (mean, deviation) = moments(&values).filter(|_| values.len() >= LEAST)?;
    let share = values.iter().filter(|value| **value != 0.0).count() as f64 / values.len() as f64;
    let finding = Finding::warning("var.low", artifact, subject)
        .advises("leave it out of the model, or merge it with a driver that means the same");
    if share < nonzero {
        let message = format!("only {:.1} % of the periods are not 0", 100.0 * share);
        return Some(finding.says(message).measured(share, nonzero));
    }
    // A mean of 0 with values around it varies without bound.
    let coefficient = if mean == 0.0 {
        f64::INFINITY
    } else {
        deviation / mean.abs()
    };
    (coefficient < variation).then(|| {
        let message = format!(
            "it hardly moves: its standard deviation is {:.1} % of its mean",
            100.0 * coefficient
        );
        finding.says(message).measured(coefficient, variation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::points;

    fn found(values: impl IntoIterator<Item = f64>) -> Option<f64> {
        low("controls", "promo", &points(values), 0.05, 0.05).and_then(|f| f.value)
    }

    #[test]
    fn one_period_in_twenty_is_enough_and_one_in_twenty_one_is_not() {
        let flag = |periods: usize| (0..periods).map(|i| if i == 3 { 1.0 } else { 0.0 });
        assert_eq!(found(flag(20)), None);
        assert_eq!(found(flag(21)), Some(1.0 / 21.0));
    }

    #[test]
    fn a_variation_of_exactly_the_limit_is_enough() {
        let around = |d: f64| (0..10).map(move |i| if i % 2 == 0 { 1.0 - d } else { 1.0 + d });
        assert_eq!(found(around(0.0501)), None);
        assert!(found(around(0.0499)).is_some());
        assert_eq!(found(std::iter::repeat_n(3.0, 10)), Some(0.0));
    }

    #[test]
    fn few_periods_say_nothing_and_zero_means_are_not_divided_by() {
        assert_eq!(found(std::iter::repeat_n(3.0, 7)), None);
        assert_eq!(
            found((0..10).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })),
            None
        );
    }
}
