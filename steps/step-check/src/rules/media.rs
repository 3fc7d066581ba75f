//! Rules about spend and delivery.

use chrono::NaiveDate;

use crate::finding::{Finding, Severity};
use crate::series::{Points, median};

const ARTIFACT: &str = "media_daily";

/// `media.null`: rows of a channel without spend. Above `limit` an error, below a warning; a
/// channel that never has spend delivers without cost, which is a warning too.
pub(crate) fn null(channel: &str, nulls: usize, rows: usize, limit: f64) -> Option<Finding> {
    if nulls == 0 {
        return None;
    }
    let share = nulls as f64 / rows as f64;
    let severity = if share <= limit || nulls == rows {
        Severity::Warning
    } else {
        Severity::Error
    };
    Some(
        Finding::new(severity, "media.null", ARTIFACT, channel)
            .says(format!(
                "spend is missing in {nulls} of {rows} rows ({:.1} %)",
                100.0 * share
            ))
            .advises("if nothing was spent, deliver 0; otherwise deliver the missing cost")
            .measured(share, limit),
    )
}

/// `spend.negative`: any value below 0. `rows` are (day, spend) of a channel, one per row.
pub(crate) fn negative(channel: &str, rows: &[(NaiveDate, f64)]) -> Vec<Finding> {
    let mut days = Points::new();
    for (day, spend) in rows.iter().filter(|(_, spend)| *spend < 0.0) {
        *days.entry(*day).or_default() += spend;
    }
    let finding = |(day, spend): (NaiveDate, f64)| {
        Finding::error("spend.negative", ARTIFACT, channel)
            .at(day)
            .says(format!("spend is {spend:.2}"))
            .advises("a credit or refund belongs to the day it corrects: restate that day instead")
            .measured(spend, 0.0)
    };
    days.into_iter().map(finding).collect()
}

/// `spend.spike`: a day above `factor` times the median of the days that are not 0, of which
/// there must be `least`. Exactly `factor` times is not a spike.
pub(crate) fn spike(channel: &str, spend: &Points, factor: f64, least: usize) -> Vec<Finding> {
    let nonzero: Vec<f64> = spend
        .values()
        .copied()
        .filter(|value| *value != 0.0)
        .collect();
    let middle = match median(nonzero.iter().copied()) {
        Some(middle) if nonzero.len() >= least => middle,
        _ => return Vec::new(),
    };
    let limit = factor * middle;
    let finding = |(day, value): (&NaiveDate, &f64)| {
        let times = value / middle;
        Finding::warning("spend.spike", ARTIFACT, channel)
            .at(day)
            .says(format!(
                "spend of {value:.2} is {times:.1} times the median of {middle:.2}"
            ))
            .advises(
                "check the day in the platform; if it is true, mark it as an event for the model",
            )
            .measured(*value, limit)
    };
    spend
        .iter()
        .filter(|(_, value)| **value > limit)
        .map(finding)
        .collect()
}

/// `units.zero_spend`: rows with spend but no units, or units but no spend, in more than `limit`
/// of all rows. `rows` are (spend, units).
pub(crate) fn units(channel: &str, rows: &[(f64, f64)], limit: f64) -> Option<Finding> {
    let odd = rows
        .iter()
        .filter(|(spend, units)| (*spend > 0.0) != (*units > 0.0))
        .count();
    let share = odd as f64 / rows.len().max(1) as f64;
    (share > limit).then(|| {
        Finding::warning("units.zero_spend", ARTIFACT, channel)
            .says(format!(
                "{odd} of {} rows have spend without impressions, or impressions without spend",
                rows.len()
            ))
            .advises("check that cost and delivery come from the same report and day")
            .measured(share, limit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{day, points};

    #[test]
    fn missing_spend_is_an_error_above_the_limit_and_a_warning_up_to_it() {
        let severity = |nulls, rows| null("meta", nulls, rows, 0.05).map(|f| f.severity);
        assert_eq!(severity(0, 100), None);
        assert_eq!(severity(5, 100), Some(Severity::Warning));
        assert_eq!(severity(6, 100), Some(Severity::Error));
        assert_eq!(
            severity(100, 100),
            Some(Severity::Warning),
            "delivery without cost"
        );
    }

    #[test]
    fn spend_below_zero_is_an_error_and_zero_is_not() {
        let found = negative("tv", &[(day(0), 0.0), (day(1), -0.01), (day(1), 5.0)]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].at.clone(), found[0].value),
            (day(1).to_string(), Some(-0.01))
        );
    }

    #[test]
    fn a_spike_is_above_five_times_the_median_of_at_least_eight_days() {
        let spikes = |last: f64, ordinary: usize| {
            let zeros = std::iter::repeat_n(0.0, 30);
            let values = zeros
                .chain(std::iter::repeat_n(10.0, ordinary))
                .chain([last]);
            spike("tv", &points(values), 5.0, 8).len()
        };
        assert_eq!(spikes(50.0, 9), 0, "exactly five times is not a spike");
        assert_eq!(spikes(50.01, 9), 1);
        assert_eq!(
            spikes(50.01, 7),
            1,
            "seven and the spike are eight days with spend"
        );
        assert_eq!(spikes(50.01, 6), 0, "seven days with spend are too few");
    }

    #[test]
    fn units_and_spend_may_disagree_in_a_tenth_of_the_rows() {
        let found = |odd: usize| {
            let mut rows = vec![(1.0, 100.0); 18 - odd];
            rows.extend(vec![(0.0, 0.0); 2]);
            rows.extend((0..odd).map(|i| if i % 2 == 0 { (1.0, 0.0) } else { (0.0, 9.0) }));
            units("tv", &rows, 0.10).is_some()
        };
        assert!(!found(2), "exactly a tenth");
        assert!(found(3));
        assert!(units("tv", &[], 0.10).is_none());
    }
}
