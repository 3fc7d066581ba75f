//! Configuration of the step: which methods, and their parameters.

use mixline_attribution::{PositionWeights, TouchRule};
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way of sharing an order over channels.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By each channel's share of the spend on the order's business day; needs no touchpoints.
    SpendShare,
    /// All credit to the last touch before the order.
    LastTouch,
    /// All credit to the first touch within the look-back.
    FirstTouch,
    /// Equal credit to every touch.
    Linear,
    /// Credit halves with every half-life before the order.
    TimeDecay,
    /// Fixed weights for first and last touch, the rest shared by the middle.
    PositionBased,
}

impl Method {
    /// Every method, in the order they are written.
    pub const ALL: [Self; 6] = [
        Self::SpendShare,
        Self::LastTouch,
        Self::FirstTouch,
        Self::Linear,
        Self::TimeDecay,
        Self::PositionBased,
    ];

    /// The name in the `method` column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SpendShare => "spend_share",
            Self::LastTouch => "last_touch",
            Self::FirstTouch => "first_touch",
            Self::Linear => "linear",
            Self::TimeDecay => "time_decay",
            Self::PositionBased => "position_based",
        }
    }
}

/// Configuration of `step-attribute`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Methods to apply. Those that look at touches are left out while there are no touchpoints.
    pub methods: Vec<Method>,
    /// Touches older than this many days earn no credit.
    pub look_back_days: f64,
    /// Time decay: days after which a touch counts half.
    pub half_life_days: f64,
    /// Position based: weights of first, middle and last touches.
    pub position: PositionWeights,
    /// Days before the window that are computed again, because platforms correct their numbers.
    pub restatement_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            methods: Method::ALL.to_vec(),
            look_back_days: 30.0,
            half_life_days: 7.0,
            position: PositionWeights::default(),
            restatement_days: 28,
        }
    }
}

impl Config {
    /// The rule behind a method; `None` for spend share, which looks at no touch.
    #[must_use]
    pub fn rule(&self, method: Method) -> Option<TouchRule> {
        Some(match method {
            Method::SpendShare => return None,
            Method::LastTouch => TouchRule::LastTouch,
            Method::FirstTouch => TouchRule::FirstTouch,
            Method::Linear => TouchRule::Linear,
            Method::TimeDecay => TouchRule::TimeDecay {
                half_life_days: self.half_life_days,
            },
            Method::PositionBased => TouchRule::PositionBased(self.position),
        })
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// [`StepError::config`] naming the key.
    pub fn check(&self) -> Result<(), StepError> {
        if self.methods.is_empty() {
            return Err(StepError::config("`methods` is empty")
                .hint("name at least one method, for example [\"spend_share\"]"));
        }
        if !(self.look_back_days.is_finite() && self.look_back_days > 0.0) {
            let text = format!(
                "`look_back_days` is {}; it must be above 0",
                self.look_back_days
            );
            return Err(StepError::config(text));
        }
        if self.restatement_days > MAX_RESTATEMENT_DAYS {
            return Err(StepError::config(format!(
                "`restatement_days` is {}; at most {MAX_RESTATEMENT_DAYS} make sense",
                self.restatement_days
            )));
        }
        let rules = [
            TouchRule::TimeDecay {
                half_life_days: self.half_life_days,
            },
            TouchRule::PositionBased(self.position),
        ];
        for (key, rule) in ["half_life_days", "position"].into_iter().zip(rules) {
            rule.validate()
                .map_err(|error| StepError::config(format!("`{key}`: {error}")))?;
        }
        Ok(())
    }
}

/// Ten years: more would only hide a mistake in the unit.
const MAX_RESTATEMENT_DAYS: u32 = 3660;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_is_legal_and_wrong_values_name_their_key() {
        assert!(Config::default().check().is_ok());
        let wrong = [
            (
                Config {
                    methods: vec![],
                    ..Config::default()
                },
                "`methods`",
            ),
            (
                Config {
                    look_back_days: 0.0,
                    ..Config::default()
                },
                "`look_back_days`",
            ),
            (
                Config {
                    half_life_days: -1.0,
                    ..Config::default()
                },
                "`half_life_days`",
            ),
            (
                Config {
                    restatement_days: 99_999,
                    ..Config::default()
                },
                "`restatement_days`",
            ),
        ];
        for (config, key) in wrong {
            assert!(config.check().unwrap_err().to_string().contains(key));
        }
    }
}
