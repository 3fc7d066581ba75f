//! The rules' thresholds: inline, or in a file of their own.

use std::path::PathBuf;

use mixline_model_tables::Periods;
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the thresholds are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A TOML file with the keys of `rules`; when given, `rules` here is not used.
    pub rules_file: Option<PathBuf>,
    /// Thresholds.
    pub rules: Rules,
}

/// Thresholds of all rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Outcome per unit of spend at which money is neither won nor lost: 1 / profit margin.
    pub break_even_roas: f64,
    /// More spend where the next unit brings enough.
    pub scale_up: Scale,
    /// Less spend where it brings too little.
    pub scale_down: Scale,
    /// Moves between channels that the budget plan asks for.
    pub reallocate: Reallocate,
    /// Experiments where nobody knows enough.
    pub test: Test,
    /// What to say of a channel without a model, from attributed ROAS alone.
    pub attributed: Attributed,
    /// Confidence below which an action becomes a `hold`.
    pub min_confidence: f64,
    /// Days during which a recommendation is not turned around, nor a rejected one repeated.
    pub cool_down_days: u32,
    /// Days after which a recommendation is no longer worth acting on.
    pub expires_after_days: u32,
    /// Which periods spend and gains are told for. Amounts of a budget plan over more periods, or
    /// fewer, are taken per period.
    pub horizon: Periods,
}

/// When a channel's spend should change by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Whether the rule is on.
    pub enabled: bool,
    /// Mean marginal ROAS, as a multiple of break-even, from which the rule fires.
    pub marginal_roas: f64,
    /// Probability, over draws, that the marginal ROAS is on that side of break-even.
    pub probability: f64,
    /// Change of spend that is recommended: 0.2 is 20 %.
    pub step: f64,
}

/// When money should move between channels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reallocate {
    /// Whether the rule is on.
    pub enabled: bool,
    /// Least amount moved, as a share of the giving channel's spend.
    pub least_share: f64,
    /// Probability, over draws, that the move gains.
    pub probability: f64,
    /// Moves recommended at most.
    pub most: usize,
}

impl Default for Reallocate {
    fn default() -> Self {
        Self {
            enabled: true,
            least_share: 0.05,
            probability: 0.8,
            most: 3,
        }
    }
}

/// When an experiment should be run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Test {
    /// Whether the rule is on.
    pub enabled: bool,
    /// Width of the 90 % interval of marginal ROAS over its mean, from which nobody knows enough.
    pub width: f64,
    /// Share of all spend below which a channel is not worth an experiment.
    pub least_spend_share: f64,
}

impl Default for Test {
    fn default() -> Self {
        Self {
            enabled: true,
            width: 2.0,
            least_spend_share: 0.03,
        }
    }
}

/// What attributed ROAS alone may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attributed {
    /// ROAS aimed at; null: nothing is recommended without a model.
    pub target_roas: Option<f64>,
    /// Days that are looked at.
    pub days: u32,
    /// Distance from the target, as a share, from which the rule fires.
    pub tolerance: f64,
    /// Most confidence that attribution alone may give.
    pub most_confidence: f64,
}

impl Default for Attributed {
    fn default() -> Self {
        Self {
            target_roas: None,
            days: 28,
            tolerance: 0.25,
            most_confidence: 0.3,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        let scale = |marginal_roas: f64| Scale {
            enabled: true,
            marginal_roas,
            probability: 0.8,
            step: 0.2,
        };
        Self {
            break_even_roas: 1.0,
            scale_up: scale(1.2),
            scale_down: scale(0.8),
            reallocate: Reallocate::default(),
            test: Test::default(),
            attributed: Attributed::default(),
            min_confidence: 0.25,
            cool_down_days: 14,
            expires_after_days: 28,
            horizon: Periods::default(),
        }
    }
}

impl Config {
    /// The thresholds, from the file when there is one.
    pub(crate) fn rules(&self) -> Result<Rules, StepError> {
        let Some(path) = &self.rules_file else {
            return Ok(self.rules.clone());
        };
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            StepError::config(format!("the rules file `{shown}` cannot be read")).because(error)
        })?;
        toml::from_str(&text).map_err(|error| {
            StepError::config(format!("the rules file `{shown}` has a mistake"))
                .because(error)
                .hint("`step-decide describe` prints every key of `rules`")
        })
    }
}

impl Rules {
    /// Checks ranges.
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let numbers = [
            (
                "break_even_roas",
                self.break_even_roas,
                positive(self.break_even_roas),
                "above 0",
            ),
            (
                "scale_up.marginal_roas",
                self.scale_up.marginal_roas,
                self.scale_up.marginal_roas >= 1.0,
                "1 or more: a multiple of break-even",
            ),
            (
                "scale_down.marginal_roas",
                self.scale_down.marginal_roas,
                share(self.scale_down.marginal_roas),
                "between 0 and 1: a multiple of break-even",
            ),
            (
                "scale_up.probability",
                self.scale_up.probability,
                share(self.scale_up.probability),
                "between 0 and 1",
            ),
            (
                "scale_down.probability",
                self.scale_down.probability,
                share(self.scale_down.probability),
                "between 0 and 1",
            ),
            (
                "scale_up.step",
                self.scale_up.step,
                positive(self.scale_up.step),
                "above 0",
            ),
            (
                "scale_down.step",
                self.scale_down.step,
                positive(self.scale_down.step) && self.scale_down.step <= 1.0,
                "above 0 and at most 1",
            ),
            (
                "reallocate.probability",
                self.reallocate.probability,
                share(self.reallocate.probability),
                "between 0 and 1",
            ),
            (
                "reallocate.least_share",
                self.reallocate.least_share,
                share(self.reallocate.least_share),
                "between 0 and 1",
            ),
            (
                "test.width",
                self.test.width,
                positive(self.test.width),
                "above 0",
            ),
            (
                "test.least_spend_share",
                self.test.least_spend_share,
                share(self.test.least_spend_share),
                "between 0 and 1",
            ),
            (
                "attributed.tolerance",
                self.attributed.tolerance,
                share(self.attributed.tolerance),
                "between 0 and 1",
            ),
            (
                "attributed.most_confidence",
                self.attributed.most_confidence,
                share(self.attributed.most_confidence),
                "between 0 and 1",
            ),
            (
                "min_confidence",
                self.min_confidence,
                share(self.min_confidence),
                "between 0 and 1",
            ),
        ];
        match numbers.iter().find(|(_, _, holds, _)| !holds) {
            Some((key, value, _, rule)) => Err(StepError::config(format!(
                "`rules.{key}` is {value}, but must be {rule}"
            ))),
            None => Ok(()),
        }
    }
}
