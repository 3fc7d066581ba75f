//! The rules of sessionizing, as they are configured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;

/// What happens to a customer's path after a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterConversion {
    /// The next journey begins with the next touch.
    #[default]
    Restart,
    /// Touches before the conversion also count for later ones, within the look-back.
    Continue,
}

/// What counts as one touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Every touch that is no duplicate.
    #[default]
    Touch,
    /// One touch of a channel and campaign per session: its first click, or else its first view.
    Session,
}

/// How touches and orders become journeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Clicks older than this many days earn no credit for an order.
    pub click_days: f64,
    /// Views older than this many days earn no credit for an order.
    pub view_days: f64,
    /// How much a click counts.
    pub click_weight: f64,
    /// How much a view counts beside a click; 0 leaves views in the path without credit.
    pub view_weight: f64,
    /// Minutes without a touch after which a new session begins.
    pub session_minutes: f64,
    /// A touch of the same channel, campaign and kind within this many seconds is the same touch.
    pub duplicate_seconds: f64,
    /// What counts as one touch.
    pub unit: Unit,
    /// What happens to a path after a conversion.
    pub after_conversion: AfterConversion,
    /// Whether a touch at the very instant of an order counts as before it.
    pub at_conversion: bool,
    /// A touch up to this many seconds after an order counts as before it: the clocks of browsers
    /// and shops differ.
    pub clock_skew_seconds: f64,
    /// Most touches of one journey; the oldest beyond are left out.
    pub max_touches: usize,
    /// More touches of one customer within 24 hours are a program's, and all are left out.
    pub bot_touches_per_day: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            click_days: 30.0,
            view_days: 1.0,
            click_weight: 1.0,
            view_weight: 1.0,
            session_minutes: 30.0,
            duplicate_seconds: 1.0,
            unit: Unit::Touch,
            after_conversion: AfterConversion::Restart,
            at_conversion: false,
            clock_skew_seconds: 0.0,
            max_touches: 500,
            bot_touches_per_day: 1_000,
        }
    }
}

/// A rule that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}; it must be {must}")]
pub struct RulesError {
    /// The rule.
    pub key: &'static str,
    /// What it was set to.
    pub value: f64,
    /// What it must be.
    pub must: &'static str,
}

pub(super) const DAY: f64 = 86_400.0 * 1e6;

impl Rules {
    /// Checks every number.
    ///
    /// # Errors
    /// [`RulesError`] naming the first that is out of its domain.
    pub fn validate(&self) -> Result<(), RulesError> {
        let positive = [
            ("click_days", self.click_days),
            ("view_days", self.view_days),
            ("session_minutes", self.session_minutes),
            ("max_touches", self.max_touches as f64),
            ("bot_touches_per_day", self.bot_touches_per_day as f64),
        ];
        let not_negative = [
            ("click_weight", self.click_weight),
            ("view_weight", self.view_weight),
            ("duplicate_seconds", self.duplicate_seconds),
            ("clock_skew_seconds", self.clock_skew_seconds),
        ];
        let error = |(key, value), must| RulesError { key, value, must };
        if let Some(&wrong) = positive.iter().find(|(_, x)| !(x.is_finite() && *x > 0.0)) {
            return Err(error(wrong, "above 0"));
        }
        match not_negative
            .iter()
            .find(|(_, x)| !(x.is_finite() && *x >= 0.0))
        {
            Some(&wrong) => Err(error(wrong, "0 or more")),
            None => Ok(()),
        }
    }

    /// The longest time a touch may be before an order, in microseconds.
    pub(super) fn reach(&self) -> f64 {
        self.click_days.max(self.view_days) * DAY
    }

    /// How much a touch of this kind counts at this age.
    pub(super) fn weight(&self, kind: Kind, age_days: f64) -> f64 {
        let (days, weight) = match kind {
            Kind::Click => (self.click_days, self.click_weight),
            Kind::View => (self.view_days, self.view_weight),
        };
        if age_days <= days { weight } else { 0.0 }
    }
}
