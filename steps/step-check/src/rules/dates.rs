//! Rules about days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::finding::{Finding, Severity};
use crate::series::{Frequency, steps};

/// Steps of one frequency in a row that are more than an accident.
const RUN: usize = 3;

/// `date.null`: a day that stands for "no day". Spreadsheets turn an empty cell into 1899-12-30
/// or 1900-01-01, programs into 1970-01-01; no advertising data is that old.
pub(crate) fn null(artifact: &'static str, subject: &str, days: &[NaiveDate]) -> Vec<Finding> {
    let epoch = NaiveDate::default();
    let empty: Vec<&NaiveDate> = days.iter().filter(|day| **day <= epoch).collect();
    let finding = |day: &&NaiveDate| {
        Finding::error("date.null", artifact, subject)
            .at(day)
            .says(format!("{day} stands for an empty date"))
            .advises("find the rows without a date in the source and give them one, or remove them")
    };
    empty.iter().map(finding).collect()
}

/// `date.duplicate`: rows of one day whose names differ only in letter case or spaces. `rows` are
/// (day, name as written).
pub(crate) fn duplicate(
    artifact: &'static str,
    rows: impl IntoIterator<Item = (NaiveDate, String)>,
) -> Vec<Finding> {
    let mut spellings: BTreeMap<String, BTreeMap<NaiveDate, BTreeSet<String>>> = BTreeMap::new();
    for (day, name) in rows {
        let days = spellings.entry(normal(&name)).or_default();
        days.entry(day).or_default().insert(name);
    }
    let mut findings = Vec::new();
    for (name, days) in spellings {
        let double: Vec<_> = days.iter().filter(|(_, names)| names.len() > 1).collect();
        if let Some((day, names)) = double.first() {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            findings.push(
                Finding::error("date.duplicate", artifact, name)
                    .at(day)
                    .says(format!(
                        "{} name the same thing on {} day(s)",
                        names.join(" and "),
                        double.len()
                    ))
                    .advises("use one spelling in the source, or the rows are counted twice")
                    .measured(double.len() as f64, 0.0),
            );
        }
    }
    findings
}

