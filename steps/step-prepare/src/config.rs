//! Configuration of `step-prepare`.

use std::collections::BTreeMap;

use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What goes into the design, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is explained: a metric of `outcome`, or `revenue`, `orders` or `new_customers` from
    /// `orders`. Empty: the only metric of `outcome`, or else the revenue of `orders`.
    pub outcome: String,
    /// Length of a period.
    pub period: Period,
    /// First day of a week made from days.
    pub week_start: WeekStart,
    /// Whether regions are modelled apart; otherwise they are added up.
    pub by_geo: bool,
    /// Channels to use; all when empty.
    pub channels: Vec<String>,
    /// Controls to use; all when empty. `["none"]` uses none.
    pub controls: Vec<String>,
    /// What the model sees of a channel.
    pub media: MediaMeasure,
    /// Channels of which it sees something else, by name.
    pub media_by_channel: BTreeMap<String, MediaMeasure>,
    /// How a period without a control value is filled.
    pub control_gaps: Gaps,
    /// Periods at the end that are kept out of the fit, to be predicted.
    pub holdout_periods: usize,
    /// Periods of media before the first outcome that are kept, at most.
    pub history_periods: usize,
    /// The control that holds each geo's population; it is not used as a control then.
    pub population: String,
}

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Weeks from daily data; weekly and monthly data as they are.
    Auto,
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Calendar months.
    Month,
}

/// First day of a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeekStart {
    /// ISO weeks.
    Monday,
    /// North American weeks.
    Sunday,
}

/// What a model sees of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaMeasure {
    /// Money; delivery where a channel has no cost.
    Spend,
    /// Impressions.
    Impressions,
    /// Clicks.
    Clicks,
}

/// How a period without a value is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gaps {
    /// Not at all: an error that names the period.
    Error,
    /// With the value before.
    Carry,
    /// With the mean.
    Mean,
    /// With zero.
    Zero,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            outcome: String::new(),
            period: Period::Auto,
            week_start: WeekStart::Monday,
            by_geo: false,
            channels: Vec::new(),
            controls: Vec::new(),
            media: MediaMeasure::Spend,
            media_by_channel: BTreeMap::new(),
            control_gaps: Gaps::Error,
            holdout_periods: 0,
            history_periods: 26,
            population: String::new(),
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let unlisted = |name: &&String| !self.channels.is_empty() && !self.channels.contains(name);
        if let Some(name) = self.media_by_channel.keys().find(unlisted) {
            let text = format!("`media_by_channel` names `{name}`, which is not among `channels`");
            return Err(StepError::config(text).hint("add it to `channels`, or leave it out here"));
        }
        Ok(())
    }

    /// Whether a channel is used.
    pub(crate) fn uses_channel(&self, name: &str) -> bool {
        self.channels.is_empty() || self.channels.iter().any(|own| own == name)
    }

    /// Whether a control is used.
    pub(crate) fn uses_control(&self, name: &str) -> bool {
        let all = self.controls.is_empty();
        name != self.population && (all || self.controls.iter().any(|own| own == name))
    }

    /// What the model sees of a channel.
    pub(crate) fn measure(&self, channel: &str) -> MediaMeasure {
        self.media_by_channel
            .get(channel)
            .copied()
            .unwrap_or(self.media)
    }
}
