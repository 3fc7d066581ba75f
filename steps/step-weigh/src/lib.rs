//! Weighs channels by the journeys of all customers.
//!
//! ```text
//! journeys ─► gather.rs: one pass ─► results.rs: every method, with intervals ─► tables/
//! mmm_results ───────────────────────► informed.rs: reconciled with the paths ──┘
//! ```
//!
//! `step-attribute` shares single orders; this step says what all journeys together say: credit by
//! method and channel with intervals and stability, removal effects and transition matrices, the
//! model of conversions, top paths, how long journeys are and take. What it learns here (removal
//! effects, the model, factors of the reconciliation) is what `step-attribute` shares orders by.
//!
//! Journeys are streamed once; memory grows with channels and states, not with journeys.

mod columns;
mod config;
mod gather;
mod informed;
mod results;
mod tables;

pub use config::{Config, OpenJourneys};

use mixline_attribution::resample::draws;
use mixline_attribution_tables::{Method, SpendByDay};
use mixline_schema::catalog::{
    AttributionChannels, AttributionLags, AttributionMethods, AttributionPaths,
    AttributionPositions, AttributionReconciliation, ConversionModels, Journeys, MarkovTransitions,
    MediaDaily, MmmResults,
};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

use crate::gather::{Gathered, gather};
use crate::informed::Informed;
use crate::results::Answers;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Journeys, touch by touch.
        journeys: Batches<Journeys>,
        /// Spend by day and channel, for `spend_share`.
        media: Option<MediaDaily>,
        /// What the mix model says of each channel, for `mmm_informed`.
        results: Option<MmmResults>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Credit by method and channel.
        channels: AttributionChannels => Replace,
        /// One row per method.
        methods: AttributionMethods => Replace,
        /// Transition matrices.
        transitions: MarkovTransitions => Replace,
        /// Top paths.
        paths: AttributionPaths => Replace,
        /// Lengths of paths and days to conversion.
        lags: AttributionLags => Replace,
        /// The ordered Shapley value.
        positions: AttributionPositions => Replace,
        /// The model of conversions.
        model: ConversionModels => Replace,
        /// Paths beside the mix model.
        reconciliation: AttributionReconciliation => Replace,
    }
}

/// The step.
#[derive(Debug)]
pub struct Weigh;

impl Step for Weigh {
    const NAME: &'static str = "step-weigh";
    const ABOUT: &'static str = "Weighs channels by the journeys of all customers.";
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let media = inputs.media.map(|table| table.rows()).unwrap_or_default();
        let spend = SpendByDay::new(media).map_err(|error| {
            StepError::data("spend shares cannot be told")
                .because(error)
                .hint("export every source in one currency, or leave spend_share out of `methods`")
        })?;
        let results = inputs.results.map(|table| table.rows());
        let results = results.filter(|_| config.methods.contains(&Method::MmmInformed));
        ctx.progress(0.1, "reading journeys");
        let mut found = gather(config, &inputs.journeys, &spend, results.is_some(), ctx)?;
        for row in results.iter().flatten() {
            found.channels.intern(&row.channel);
        }
        let informed = results.map(|results| Informed::new(&found, &results));
        let draws = draws(config.groups, config.resamples, ctx.seed());
        ctx.progress(0.5, "weighing");
        let answers = Answers::new(config, &found, informed.as_ref(), &draws, ctx);
        note(&found, &answers, ctx);
        let reconciliation = informed.map(|informed| informed.rows(&found));
        let model = answers
            .model
            .as_ref()
            .map(|fitted| tables::model(fitted, &found));
        Ok(Outputs {
            channels: Table::from_rows(tables::channels(&answers, &found))?,
            methods: Table::from_rows(tables::methods(&answers, &found, config.resamples))?,
            transitions: Table::from_rows(tables::transitions(&found))?,
            paths: Table::from_rows(tables::paths(&found, config.top_paths))?,
            lags: Table::from_rows(tables::lags(&found))?,
            positions: Table::from_rows(tables::positions(&found))?,
            model: Table::from_rows(model.unwrap_or_default())?,
            reconciliation: Table::from_rows(reconciliation.unwrap_or_default())?,
        })
    }
}

/// Counts that explain the result.
fn note(found: &Gathered, answers: &Answers, ctx: &Context) {
    let counts = found.survey.counts();
    ctx.note("journeys", counts.journeys);
    ctx.note("orders", counts.conversions);
    ctx.note(
        "orders_without_touches",
        counts.conversions - counts.touched_conversions,
    );
    ctx.note("channels", found.channels.len());
    if found.survey.paths.forgotten() > 0.0 {
        ctx.note(
            "paths_counted_too_low_by_at_most",
            found.survey.paths.forgotten(),
        );
    }
    for (method, reason) in &answers.left_out {
        ctx.note(format!("left_out.{method}"), reason.clone());
    }
}

#[cfg(test)]
mod tests;
