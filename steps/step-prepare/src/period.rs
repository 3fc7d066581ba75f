//! Periods: where they begin, and what belongs to them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, Months, NaiveDate};
use mixline_model_tables::{HISTORY, HOLDOUT, Role, TRAIN};
use mixline_step::StepError;

use crate::config::{Config, Period, WeekStart};
use crate::series::Series;

/// A regular length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// One day.
    Day,
    /// Seven days, from the given day on (any day of the first week).
    Week(NaiveDate),
    /// A calendar month.
    Month,
}

/// One period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: NaiveDate,
    pub(crate) split: &'static str,
}

/// The periods of a design.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(crate) length: Length,
    pub(crate) periods: Vec<Span>,
    /// Periods left out because the outcome covers only a part of them.
    pub(crate) left_out: usize,
}

impl Length {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week(_) => "week",
            Self::Month => "month",
        }
    }

    /// First day of the period that holds `day`.
    pub(crate) fn start_of(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week(anchor) => {
                let back = (day - anchor).num_days().rem_euclid(7).unsigned_abs();
                day.checked_sub_days(Days::new(back)).unwrap_or(day)
            }
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    /// First day of the next period.
    pub(crate) fn after(self, start: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => start + Days::new(1),
            Self::Week(_) => start + Days::new(7),
            Self::Month => start + Months::new(1),
        }
    }
}

impl Calendar {
    /// The periods of the data: those of the outcome, with media history before.
    pub(crate) fn of(config: &Config, series: &[Series]) -> Result<Self, StepError> {
        let role = |role: Role| series.iter().filter(move |series| series.key.role == role);
        let days = |role_: Role| -> BTreeSet<NaiveDate> {
            role(role_)
                .flat_map(|series| series.days.values())
                .flat_map(|days| days.keys())
                .copied()
                .collect()
        };
        let observed = days(Role::Outcome);
        let (Some(&first), Some(&last)) = (observed.first(), observed.last()) else {
            return Err(StepError::data("the outcome has no row"));
        };
        let source = spacing(&observed);
        let length = choose(config, source, first)?;
        let whole = |start: NaiveDate| {
            let end = length.after(start);
            // Coarser sources are whole by themselves; days must all lie between the ends.
            source > 1 || (start >= first && end <= last + Days::new(1))
        };
        let mut starts: Vec<NaiveDate> = Vec::new();
        let mut at = length.start_of(first);
        while at <= last {
            starts.push(at);
            at = length.after(at);
        }
        let before = starts.len();
        starts.retain(|start| whole(*start));
        let left_out = before - starts.len();
        let (Some(&begin), held) = (starts.first(), config.holdout_periods) else {
            return Err(StepError::data(format!(
                "the outcome runs from {first} to {last}, which is not one whole {}",
                length.name()
            )));
        };
        if held + 1 >= starts.len() {
            let text = format!(
                "`holdout_periods` is {held}, but there are {} periods",
                starts.len()
            );
            return Err(StepError::config(text).hint("leave most periods to the fit"));
        }
        let media = days(Role::Media);
        let mut history: Vec<NaiveDate> = media
            .range(..begin)
            .map(|day| length.start_of(*day))
            .filter(|start| {
                *start < begin
                    && (source > 1 || media.first().is_some_and(|first| *start >= *first))
            })
            .collect();
        history.dedup();
        let skip = history.len().saturating_sub(config.history_periods);
        let cut = starts.len() - held;
        let kept = starts.iter().enumerate();
        let kept = kept.map(|(i, start)| Span {
            start: *start,
            split: if i < cut { TRAIN } else { HOLDOUT },
        });
        let history = history[skip..].iter().map(|start| Span {
            start: *start,
            split: HISTORY,
        });
        Ok(Self {
            length,
            periods: history.chain(kept).collect(),
            left_out,
        })
    }

    /// Values by period: sums, or means; `None` for a period without a day.
    pub(crate) fn aggregate(
        &self,
        days: Option<&BTreeMap<NaiveDate, f64>>,
        mean: bool,
    ) -> Vec<Option<f64>> {
        let one = |span: &Span| {
            let days = days?.range(span.start..self.length.after(span.start));
            let (count, sum) = days.fold((0u32, 0.0), |(n, sum), (_, value)| (n + 1, sum + value));
            (count > 0).then(|| if mean { sum / f64::from(count) } else { sum })
        };
        self.periods.iter().map(one).collect()
    }
}

/// Days from one observation to the next, in the middle of the data.
fn spacing(days: &BTreeSet<NaiveDate>) -> i64 {
    let mut gaps: Vec<i64> = days
        .iter()
        .zip(days.iter().skip(1))
        .map(|(a, b)| (*b - *a).num_days())
        .collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(1)
}

fn choose(config: &Config, source: i64, first: NaiveDate) -> Result<Length, StepError> {
    let week = || {
        let anchor = match config.week_start {
            WeekStart::Monday => NaiveDate::from_isoywd_opt(2024, 1, chrono::Weekday::Mon),
            WeekStart::Sunday => NaiveDate::from_isoywd_opt(2024, 1, chrono::Weekday::Sun),
        };
        // Weekly data keep their own first day.
        Length::Week(if source >= 7 {
            first
        } else {
            anchor.unwrap_or(first)
        })
    };
    let too_coarse = |name: &str| {
        let text = format!("the outcome comes every {source} days, which is coarser than a {name}");
        Err(StepError::config(text).hint("set `period` to `auto`"))
    };
    match (config.period, source) {
        (Period::Day, 1) => Ok(Length::Day),
        (Period::Day, _) => too_coarse("day"),
        (Period::Week, ..=7) | (Period::Auto, ..=7) => Ok(week()),
        (Period::Week, _) => too_coarse("week"),
        (Period::Month, ..=31) | (Period::Auto, 28..=31) => Ok(Length::Month),
        (Period::Month, _) => too_coarse("month"),
        (Period::Auto, _) => {
            let text =
                format!("the outcome comes every {source} days, which is no day, week or month");
            Err(StepError::data(text))
        }
    }
}
