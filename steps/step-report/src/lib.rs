//! Writes the weekly report: one page of HTML that needs nothing else.
//!
//! ```text
//! tables ─► Data ─► Story      what to say, in sentences       story/
//!                └► figures    what to show                    figures/
//!                               └► page                        page/
//! ```
//!
//! The verdict comes first. No script, no request to anywhere, the same bytes for the same data;
//! it reads in light and dark and prints on paper. The sentences are also a table, `briefing`, from
//! which messages are made.

mod attribution;
mod columns;
mod data;
mod figures;
mod format;
mod page;
mod proposal;
mod story;

use mixline_model_tables::Periods;
use mixline_schema::catalog::{
    AdstockCurves, AttributionChannels, AttributionLags, AttributionMethods, AttributionPaths,
    AttributionPositions, AttributionReconciliation, Briefing, BudgetFrontier, BudgetPlan,
    Comparison, ContributionTotals, Contributions, DataFindings, DecisionStore, Design, File,
    JourneyQuarantine, MmmResults, ModelChecks, PlanOutcomes, PosteriorDraws, PosteriorSummary,
    Predictions, SamplerStats,
};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use data::Data;
use story::Story;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The series that were fitted.
        design: Design,
        /// The newest model card.
        model: File as "model",
        /// Its draws.
        draws: PosteriorDraws,
        /// Every parameter in one row.
        summary: PosteriorSummary,
        /// What the sampler recorded.
        sampler: Option<SamplerStats>,
        /// What the checks found.
        checks: ModelChecks,
        /// Observed and predicted outcome.
        predictions: Predictions,
        /// Parts of the outcome by period.
        contributions: Contributions,
        /// Parts of the outcome in all.
        totals: ContributionTotals,
        /// Results by channel.
        results: MmmResults,
        /// When effects arrive.
        adstock: AdstockCurves,
        /// The champion's model card.
        champion_model: Option<File> as "champion_model",
        /// The champion's draws.
        champion_draws: Option<PosteriorDraws> as "champion_draws",
        /// Spend by channel, now and proposed.
        plan: Option<BudgetPlan>,
        /// What each plan brings.
        outcomes: Option<PlanOutcomes>,
        /// The best plan at other budgets.
        frontier: Option<BudgetFrontier>,
        /// Attribution beside the model.
        comparison: Option<Comparison>,
        /// Recommendations.
        decisions: Option<DecisionStore>,
        /// What is known of the data's quality.
        findings: Option<DataFindings>,
        /// What each attribution method says of each channel.
        channels: Option<AttributionChannels>,
        /// What each method was made from, and how stable it is.
        methods: Option<AttributionMethods>,
        /// Paths that end in most conversions.
        paths: Option<AttributionPaths>,
        /// Lengths of paths and days to an order.
        lags: Option<AttributionLags>,
        /// Credit by channel and position.
        positions: Option<AttributionPositions>,
        /// Paths and the mix model brought together.
        reconciliation: Option<AttributionReconciliation>,
        /// What is in no journey, and why.
        quarantine: Option<JourneyQuarantine>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// The page.
        report: File as "report" => Replace,
        /// Its sentences.
        briefing: Briefing => Replace,
    }
}

/// What may be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Heading of the page.
    pub title: String,
    /// What the outcome is called in sentences.
    pub outcome: String,
    /// Return to beat: outcome per unit of spend at which money is neither won nor lost.
    pub target_roas: f64,
    /// Which periods response curves are drawn for; as in the plan.
    pub horizon: Periods,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            title: "Marketing report".to_owned(),
            outcome: "revenue".to_owned(),
            target_roas: 1.0,
            horizon: Periods::default(),
        }
    }
}

/// The step.
#[derive(Debug)]
pub struct Report;

impl Step for Report {
    const NAME: &'static str = "step-report";
    const ABOUT: &'static str = "Writes the weekly report: one page that needs nothing else.";
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        if config.target_roas.is_finite() && config.target_roas > 0.0 {
            return Ok(());
        }
        let text = format!(
            "`target_roas` is {}, but must be above 0",
            config.target_roas
        );
        Err(StepError::config(text))
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        ctx.progress(0.0, "reading");
        let data = Data::gather(config, &inputs)?;
        ctx.note("model_id", data.fitted.card.model_id.clone());
        ctx.progress(0.3, "writing sentences");
        let story = Story::tell(config, &data);
        ctx.progress(0.4, "drawing");
        let figures = figures::all(config, &data);
        ctx.note("figures", figures.len());
        ctx.progress(0.9, "setting the page");
        let html = page::html(config, &data, &story, &figures, &ctx.inputs());
        ctx.note("bytes", html.len());
        let file = File {
            name: "report.html".to_owned(),
            media_type: "text/html".to_owned(),
            bytes: html.into_bytes(),
        };
        Ok(Outputs {
            report: Table::from_rows(vec![file])?,
            briefing: Table::from_rows(story.briefing())?,
        })
    }
}