fn normal(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// `date.mixed_frequency`: three or more neighbors in a row at another frequency than the rest
/// (daily data that becomes weekly), weekly data on other weekdays, or monthly data within a
/// month. `days` ascend.
pub(crate) fn mixed_frequency(
    severity: Severity,
    artifact: &'static str,
    subject: &str,
    days: &[NaiveDate],
) -> Option<Finding> {
    let frequency = Frequency::of(days);
    let steps = steps(days);
    let odd = match frequency {
        Frequency::Daily => run_of_another(frequency, &steps),
        Frequency::Weekly => steps.iter().position(|step| step % 7 != 0),
        Frequency::Monthly => steps.iter().position(|step| *step < 28),
    }?;
    let message = format!(
        "most of the data is {}, but from {} on days are {} apart",
        format!("{frequency:?}").to_lowercase(),
        days[odd],
        steps[odd]
    );
    Some(
        Finding::new(severity, "date.mixed_frequency", artifact, subject)
            .at(days[odd])
            .says(message)
            .advises("bring the whole series to one frequency before it is read"),
    )
}

/// Where a run of steps of another frequency begins.
fn run_of_another(frequency: Frequency, steps: &[i64]) -> Option<usize> {
    let another = |step: &i64| Frequency::of_step(*step).filter(|f| *f != frequency);
    steps.windows(RUN).position(|run| {
        let first = another(&run[0]);
        first.is_some() && run.iter().all(|step| another(step) == first)
    })
}

/// `date.future`: days that have not begun at the horizon.
pub(crate) fn future(
    artifact: &'static str,
    subject: &str,
    days: &[NaiveDate],
    horizon: DateTime<Utc>,
) -> Option<Finding> {
    let late = |day: &&NaiveDate| day.and_time(NaiveTime::MIN).and_utc() >= horizon;
    let first = days.iter().filter(late).min()?;
    let count = days.iter().filter(late).count();
    Some(
        Finding::error("date.future", artifact, subject)
            .at(first)
            .says(format!(
                "{count} day(s) from {first} on have not begun at {horizon}, the end of the window or \
                 the newest order or touch"
            ))
            .advises("check the date format and the zone of the source; remove planned rows")
            .measured(count as f64, 0.0),
    )
}

/// `date.gap`: periods missing between the first and the last day. More than `allowed` in a row
/// make a finding. `days` ascend.
pub(crate) fn gap(
    severity: Severity,
    artifact: &'static str,
    subject: &str,
    days: &[NaiveDate],
    allowed: u32,
    advice: &str,
) -> Vec<Finding> {
    let frequency = Frequency::of(days);
    let missing = |pair: &[NaiveDate]| {
        let missing = frequency.missing(pair[0], pair[1]);
        (missing > i64::from(allowed)).then(|| {
            Finding::new(severity, "date.gap", artifact, subject)
                .at(format!("{}..{}", pair[0], pair[1]))
                .says(format!(
                    "{} missing between {} and {}",
                    frequency.periods(missing),
                    pair[0],
                    pair[1]
                ))
                .advises(advice)
                .measured(missing as f64, f64::from(allowed))
        })
    };
    days.windows(2).filter_map(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::day;

    fn days(offsets: &[u64]) -> Vec<NaiveDate> {
        offsets.iter().map(|offset| day(*offset)).collect()
    }

    #[test]
    fn the_epoch_is_an_empty_date_and_the_day_after_is_not() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(
            null("orders", "date", &[date("1899-12-30"), date("1970-01-01")]).len(),
            2
        );
        assert!(null("orders", "date", &[date("1970-01-02"), date("2026-01-01")]).is_empty());
    }

    #[test]
    fn spellings_of_one_name_on_one_day_are_duplicates() {
        let rows = |names: &[(u64, &str)]| -> Vec<(NaiveDate, String)> {
            names
                .iter()
                .map(|(offset, name)| (day(*offset), (*name).to_owned()))
                .collect()
        };
        let found = duplicate(
            "media_daily",
            rows(&[(0, "Meta"), (0, "meta "), (1, "Meta")]),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].subject.as_str(), found[0].value),
            ("meta", Some(1.0))
        );
        assert!(duplicate("media_daily", rows(&[(0, "Meta"), (1, "meta"), (1, "tv")])).is_empty());
    }

    #[test]
    fn mixed_frequency_needs_three_steps_in_a_row() {
        let mixed = |offsets: &[u64]| {
            mixed_frequency(Severity::Error, "outcome", "revenue", &days(offsets)).map(|f| f.at)
        };
        assert_eq!(
            mixed(&[0, 1, 2, 3, 4, 11, 18]),
            None,
            "two weekly steps are gaps"
        );
        assert_eq!(
            mixed(&[0, 1, 2, 3, 4, 11, 18, 25]),
            Some(day(4).to_string())
        );
        assert_eq!(mixed(&[0, 7, 14, 28, 35]), None, "a missing week is a gap");
        assert_eq!(
            mixed(&[0, 7, 13, 20]),
            Some(day(7).to_string()),
            "another weekday"
        );
        assert_eq!(mixed(&[0, 31, 59, 90]), None, "months");
        assert_eq!(mixed(&[]), None);
    }

    #[test]
    fn the_day_of_the_windows_end_is_future_and_the_one_before_is_not() {
        let instant = |offset| day(offset).and_time(NaiveTime::MIN).and_utc();
        let horizon = instant(5);
        assert_eq!(future("outcome", "revenue", &days(&[0, 4]), horizon), None);
        let found = future("outcome", "revenue", &days(&[4, 5, 6]), horizon).unwrap();
        assert_eq!((found.at, found.value), (day(5).to_string(), Some(2.0)));
    }

    #[test]
    fn a_gap_is_longer_than_allowed() {
        let gaps = |offsets: &[u64], allowed| {
            gap(
                Severity::Error,
                "outcome",
                "revenue",
                &days(offsets),
                allowed,
                "",
            )
            .len()
        };
        assert_eq!(gaps(&[0, 1, 2, 3], 0), 0);
        assert_eq!(gaps(&[0, 1, 3, 4, 7], 0), 2);
        assert_eq!(gaps(&[0, 1, 2, 10], 7), 0, "seven days are allowed");
        assert_eq!(gaps(&[0, 1, 2, 11], 7), 1, "eight are not");
        assert_eq!(gaps(&[0, 7, 21], 0), 1, "a missing week");
    }
}
