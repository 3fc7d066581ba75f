//! The baseline: what would have been without media.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Terms of the baseline; the intercept is always there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Baseline {
    /// Linear trend with changepoints.
    pub trend: Option<Trend>,
    /// Sines and cosines.
    pub fourier: Fourier,
    /// A time-varying intercept: straight lines between knots.
    pub knots: Option<Knots>,
    /// Windows of dates with an effect of their own, by name.
    pub events: BTreeMap<String, Vec<Event>>,
    /// Controls whose contribution counts from a level other than 0 (price, promotion), by name.
    pub treatments: BTreeMap<String, Treatment>,
}

/// A linear trend: slope 1 over the whole series at coefficient 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trend {
    /// Points, evenly spaced inside the series, at which the slope may change.
    pub changepoints: usize,
}

/// Orders of the seasonal terms; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fourier {
    /// sin and cos of 2π n · (day of the year) / 365.25, n = 1 … order.
    pub yearly: usize,
    /// The same with the day of the month and 365.25 / 12.
    pub monthly: usize,
    /// The same with the day of the week and 7; for daily data.
    pub weekly: usize,
}

/// Knots of a time-varying intercept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Knots {
    /// How many, evenly spaced, the ends included.
    pub count: usize,
}

/// A window of dates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// First day.
    pub start: NaiveDate,
    /// Day after the last; the next day when left out.
    #[serde(default)]
    pub end: Option<NaiveDate>,
}

/// A non-media treatment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Contributions count from the lowest value seen.
    Min,
    /// Contributions count from the highest value seen.
    Max,
    /// Contributions count from this value.
    Value(f64),
}
