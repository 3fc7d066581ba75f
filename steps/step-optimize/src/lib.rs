//! Plans the budget of the coming weeks, over the champion's draws.
//!
//! ```text
//! design, champion ─► surface ─► best plan            budget_plan, plan_outcomes, plan_schedule
//!                                 inside what was seen
//!                                 greedy
//!                                 frontier             budget_frontier
//! ```
//!
//! A model that failed its checks gets no plan: the tables stay empty, and the report says why.

mod columns;
mod config;
mod rows;

pub use config::Config;

use mixline_model::plan::{Flights, PlanError, flights, frontier, optimise};
use mixline_model_tables::{Base, BaseError, base};
use mixline_schema::catalog::{
    BudgetFrontier, BudgetPlan, Design, File, ModelChecks, PlanOutcomes, PlanSchedule,
    PosteriorDraws,
};
use mixline_step::{Column, Context, Resources, Step, StepError, Table, inputs, outputs};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The newest series: current spend, and media whose effects carry over into the plan.
        design: Design,
        /// What the checks found of the newest model.
        checks: ModelChecks,
        /// The champion's model card.
        champion_model: Option<File> as "champion_model",
        /// The champion's draws.
        champion_draws: Option<PosteriorDraws> as "champion_draws",
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Spend by channel, now and proposed.
        plan: BudgetPlan => Replace,
        /// What each plan brings.
        outcomes: PlanOutcomes => Replace,
        /// The best plan by period.
        schedule: PlanSchedule => Replace,
        /// The best plan at other budgets.
        frontier: BudgetFrontier => Replace,
    }
}

/// The step.
#[derive(Debug)]
pub struct Optimize;

impl Step for Optimize {
    const NAME: &'static str = "step-optimize";
    const ABOUT: &'static str = "Plans the budget of the coming weeks from the champion's draws.";
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    const RESOURCES: Resources = Resources {
        cores: 2.0,
        memory_mib: 2048,
    };
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        ctx.progress(0.0, "loading the champion");
        let champion = inputs
            .champion_model
            .as_ref()
            .zip(inputs.champion_draws.as_ref());
        let base = base(&inputs.design, &inputs.checks, champion, &config.horizon);
        match base.map_err(refused)? {
            Ok(base) => planned(config, &base, ctx),
            Err(none) => {
                ctx.note("no_plan", none.reason());
                Ok(Outputs {
                    plan: Table::empty(),
                    outcomes: Table::empty(),
                    schedule: Table::empty(),
                    frontier: Table::empty(),
                })
            }
        }
    }
}

fn planned(config: &Config, base: &Base, ctx: &Context) -> Result<Outputs, StepError> {
    let (model, surface) = (&base.fitted.model, &base.surface);
    ctx.note("model_id", base.fitted.card.model_id.clone());
    ctx.note("draws", surface.draws());
    ctx.progress(0.2, "optimising");
    let plans = optimise(model, surface, &config.plan).map_err(wrong)?;
    ctx.progress(0.6, "the frontier");
    let budget = plans.best.budget();
    let points = frontier(model, surface, &config.plan, budget, &config.frontier).map_err(wrong)?;
    let flown = match config.pacing {
        Some(pacing) => {
            ctx.progress(0.8, "flighting");
            let spend: Vec<f64> = plans.best.cells.iter().map(|cell| cell.spend).collect();
            Some(flights(surface, &spend, pacing).map_err(wrong)?)
        }
        None => None,
    };
    let flown: Option<&Flights> = flown.as_ref();
    ctx.note("budget", budget);
    ctx.note("expected_gain", plans.best.gain.mean);
    ctx.note("certificate", plans.best.certificate());
    ctx.progress(0.95, "writing");
    Ok(Outputs {
        plan: Table::from_rows(rows::plan(base, &plans))?,
        outcomes: Table::from_rows(rows::outcomes(config, base, &plans, flown))?,
        schedule: Table::from_rows(rows::schedule(base, &plans.best, flown))?,
        frontier: Table::from_rows(rows::frontier(&points))?,
    })
}

fn refused(error: BaseError) -> StepError {
    match error {
        BaseError::Plan(error) => wrong(error),
        other @ BaseError::Load(_) => StepError::data("the champion cannot be used")
            .because(other)
            .hint("run weekly_retrain on this design first"),
    }
}

/// Requests that contradict themselves are configuration errors; data without spend are not.
fn wrong(error: PlanError) -> StepError {
    match error {
        PlanError::NoSpend | PlanError::NotAdditive(_) => {
            StepError::data("nothing can be planned").because(error)
        }
        _ => StepError::config("the plan cannot be made as asked")
            .because(error)
            .hint("amounts are totals over the planned periods; `max_change` is relative to current spend"),
    }
}

#[cfg(test)]
mod tests;
