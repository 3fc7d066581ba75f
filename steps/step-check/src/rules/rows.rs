//! Rules about how much data there is, and whether its last period is whole.

use chrono::NaiveDate;

use crate::finding::{Finding, Severity};
use crate::series::{Frequency, Points, median};

/// Limits of `rows.few`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Few {
    pub(crate) days: usize,
    pub(crate) weeks: usize,
    pub(crate) too_few_weeks: usize,
    pub(crate) per_parameter: usize,
    pub(crate) parameters: usize,
}

/// `rows.few`: fewer periods than a model needs. `days` ascend.
pub(crate) fn few(
    artifact: &'static str,
    subject: &str,
    days: &[NaiveDate],
    limits: Few,
) -> Vec<Finding> {
    let rows = days.len();
    let (floor, severity) = match Frequency::of(days) {
        Frequency::Daily => (limits.days, Severity::Warning),
        Frequency::Weekly if rows < limits.too_few_weeks => (limits.too_few_weeks, Severity::Error),
        Frequency::Weekly => (limits.weeks, Severity::Warning),
        Frequency::Monthly => (0, Severity::Warning),
    };
    let finding = |severity, floor: usize, why: String| {
        Finding::new(severity, "rows.few", artifact, subject)
            .says(why)
            .advises("add history; until then results will be wide or wrong")
            .measured(rows as f64, floor as f64)
    };
    if rows < floor {
        let why = format!("there are {rows} periods; a model needs {floor}");
        return vec![finding(severity, floor, why)];
    }
    let needed = limits.per_parameter * limits.parameters;
    if rows < needed {
        let why = format!(
            "there are {rows} periods for {} drivers; {needed} are needed",
            limits.parameters
        );
        return vec![finding(Severity::Warning, needed, why)];
    }
    Vec::new()
}

/// Fewest periods with a median worth comparing with.
const LEAST: usize = 3;

/// `tail.partial`: the last period is below `share` of the median.
pub(crate) fn partial_tail(
    artifact: &'static str,
    subject: &str,
    totals: &Points,
    share: f64,
) -> Option<Finding> {
    let middle = median(totals.values().copied()).filter(|_| totals.len() >= LEAST)?;
    let (day, last) = totals.last_key_value()?;
    let limit = share * middle;
    (*last < limit).then(|| {
        Finding::new(Severity::Suggestion, "tail.partial", artifact, subject)
            .at(day)
            .says(format!(
                "the last period has {last:.2}, the median is {middle:.2}: it looks unfinished"
            ))
            .advises("leave the last period out until its data is complete")
            .measured(*last, limit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{day, points};

    fn found(rows: u64, step: u64, parameters: usize) -> Option<Severity> {
        let days: Vec<NaiveDate> = (0..rows).map(|i| day(i * step)).collect();
        let limits = Few {
            days: 180,
            weeks: 52,
            too_few_weeks: 26,
            per_parameter: 10,
            parameters,
        };
        few("outcome", "revenue", &days, limits)
            .first()
            .map(|f| f.severity)
    }

    #[test]
    fn few_rows_have_limits_by_frequency() {
        for (rows, step, parameters, wanted) in [
            (180, 1, 1, None),
            (179, 1, 1, Some(Severity::Warning)),
            (52, 7, 1, None),
            (51, 7, 1, Some(Severity::Warning)),
            (26, 7, 1, Some(Severity::Warning)),
            (25, 7, 1, Some(Severity::Error)),
            (180, 1, 18, None),
            (180, 1, 19, Some(Severity::Warning)),
        ] {
            assert_eq!(
                found(rows, step, parameters),
                wanted,
                "{rows} rows, step {step}"
            );
        }
    }

    #[test]
    fn a_last_period_of_exactly_half_the_median_is_whole() {
        let tail = |last: f64| {
            let values = std::iter::repeat_n(100.0, 9).chain([last]);
            partial_tail("orders", "revenue", &points(values), 0.5).map(|f| f.at)
        };
        assert_eq!(tail(50.0), None);
        assert_eq!(tail(49.99), Some(day(9).to_string()));
        assert!(partial_tail("orders", "revenue", &points([100.0, 1.0]), 0.5).is_none());
    }
}
