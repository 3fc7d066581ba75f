//! The methods by the names that tables and configurations use.

use std::fmt;
use std::str::FromStr;

use mixline_attribution::markov::Which;
use mixline_attribution::{ChannelId, PositionWeights, RuleError, TouchRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way of sharing orders over channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Method {
    /// `spend_share`: by each channel's share of the spend on the order's business day.
    SpendShare,
    /// `last_touch`.
    LastTouch,
    /// `last_non_direct`: the last touch that is no direct visit.
    LastNonDirect,
    /// `first_touch`.
    FirstTouch,
    /// `linear`: equal credit to every touch.
    Linear,
    /// `time_decay`.
    TimeDecay,
    /// `position_based`.
    PositionBased,
    /// `markov_1`, `markov_2`, …: removal effects of a chain of this order; `markov_1_converting`
    /// looks at converting journeys only.
    Markov(usize, Which),
    /// `shapley`: the cumulative game.
    Shapley,
    /// `shapley_incremental`: the game of the fitted model's conversion probability.
    ShapleyIncremental,
    /// `data_driven`: what the fitted model's conversion probability loses without a channel.
    DataDriven,
    /// `mmm_informed`: path shares scaled to the mix model's totals.
    MmmInformed,
}

/// Highest order of a chain: beyond it nearly every state is one customer's.
const HIGHEST: usize = 6;

/// A name that is no method's, or is one that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// Not a method.
    #[error(
        "`{0}` is no attribution method; there are spend_share, last_touch, last_non_direct, \
         first_touch, linear, time_decay, position_based, markov_1 to markov_6 (also \
         markov_1_converting), shapley, shapley_incremental, data_driven, mmm_informed"
    )]
    Unknown(String),
    /// The game of conversion rates.
    #[error(
        "`shapley_rate` is refused: a conversion rate can fall when a channel joins, so this game \
         gives channels that also meet people who do not buy negative credit; use `shapley`, or \
         `shapley_incremental` for what touches add"
    )]
    Rate,
}

impl Method {
    /// Whether the method looks at touches.
    #[must_use]
    pub fn needs_touches(self) -> bool {
        self != Self::SpendShare
    }

    /// Whether it is one of the two that need a fitted model of conversions.
    #[must_use]
    pub fn needs_conversion_model(self) -> bool {
        matches!(self, Self::ShapleyIncremental | Self::DataDriven)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpendShare => "spend_share",
            Self::LastTouch => "last_touch",
            Self::LastNonDirect => "last_non_direct",
            Self::FirstTouch => "first_touch",
            Self::Linear => "linear",
            Self::TimeDecay => "time_decay",
            Self::PositionBased => "position_based",
            Self::Markov(order, Which::All) => return write!(f, "markov_{order}"),
            Self::Markov(order, Which::Converting) => {
                return write!(f, "markov_{order}_converting");
            }
            Self::Shapley => "shapley",
            Self::ShapleyIncremental => "shapley_incremental",
            Self::DataDriven => "data_driven",
            Self::MmmInformed => "mmm_informed",
        })
    }
}

impl FromStr for Method {
    type Err = MethodError;

    fn from_str(name: &str) -> Result<Self, MethodError> {
        Ok(match name {
            "spend_share" => Self::SpendShare,
            "last_touch" => Self::LastTouch,
            "last_non_direct" => Self::LastNonDirect,
            "first_touch" => Self::FirstTouch,
            "linear" => Self::Linear,
            "time_decay" => Self::TimeDecay,
            "position_based" => Self::PositionBased,
            "shapley" => Self::Shapley,
            "shapley_incremental" => Self::ShapleyIncremental,
            "data_driven" => Self::DataDriven,
            "mmm_informed" => Self::MmmInformed,
            "shapley_rate" => return Err(MethodError::Rate),
            other => return markov(other).ok_or_else(|| MethodError::Unknown(other.to_owned())),
        })
    }
}

fn markov(name: &str) -> Option<Method> {
    let rest = name.strip_prefix("markov_")?;
    let (order, which) = match rest.strip_suffix("_converting") {
        Some(order) => (order, Which::Converting),
        None => (rest, Which::All),
    };
    let order = order
        .parse()
        .ok()
        .filter(|order| (1..=HIGHEST).contains(order))?;
    Some(Method::Markov(order, which))
}

impl TryFrom<String> for Method {
    type Error = MethodError;
    fn try_from(name: String) -> Result<Self, MethodError> {
        name.parse()
    }
}

impl From<Method> for String {
    fn from(method: Method) -> Self {
        method.to_string()
    }
}

impl JsonSchema for Method {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Method".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A way of sharing orders over channels.",
            "type": "string",
            "anyOf": [
                {"enum": [
                    "spend_share", "last_touch", "last_non_direct", "first_touch", "linear",
                    "time_decay", "position_based", "shapley", "shapley_incremental",
                    "data_driven", "mmm_informed",
                ]},
                {"pattern": "^markov_[1-6](_converting)?$"},
            ],
        })
    }
}

/// Parameters of the rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// Time decay: days after which a touch counts half.
    pub half_life_days: f64,
    /// Position based: weights of first, middle and last touches.
    pub position: PositionWeights,
    /// The channel of direct visits; it also gets what no touch led to.
    pub direct: String,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            half_life_days: 7.0,
            position: PositionWeights::default(),
            direct: "direct".to_owned(),
        }
    }
}

impl RuleSettings {
    /// The rule behind a method; `None` for methods that are none.
    #[must_use]
    pub fn rule(&self, method: Method, direct: ChannelId) -> Option<TouchRule> {
        Some(match method {
            Method::LastTouch => TouchRule::LastTouch,
            Method::LastNonDirect => TouchRule::LastNonDirect {
                direct: Some(direct),
            },
            Method::FirstTouch => TouchRule::FirstTouch,
            Method::Linear => TouchRule::Linear,
            Method::TimeDecay => TouchRule::TimeDecay {
                half_life_days: self.half_life_days,
            },
            Method::PositionBased => TouchRule::PositionBased(self.position),
            _ => return None,
        })
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The key, and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, RuleError)> {
        let decay = TouchRule::TimeDecay {
            half_life_days: self.half_life_days,
        };
        decay
            .validate()
            .map_err(|error| ("half_life_days", error))?;
        let position = TouchRule::PositionBased(self.position);
        position.validate().map_err(|error| ("position", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_others_are_refused_with_a_reason() {
        for name in [
            "spend_share",
            "last_non_direct",
            "markov_3",
            "markov_1_converting",
            "shapley_incremental",
            "mmm_informed",
        ] {
            assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
        }
        for name in ["markov_0", "markov_7", "markov_x", "last_click", ""] {
            assert!(
                matches!(name.parse::<Method>(), Err(MethodError::Unknown(_))),
                "{name}"
            );
        }
        let rate = "shapley_rate".parse::<Method>().unwrap_err();
        assert!(rate.to_string().contains("negative credit"));
    }
}
