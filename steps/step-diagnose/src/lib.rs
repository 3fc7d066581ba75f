//! Checks whether a fitted model can be trusted.
//!
//! Each check has a configuration, a value, a threshold, a verdict and advice. The overall verdict
//! is the worst of them; `step-promote` and everything after it obey it. A failed verdict is a
//! result, not an error: the step succeeds and says so.
//!
//! - `convergence`: R-hat, effective sample sizes, divergences, E-BFMI, depth;
//! - `prediction`: coverage, predictive checks, autocorrelation, PSIS-LOO, holdout;
//! - `plausibility`: negative baseline, implausible returns, what the data taught.
//!
//! `step-diagnose stats` shows the statistics of any draws as JSON.

mod config;
mod convergence;
mod finding;
mod plausibility;
mod prediction;
mod tools;

pub use config::Config;

use mixline_model_tables::{Engine, load};
use mixline_schema::catalog::{
    Design, File, ModelChecks, PosteriorDraws, PosteriorSummary, Predictions, SamplerStats,
};
use mixline_step::{Column, Context, Step, StepError, Table, Tool, inputs, outputs};

use crate::finding::{Finding, Verdict};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The series that were fitted.
        design: Design,
        /// The model card.
        model: File as "model",
        /// Draws of the parameters.
        draws: PosteriorDraws,
        /// Every parameter in one row.
        summary: PosteriorSummary,
        /// What the sampler recorded.
        sampler: Option<SamplerStats>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// What the checks found; the row `verdict` is the whole.
        checks: ModelChecks => Replace,
        /// Observed and predicted outcome.
        predictions: Predictions => Replace,
    }
}

/// What the model predicts from. Dates are where seasons and events come from.
const PREDICTED: &[&str] = &["design.date", "design.value", "model.bytes", "draws.value"];

/// What is checked: the chains, the predictions, and what the model says of channels.
const CHECKED: &[&str] = &[
    "design.date",
    "design.value",
    "model.bytes",
    "draws.value",
    "summary.ess_bulk",
    "summary.ess_tail",
    "summary.r_hat",
    "sampler.energy",
    "sampler.diverging",
    "sampler.depth_reached",
];

/// The same, with the parameter that is worst.
const TOLD: &[&str] = &[
    "design.date",
    "design.value",
    "model.bytes",
    "draws.value",
    "summary.parameter",
    "summary.ess_bulk",
    "summary.ess_tail",
    "summary.r_hat",
    "sampler.energy",
    "sampler.diverging",
    "sampler.depth_reached",
];

/// The step.
#[derive(Debug)]
pub struct Diagnose;

impl Step for Diagnose {
    const NAME: &'static str = "step-diagnose";
    const ABOUT: &'static str = "Checks whether a fitted model can be trusted.";
    const COLUMNS: &'static [Column] = &[
        Column::made("checks.check", &[]),
        Column::same("checks.subject", &["design.variable", "summary.parameter"]),
        Column::made("checks.verdict", CHECKED),
        Column::made("checks.value", CHECKED),
        // Limits are configured; which end of a range is told depends on the return that left it.
        Column::made("checks.threshold", PREDICTED),
        Column::made("checks.message", TOLD),
        // There is none on a pass.
        Column::made("checks.advice", CHECKED),
        Column::same("predictions.date", &["design.date"]),
        Column::same("predictions.geo", &["design.geo"]),
        Column::same("predictions.split", &["design.split"]),
        Column::same("predictions.observed", &["design.value"]),
        Column::made("predictions.expected", PREDICTED),
        Column::made("predictions.expected_q05", PREDICTED),
        Column::made("predictions.expected_q95", PREDICTED),
        Column::made("predictions.predicted_q05", PREDICTED),
        Column::made("predictions.predicted_q25", PREDICTED),
        Column::made("predictions.predicted_q75", PREDICTED),
        Column::made("predictions.predicted_q95", PREDICTED),
        Column::made("predictions.crps", PREDICTED),
    ];
    const TOOLS: &'static [Tool] = &[tools::STATS];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let fitted = load(&inputs.design, &inputs.model, &inputs.draws).map_err(|error| {
            StepError::data("design, model and draws do not belong together")
                .because(error)
                .hint("run step-fit on this design first")
        })?;
        ctx.note("model_id", fitted.card.model_id.clone());
        let mut findings = Vec::new();
        if fitted.card.engine == Engine::Bayesian {
            let sampler = inputs.sampler.as_ref().map(Table::rows).unwrap_or_default();
            convergence::check(config, &inputs.summary.rows(), &sampler, &mut findings);
        }
        ctx.progress(0.3, "predicting");
        let predictions = prediction::check(config, &fitted, ctx.seed(), &mut findings);
        ctx.progress(0.8, "weighing");
        plausibility::check(config, &fitted, ctx.seed(), &mut findings);
        let verdict = finding::overall(&mut findings);
        ctx.note("verdict", verdict.name());
        for finding in findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Fail)
        {
            ctx.note(
                format!("failed {} {}", finding.check, finding.subject),
                finding.message.clone(),
            );
        }
        let assertions: Vec<_> = findings.iter().map(Finding::assertion).collect();
        ctx.note_assertions(&assertions);
        let rows = findings.into_iter().map(Finding::into_row).collect();
        Ok(Outputs {
            checks: Table::from_rows(rows)?,
            predictions: Table::from_rows(prediction::rows(&fitted, &predictions))?,
        })
    }
}

#[cfg(test)]
mod tests;
