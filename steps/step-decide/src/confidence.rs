//! How far to trust a recommendation: the model's checks, the width of the interval, the age of
//! the data. Three factors between 0 and 1, multiplied.

use mixline_model::response::Interval;
use mixline_model_tables::Verdict;

use crate::facts::Facts;

/// A confidence and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confidence {
    pub(crate) value: f64,
    pub(crate) reason: String,
}

/// Days up to which data are fresh, and from which they tell nothing any more.
const FRESH: f64 = 14.0;
const STALE: f64 = 90.0;

/// The confidence in something known as `interval`.
pub(crate) fn of(facts: &Facts, interval: &Interval) -> Confidence {
    let (fit, checks) = fit(facts.verdict);
    let width = certainty(interval);
    let age = (facts.as_of - facts.data_until).num_days().max(0);
    let recency = recency(age as f64);
    Confidence {
        value: fit * width * recency,
        reason: format!(
            "{checks} ({fit:.1}), width of the interval ({width:.2}), data {age} days old ({recency:.2})"
        ),
    }
}

fn fit(verdict: Option<Verdict>) -> (f64, &'static str) {
    match verdict {
        Some(Verdict::Pass) => (1.0, "the model passed its checks"),
        Some(Verdict::Review) => (0.7, "some of the model's checks ask for a look"),
        Some(Verdict::Fail) => (0.0, "the model failed its checks"),
        None => (0.3, "no model was checked"),
    }
}

/// 1 for a point, one half when the 90 % interval is twice as wide as its mean is large.
pub(crate) fn certainty(interval: &Interval) -> f64 {
    let width = interval.q95 - interval.q05;
    if width <= 0.0 {
        return 1.0;
    }
    let relative = width / (2.0 * interval.mean.abs()).max(f64::MIN_POSITIVE);
    1.0 / (1.0 + relative)
}

/// 1 while data are fresh, then down to 0 in a straight line.
pub(crate) fn recency(days: f64) -> f64 {
    ((STALE - days) / (STALE - FRESH)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recency_falls_between_two_weeks_and_three_months() {
        for (days, want) in [
            (0.0, 1.0),
            (14.0, 1.0),
            (52.0, 0.5),
            (90.0, 0.0),
            (400.0, 0.0),
        ] {
            assert!((recency(days) - want).abs() < 1e-12, "{days}");
        }
    }

    #[test]
    fn certainty_is_a_half_where_the_interval_is_twice_the_mean() {
        let at = |q05: f64, mean: f64, q95: f64| {
            certainty(&Interval {
                mean,
                q05,
                q95,
                ..Interval::default()
            })
        };
        assert_eq!(at(2.0, 2.0, 2.0), 1.0);
        assert!((at(0.0, 1.0, 2.0) - 0.5).abs() < 1e-12);
        assert!(at(-1.0, 0.0, 1.0) < 1e-9);
    }
}
