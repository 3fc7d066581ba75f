//! What may be set.

use mixline_model::plan::{Pacing, PlanSpec};
use mixline_model_tables::Periods;
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The plan that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which periods are planned.
    pub horizon: Periods,
    /// Budget, goal and constraints. Amounts are totals over the planned periods.
    pub plan: PlanSpec,
    /// When given, the best plan's spend is spread over the periods for the highest mean outcome,
    /// each period's spend within these multiples of an even share; else as `horizon.flighting`
    /// says.
    pub pacing: Option<Pacing>,
    /// Budgets of the frontier, as multiples of the plan's.
    pub frontier: Vec<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            horizon: Periods::default(),
            plan: PlanSpec::default(),
            pacing: None,
            frontier: (10..=30).map(|k| f64::from(k) / 20.0).collect(),
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let wrong = |text: String| Err(StepError::config(text));
        for (key, value) in [
            ("horizon.periods", self.horizon.periods),
            ("horizon.reference_periods", self.horizon.reference_periods),
        ] {
            if !(1..=520).contains(&value) {
                return wrong(format!(
                    "`{key}` is {value}, which is not between 1 and 520"
                ));
            }
        }
        if self.frontier.len() > 200 {
            return wrong("`frontier` has more than 200 budgets".to_owned());
        }
        match self
            .frontier
            .iter()
            .find(|m| !(m.is_finite() && **m >= 0.0))
        {
            Some(value) => wrong(format!(
                "`frontier` has {value}, which is no multiple of a budget"
            )),
            None => Ok(()),
        }
    }
}
