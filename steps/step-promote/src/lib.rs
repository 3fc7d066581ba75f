//! Makes a candidate model the champion, or says why not.
//!
//! ```text
//! verdict of model_checks ── fail ──► rejected
//!         │
//!         └─► score on the holdout, beside the standing champion on the same periods
//!                      ── worse by more than the tolerance ──► rejected
//!                      └──────────────────────────────────────► champion
//! ```
//!
//! The score is the mean CRPS (Gneiting and Raftery 2007): the error of the whole predictive
//! distribution, in units of the outcome. The champion keeps its own scales, so its parameters
//! keep their meaning on new data.
//!
//! `champion_model` and `champion_draws` hold the champion; their versions are its history, which
//! `mixline model` lists and rolls back. The first candidate that passes becomes champion.

mod columns;

use mixline_model::response::predict;
use mixline_model_tables::{HOLDOUT, ModelCard, load};
use mixline_schema::catalog::{
    Design, File, ModelChecks, ModelRegistry, PosteriorDraws, Predictions,
};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The series that were fitted.
        design: Design,
        /// The candidate's model card.
        model: File as "model",
        /// The candidate's draws.
        draws: PosteriorDraws,
        /// What the checks found.
        checks: ModelChecks,
        /// The candidate's predictions.
        predictions: Predictions,
        /// The standing champion's model card.
        champion_model: Option<File> as "champion_model",
        /// The standing champion's draws.
        champion_draws: Option<PosteriorDraws> as "champion_draws",
        /// Decisions so far.
        registry: Option<ModelRegistry>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Every candidate, and what became of it.
        registry: ModelRegistry => Upsert,
        /// The new champion's model card; unwritten when nothing changes.
        champion_model: Option<File> as "champion_model" => Replace,
        /// The new champion's draws; unwritten when nothing changes.
        champion_draws: Option<PosteriorDraws> as "champion_draws" => Replace,
    }
}

/// When a candidate becomes champion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether a verdict of `review` is good enough.
    pub accept_review: bool,
    /// How much worse than the champion's the candidate's score may be, as a share: the champion
    /// may have been fitted to periods that the candidate has only predicted.
    pub tolerance: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accept_review: true,
            tolerance: 0.1,
        }
    }
}

/// The step.
#[derive(Debug)]
pub struct Promote;

impl Step for Promote {
    const NAME: &'static str = "step-promote";
    const ABOUT: &'static str = "Makes a candidate model the champion, or says why not.";
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        if config.tolerance.is_finite() && config.tolerance >= 0.0 {
            return Ok(());
        }
        Err(StepError::config(format!(
            "`tolerance` is {}, which is not 0 or more",
            config.tolerance
        )))
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let unreadable = |error| StepError::data("the model card cannot be read").because(error);
        let card = ModelCard::read(&inputs.model).map_err(unreadable)?;
        let verdict = overall(&inputs.checks.rows())?;
        let score = score(&inputs.predictions.rows());
        ctx.progress(0.3, "comparing with the champion");
        let standing = standing(&inputs, ctx);
        if let (Standing::Same, Some(registry)) = (&standing, &inputs.registry) {
            // The decision stands: deciding again would only change its number.
            ctx.note("model_id", card.model_id);
            ctx.note("reason", "it is the standing champion");
            return Ok(Outputs {
                registry: registry.clone(),
                champion_model: None,
                champion_draws: None,
            });
        }
        let decision = decide(config, &verdict, score, &standing);
        let mut rows = inputs
            .registry
            .map(|table| table.rows())
            .unwrap_or_default();
        let next = rows.iter().map(|row| row.decision).max().unwrap_or(0) + 1;
        if decision.promoted {
            for row in rows.iter_mut().filter(|row| row.status == "champion") {
                row.status = "retired".to_owned();
            }
        }
        rows.retain(|row| row.model_id != card.model_id);
        ctx.note("model_id", card.model_id.clone());
        ctx.note("promoted", decision.promoted);
        ctx.note("reason", decision.reason.clone());
        rows.push(ModelRegistry {
            model_id: card.model_id,
            status: if decision.promoted {
                "champion"
            } else {
                "rejected"
            }
            .to_owned(),
            engine: card.engine.name().to_owned(),
            verdict,
            data_until: card.data_until,
            score,
            champion_score: standing.score(),
            reason: decision.reason,
            decision: next,
        });
        Ok(Outputs {
            registry: Table::from_rows(rows)?,
            champion_model: decision.promoted.then_some(inputs.model),
            champion_draws: decision.promoted.then_some(inputs.draws),
        })
    }
}

