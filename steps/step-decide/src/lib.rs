//! Recommends actions by rules, and keeps what became of them.
//!
//! ```text
//! metrics, champion, plan, comparison ─► facts ─► rules ─► proposals ─► store
//!                                        facts.rs  rules/   proposal.rs  history.rs
//! ```
//!
//! Everything is told over the periods of `rules.horizon`. A budget plan may be for more periods, or
//! for fewer: its amounts are taken per period.
//!
//! Every day the rules look at the same facts a person would: what the next unit of money brings,
//! how sure that is, how old the data are. What they recommend carries its evidence and a
//! confidence, expires, and does not flip back within the cool-down.

mod columns;
mod confidence;
mod config;
mod facts;
mod history;
mod proposal;
mod rules;

pub use config::{Config, Rules};

use mixline_schema::catalog::{
    BudgetPlan, Comparison, DecisionStore, Design, File, ModelChecks, PlanOutcomes, PosteriorDraws,
    UnifiedDailyMetrics,
};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

inputs! {
    /// What the step reads: metrics, and of the model whatever there is.
    pub struct Inputs {
        /// Metrics by day and channel.
        metrics: UnifiedDailyMetrics,
        /// The newest series.
        design: Option<Design>,
        /// What the checks found of the newest model.
        checks: Option<ModelChecks>,
        /// The champion's model card.
        champion_model: Option<File> as "champion_model",
        /// The champion's draws.
        champion_draws: Option<PosteriorDraws> as "champion_draws",
        /// The newest budget plan.
        plan: Option<BudgetPlan>,
        /// What it brings, and over how many periods.
        outcomes: Option<PlanOutcomes>,
        /// Attribution beside the model.
        comparison: Option<Comparison>,
        /// Decisions so far.
        decisions: Option<DecisionStore>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Decisions, old and new.
        decisions: DecisionStore => Upsert,
    }
}

/// The step.
#[derive(Debug)]
pub struct Decide;

impl Step for Decide {
    const NAME: &'static str = "step-decide";
    const ABOUT: &'static str = "Recommends actions by rules, and keeps what became of them.";
    const OBSERVES: &'static [&'static str] = &["rules_file"];
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.rules()?.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let rules = config.rules()?;
        rules.check()?;
        let Some(facts) = facts::gather(&rules, &inputs)? else {
            return Err(
                StepError::nothing_to_do("there are no metrics to decide on yet")
                    .hint("run daily_ingest first"),
            );
        };
        ctx.note("as_of", facts.as_of.to_string());
        ctx.note("model_id", facts.model_id.clone());
        if let Some(why) = facts.no_moves {
            ctx.note("no_moves", why);
        }
        ctx.progress(0.5, "rules");
        let proposals = rules::apply(&rules, &facts);
        ctx.note("proposals", proposals.len());
        let known = inputs
            .decisions
            .map(|table| table.rows())
            .unwrap_or_default();
        let rows = history::merged(&rules, &facts, known, proposals);
        let open = rows
            .iter()
            .filter(|row| row.status == history::PROPOSED)
            .count();
        ctx.note("open_decisions", open);
        Ok(Outputs {
            decisions: Table::from_rows(rows)?,
        })
    }
}

#[cfg(test)]
mod tests;
