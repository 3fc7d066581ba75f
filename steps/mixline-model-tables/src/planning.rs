//! What plans are made from: the champion, the weeks to plan, and leave to plan at all.

use mixline_artifact::Table;
use mixline_model::plan::{Flighting, Horizon, PlanError, Surface};
use mixline_schema::catalog::{Design, File, ModelChecks, PosteriorDraws};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fitted, LoadError, Verdict, load};

/// The periods to plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Periods {
    /// Planned periods; they follow the last period of the data.
    pub periods: usize,
    /// Periods at the end of the data whose spend counts as current.
    pub reference_periods: usize,
    /// Spread of a channel's spend over the planned periods.
    pub flighting: Flighting,
    /// Whether effects of media before the first planned period are built upon.
    pub carry_in: bool,
    /// Whether regions are planned apart; else they keep their shares.
    pub by_geo: bool,
}

impl Default for Periods {
    fn default() -> Self {
        let Horizon {
            periods,
            reference,
            flighting,
            carry_in,
        } = Horizon::default();
        Self {
            periods,
            reference_periods: reference,
            flighting,
            carry_in,
            by_geo: false,
        }
    }
}

/// A champion ready for planning.
#[derive(Debug)]
pub struct Base {
    /// The champion on the newest data.
    pub fitted: Fitted,
    /// What its channels' spend would bring.
    pub surface: Surface,
}

/// Why nothing is planned, though nothing is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlan {
    /// The newest model failed its checks.
    Failed,
    /// No model was ever promoted.
    NoChampion,
}

impl NoPlan {
    /// The reason, in a sentence.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Failed => "There is no budget plan: the newest model failed its checks.",
            Self::NoChampion => {
                "There is no budget plan: no model has been promoted to champion yet."
            }
        }
    }
}

/// A base that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The artifacts do not belong together.
    #[error("design, champion and its draws do not belong together")]
    Load(#[from] LoadError),
    /// The model cannot be planned with.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// The base of a plan, or the reason why there may be none.
///
/// # Errors
/// [`BaseError`] when artifacts do not fit, or effects do not add up.
pub fn base(
    design: &Table<Design>,
    checks: &Table<ModelChecks>,
    champion: Option<(&Table<File>, &Table<PosteriorDraws>)>,
    periods: &Periods,
) -> Result<Result<Base, NoPlan>, BaseError> {
    if Verdict::overall(&checks.rows()) == Some(Verdict::Fail) {
        return Ok(Err(NoPlan::Failed));
    }
    let Some((card, draws)) = champion else {
        return Ok(Err(NoPlan::NoChampion));
    };
    let fitted = load(design, card, draws)?;
    let horizon = Horizon {
        periods: periods.periods,
        reference: periods.reference_periods,
        flighting: periods.flighting,
        carry_in: periods.carry_in,
    };
    let surface = Surface::new(&fitted.model, &fitted.draws, horizon, periods.by_geo)?;
    Ok(Ok(Base { fitted, surface }))
}