/// The overall verdict of the checks.
fn overall(checks: &[ModelChecks]) -> Result<String, StepError> {
    let row = checks.iter().find(|row| row.check == "verdict");
    row.map(|row| row.verdict.clone()).ok_or_else(|| {
        StepError::data("`model_checks` has no overall verdict").hint("run step-diagnose first")
    })
}

/// Mean CRPS over the holdout, or over all periods when there is none.
fn score(predictions: &[Predictions]) -> Option<f64> {
    let held: Vec<f64> = predictions
        .iter()
        .filter(|row| row.split == HOLDOUT)
        .map(|row| row.crps)
        .collect();
    let all = || predictions.iter().map(|row| row.crps).collect();
    mean(&if held.is_empty() { all() } else { held })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standing champion.
enum Standing {
    /// There is none.
    Vacant,
    /// It scored this on the candidate's periods.
    Scored(f64),
    /// It is this very candidate.
    Same,
    /// It cannot be compared: why.
    Foreign(String),
}

impl Standing {
    fn score(&self) -> Option<f64> {
        match self {
            Self::Scored(score) => Some(*score),
            _ => None,
        }
    }
}

fn standing(inputs: &Inputs, ctx: &Context) -> Standing {
    let (Some(model), Some(draws)) = (&inputs.champion_model, &inputs.champion_draws) else {
        return Standing::Vacant;
    };
    let same = match (ModelCard::read(model), ModelCard::read(&inputs.model)) {
        (Ok(champion), Ok(candidate)) => champion.model_id == candidate.model_id,
        _ => false,
    };
    if same {
        return Standing::Same;
    }
    match load(&inputs.design, model, draws) {
        Err(error) => Standing::Foreign(error.to_string()),
        Ok(champion) => {
            let predictions = predict(&champion.model, &champion.draws, ctx.seed());
            let held: Vec<f64> = predictions
                .iter()
                .filter(|cell| cell.holdout)
                .map(|cell| cell.crps)
                .collect();
            let all = || predictions.iter().map(|cell| cell.crps).collect();
            let score = mean(&if held.is_empty() { all() } else { held });
            score.map_or(
                Standing::Foreign("nothing to predict".into()),
                Standing::Scored,
            )
        }
    }
}

/// What becomes of the candidate.
struct Decision {
    promoted: bool,
    reason: String,
}

fn decide(config: &Config, verdict: &str, score: Option<f64>, standing: &Standing) -> Decision {
    let (promoted, reason) = match (verdict, standing) {
        ("fail", _) => (false, "the checks failed: see model_checks".to_owned()),
        ("review", _) if !config.accept_review => (
            false,
            "the checks ask for a review, and `accept_review` is off".to_owned(),
        ),
        (_, Standing::Same) => (true, "it is the standing champion".to_owned()),
        (_, Standing::Vacant) => (true, "there was no champion".to_owned()),
        (_, Standing::Foreign(why)) => (
            true,
            format!("the champion cannot be compared on these data ({why})"),
        ),
        (_, Standing::Scored(champion)) => {
            let own = score.unwrap_or(f64::INFINITY);
            let limit = champion * (1.0 + config.tolerance);
            let sides = format!("CRPS {own:.4} against the champion's {champion:.4}");
            let note = format!(
                "at most {:.0} % more is tolerated",
                100.0 * config.tolerance
            );
            (own <= limit, format!("{sides}; {note}"))
        }
    };
    Decision { promoted, reason }
}

#[cfg(test)]
mod tests;
