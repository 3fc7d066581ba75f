//! Values over time, and how often they come.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

/// One value a day at most.
pub(crate) type Points = BTreeMap<NaiveDate, f64>;

/// How often a series has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frequency {
    Daily,
    Weekly,
    Monthly,
}

impl Frequency {
    /// The frequency of two neighbors that many days apart, if that is one.
    pub(crate) fn of_step(days: i64) -> Option<Self> {
        match days {
            1 => Some(Self::Daily),
            7 => Some(Self::Weekly),
            28..=31 => Some(Self::Monthly),
            _ => None,
        }
    }

    /// The frequency that most neighbors show; the finer one when two are equally common. Days
    /// without any pattern count as daily with holes, unless they keep a larger distance.
    pub(crate) fn of(days: &[NaiveDate]) -> Self {
        let steps = steps(days);
        let count = |wanted| {
            steps
                .iter()
                .filter(|s| Self::of_step(**s) == Some(wanted))
                .count()
        };
        let (daily, weekly, monthly) = (
            count(Self::Daily),
            count(Self::Weekly),
            count(Self::Monthly),
        );
        if daily + weekly + monthly > 0 {
            return if daily >= weekly && daily >= monthly {
                Self::Daily
            } else if weekly >= monthly {
                Self::Weekly
            } else {
                Self::Monthly
            };
        }
        match steps.iter().min() {
            Some(least) if *least > 31 => Self::Monthly,
            Some(least) if *least >= 7 => Self::Weekly,
            _ => Self::Daily,
        }
    }

    /// Periods missing between two neighbors.
    pub(crate) fn missing(self, from: NaiveDate, to: NaiveDate) -> i64 {
        let days = (to - from).num_days();
        let periods = match self {
            Self::Daily => days,
            Self::Weekly => (days + 3) / 7,
            Self::Monthly => {
                let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
                months(to) - months(from)
            }
        };
        (periods - 1).max(0)
    }

    /// The word for a number of periods.
    pub(crate) fn periods(self, count: i64) -> String {
        let word = match self {
            Self::Daily => "day",
            Self::Weekly => "week",
            Self::Monthly => "month",
        };
        if count == 1 {
            format!("1 {word}")
        } else {
            format!("{count} {word}s")
        }
    }
}

/// Days between neighbors of an ascending list.
pub(crate) fn steps(days: &[NaiveDate]) -> Vec<i64> {
    days.windows(2)
        .map(|pair| (pair[1] - pair[0]).num_days())
        .collect()
}

/// Sums values by subject and day.
pub(crate) fn sums<S: Ord>(
    values: impl IntoIterator<Item = (S, NaiveDate, f64)>,
) -> BTreeMap<S, Points> {
    let mut series: BTreeMap<S, Points> = BTreeMap::new();
    for (subject, day, value) in values {
        *series.entry(subject).or_default().entry(day).or_default() += value;
    }
    series
}

/// The median; `None` of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) {
        (values[middle - 1] + upper) / 2.0
    } else {
        upper
    })
}

/// Mean and (population) standard deviation; `None` of nothing.
pub(crate) fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / n;
    Some((mean, variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(texts: &[&str]) -> Vec<NaiveDate> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_most_common_step_is_the_frequency() {
        for (texts, wanted) in [
            (
                &["2026-01-01", "2026-01-02", "2026-01-05"][..],
                Frequency::Daily,
            ),
            (
                &["2026-01-05", "2026-01-12", "2026-01-26"],
                Frequency::Weekly,
            ),
            (
                &["2026-01-31", "2026-02-28", "2026-03-31"],
                Frequency::Monthly,
            ),
            (
                &["2026-01-01", "2026-01-03", "2026-01-06"],
                Frequency::Daily,
            ),
            (&["2026-01-01"], Frequency::Daily),
            (
                &["2026-01-01", "2026-01-02", "2026-01-09"],
                Frequency::Daily,
            ),
        ] {
            assert_eq!(Frequency::of(&days(texts)), wanted, "{texts:?}");
        }
    }

    #[test]
    fn missing_periods_are_counted_in_the_series_own_unit() {
        let pair = |from: &str, to: &str| (from.parse().unwrap(), to.parse().unwrap());
        for (frequency, (from, to), wanted) in [
            (Frequency::Daily, pair("2026-01-01", "2026-01-02"), 0),
            (Frequency::Daily, pair("2026-01-01", "2026-01-04"), 2),
            (Frequency::Weekly, pair("2026-01-05", "2026-01-19"), 1),
            (Frequency::Monthly, pair("2026-01-31", "2026-03-31"), 1),
        ] {
            assert_eq!(frequency.missing(from, to), wanted);
        }
    }

    #[test]
    fn medians_of_odd_even_and_no_values() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
