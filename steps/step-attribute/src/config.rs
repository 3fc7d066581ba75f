//! Configuration of the step: which methods, and their parameters.

use std::collections::BTreeSet;

use mixline_attribution::markov::Which;
use mixline_attribution_tables::{Method, RuleSettings};
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of `step-attribute`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Methods to apply. Those that cannot be (no touches, nothing learned yet) are left out, and
    /// the result says so.
    pub methods: BTreeSet<Method>,
    /// Parameters of the rules; the same as in `step-weigh`.
    pub rules: RuleSettings,
    /// Days before the window that are computed again, because platforms correct their numbers.
    pub restatement_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        let methods = [
            Method::SpendShare,
            Method::LastTouch,
            Method::LastNonDirect,
            Method::FirstTouch,
            Method::Linear,
            Method::TimeDecay,
            Method::PositionBased,
            Method::Markov(1, Which::All),
            Method::Shapley,
            Method::DataDriven,
            Method::MmmInformed,
        ];
        Self {
            methods: methods.into(),
            rules: RuleSettings::default(),
            restatement_days: 28,
        }
    }
}

/// Ten years: more would only hide a mistake in the unit.
const MAX_RESTATEMENT_DAYS: u32 = 3660;

impl Config {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`StepError::config`] naming the key.
    pub fn check(&self) -> Result<(), StepError> {
        if self.methods.is_empty() {
            return Err(StepError::config("`methods` is empty")
                .hint("name at least one method, for example [\"spend_share\"]"));
        }
        if self.restatement_days > MAX_RESTATEMENT_DAYS {
            return Err(StepError::config(format!(
                "`restatement_days` is {}; at most {MAX_RESTATEMENT_DAYS} make sense",
                self.restatement_days
            )));
        }
        self.rules
            .validate()
            .map_err(|(key, error)| StepError::config(format!("`rules.{key}`: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_is_legal_and_wrong_values_name_their_key() {
        assert!(Config::default().check().is_ok());
        let rules = RuleSettings {
            half_life_days: -1.0,
            ..RuleSettings::default()
        };
        let wrong = [
            (
                Config {
                    methods: BTreeSet::new(),
                    ..Config::default()
                },
                "`methods`",
            ),
            (
                Config {
                    rules,
                    ..Config::default()
                },
                "`rules.half_life_days`",
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
