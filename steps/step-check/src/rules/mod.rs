//! The rules: each a pure function from typed values to findings.

pub(crate) mod currency;
pub(crate) mod dates;
pub(crate) mod media;
pub(crate) mod pairs;
pub(crate) mod rows;
pub(crate) mod target;
pub(crate) mod text;
pub(crate) mod variation;

/// Every code there is.
pub(crate) const CODES: [&str; 17] = [
    "currency.mixed",
    "date.duplicate",
    "date.future",
    "date.gap",
    "date.mixed_frequency",
    "date.null",
    "media.null",
    "pair.collinear",
    "rows.few",
    "spend.negative",
    "spend.spike",
    "tail.partial",
    "target.negative",
    "target.null",
    "text.formula",
    "units.zero_spend",
    "var.low",
];

#[cfg(test)]
pub(crate) mod testing {
    use chrono::{Days, NaiveDate};

    use crate::series::Points;

    /// 2026-01-01, a Thursday, plus `offset` days.
    pub(crate) fn day(offset: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(offset)
    }

    /// Values on days in a row.
    pub(crate) fn points(values: impl IntoIterator<Item = f64>) -> Points {
        values
            .into_iter()
            .enumerate()
            .map(|(i, value)| (day(i as u64), value))
            .collect()
    }
}
