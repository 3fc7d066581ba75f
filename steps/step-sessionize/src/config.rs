//! Configuration of the step.

use std::collections::BTreeSet;

use mixline_attribution::sessionize::{Reason, Rules};
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What of the touches is one's own traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Internal {
    /// Channels of one's own people and tests.
    pub channels: BTreeSet<String>,
    /// Campaigns; `*` at the end stands for anything: `qa_*`.
    pub campaigns: BTreeSet<String>,
    /// Keys of customers who are one's own people.
    pub customers: BTreeSet<String>,
}

/// Configuration of `step-sessionize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How touches and orders become journeys.
    pub rules: Rules,
    /// Channels that are known; touches of others are left out. Empty: every channel that has a
    /// name.
    pub channels: BTreeSet<String>,
    /// Traffic that is no customer's.
    pub internal: Internal,
    /// Touches later than the newest order by more than these hours have a wrong clock.
    pub future_hours: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            channels: BTreeSet::new(),
            internal: Internal::default(),
            future_hours: 48.0,
        }
    }
}

impl Config {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`StepError::config`] naming the key.
    pub fn check(&self) -> Result<(), StepError> {
        self.rules
            .validate()
            .map_err(|error| StepError::config(format!("`rules`: {error}")))?;
        if !(self.future_hours.is_finite() && self.future_hours >= 0.0) {
            let hours = self.future_hours;
            return Err(StepError::config(format!(
                "`future_hours` is {hours}; it must be 0 or more"
            )));
        }
        Ok(())
    }

    /// Why no touch of a channel and campaign counts; `None` when they do.
    pub(crate) fn refusal(&self, channel: &str, campaign: &str) -> Option<Reason> {
        let unknown = channel.trim().is_empty()
            || (!self.channels.is_empty() && !self.channels.contains(channel));
        if unknown {
            return Some(Reason::UnknownChannel);
        }
        let pattern = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => campaign.starts_with(beginning),
            None => campaign == pattern,
        };
        let internal =
            self.internal.channels.contains(channel) || self.internal.campaigns.iter().any(pattern);
        internal.then_some(Reason::Internal)
    }
}
