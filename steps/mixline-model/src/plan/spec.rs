//! What is asked of a plan: budget, goal, constraints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request::PlanError;

/// How much may be spent over the planned periods.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// As much as would be spent if it went on as it is.
    #[default]
    Current,
    /// This much.
    Total(f64),
    /// This multiple of current spend.
    TimesCurrent(f64),
    /// Whatever meets a target.
    Flexible {
        /// Spend up to where the next unit of money brings this much outcome.
        target_marginal_roas: Option<f64>,
        /// Spend as much as possible while outcome over spend is at least this.
        target_roas: Option<f64>,
        /// Least spend.
        min: Option<f64>,
        /// Most spend.
        max: Option<f64>,
    },
}

/// What is maximised. Weights may be combined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Goal {
    /// Weight of the outcome. Its profit margin makes the goal profit: margin · outcome − spend.
    pub outcome: f64,
    /// Weight of media volume (impressions, clicks: what the model sees), at recent unit prices.
    pub volume: f64,
    /// Cost of a unit of spend in the goal: 1 for profit, 0 for outcome. It matters only when the
    /// budget is flexible.
    pub spend: f64,
    /// How draws count. By default the mean gain less one standard deviation of it: plans that
    /// nearly surely gain, for hardly less gain.
    pub utility: Utility,
}

impl Default for Goal {
    fn default() -> Self {
        Self {
            outcome: 1.0,
            volume: 0.0,
            spend: 0.0,
            utility: Utility::MeanSd(1.0),
        }
    }
}

/// How the gains of the draws over current spend become one number.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Utility {
    /// Their mean.
    #[default]
    Mean,
    /// Mean − k · standard deviation.
    MeanSd(f64),
    /// Mean of the worst share of draws: 0.1 is the worst tenth.
    Cvar(f64),
    /// Probability of more than current spend brings.
    BeatsCurrent,
}

/// What a channel's spend may be; amounts over the planned periods.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellBounds {
    /// Least spend.
    pub min: Option<f64>,
    /// Most spend.
    pub max: Option<f64>,
    /// Most change against current spend: 0.3 is ±30 %.
    pub max_change: Option<f64>,
    /// Either nothing or at least this much.
    pub chunk: Option<f64>,
    /// Spend stays as it is.
    pub locked: bool,
}

/// What channels may receive together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupBounds {
    /// Name, for messages.
    pub name: String,
    /// Its channels. Groups are nested or share nothing.
    pub channels: Vec<String>,
    /// Least spend.
    #[serde(default)]
    pub min: Option<f64>,
    /// Most spend.
    #[serde(default)]
    pub max: Option<f64>,
}

/// A plan, asked for. Amounts of money are totals over the planned periods, never per period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PlanSpec {
    /// Budget.
    pub budget: Budget,
    /// Goal.
    pub goal: Goal,
    /// Most change of any channel against its current spend: 0.5 is ±50 %. A channel without
    /// current spend may get up to the most it ever had. Null: up to three times that for all.
    pub max_change: Option<f64>,
    /// Constraints by channel.
    pub channels: BTreeMap<String, CellBounds>,
    /// Constraints on channels together.
    pub groups: Vec<GroupBounds>,
}

impl Default for PlanSpec {
    fn default() -> Self {
        Self {
            budget: Budget::default(),
            goal: Goal::default(),
            max_change: Some(0.5),
            channels: BTreeMap::new(),
            groups: Vec::new(),
        }
    }
}

impl PlanSpec {
    pub(super) fn check_numbers(&self) -> Result<(), PlanError> {
        let positive = |key: &str, value: Option<f64>| match value {
            Some(value) if !(value.is_finite() && value >= 0.0) => Err(PlanError::Number {
                key: key.to_owned(),
                value,
                rule: "a number of 0 or more",
            }),
            _ => Ok(()),
        };
        match self.budget {
            Budget::Current => {}
            Budget::Total(value) => positive("budget.total", Some(value))?,
            Budget::TimesCurrent(value) => positive("budget.times_current", Some(value))?,
            Budget::Flexible {
                target_marginal_roas,
                target_roas,
                min,
                max,
            } => {
                positive("budget.flexible.target_marginal_roas", target_marginal_roas)?;
                positive("budget.flexible.target_roas", target_roas)?;
                positive("budget.flexible.min", min)?;
                positive("budget.flexible.max", max)?;
            }
        }
        positive("max_change", self.max_change)?;
        positive("goal.outcome", Some(self.goal.outcome))?;
        positive("goal.volume", Some(self.goal.volume))?;
        positive("goal.spend", Some(self.goal.spend))?;
        for (name, own) in &self.channels {
            positive(&format!("channels.{name}.min"), own.min)?;
            positive(&format!("channels.{name}.max"), own.max)?;
            positive(&format!("channels.{name}.max_change"), own.max_change)?;
            positive(&format!("channels.{name}.chunk"), own.chunk)?;
        }
        match self.goal.utility {
            Utility::MeanSd(k) => positive("goal.utility.mean_sd", Some(k)),
            Utility::Cvar(share) if !(share > 0.0 && share <= 1.0) => Err(PlanError::Number {
                key: "goal.utility.cvar".to_owned(),
                value: share,
                rule: "above 0 and at most 1",
            }),
            _ => Ok(()),
        }
    }
}
