//! Attribution beside the mix model: who deserves what, and whom to believe about it.
//!
//! Attribution shares out revenue it can follow by clicks; the model estimates what would be
//! missing without a channel. Neither is the truth: attribution sees no television and no
//! carry-over, the model no campaigns. The comparison says by how much they differ, whether the
//! difference is larger than the model's own uncertainty, and which of them to trust for what.
//!
//! Both are told over the same periods, those with an observed outcome: media before the first
//! outcome have neither contributions nor spend here. All days must be attributed by one method; a
//! mix is an error, since after a change of method in `step-measure` only restated days follow it.

mod attributed;
mod columns;
mod judgement;

use mixline_model::panel::Panel;
use mixline_model::response::{Interval, contribution_draws};
use mixline_model_tables::{Fitted, Verdict, load};
use mixline_schema::catalog::{
    Comparison, Design, File, ModelChecks, PosteriorDraws, UnifiedDailyMetrics,
};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use attributed::{Attributed, attributed};
use judgement::{Facts, judge};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Attributed revenue by day and channel.
        metrics: UnifiedDailyMetrics,
        /// The series that were fitted.
        design: Design,
        /// The model card.
        model: File as "model",
        /// Draws of the parameters.
        draws: PosteriorDraws,
        /// What the checks found.
        checks: ModelChecks,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Both views of every channel.
        comparison: Comparison => Replace,
    }
}

/// When views count as different.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Disagreement above which a channel is flagged: the distance of the two shares relative to
    /// the larger one.
    pub threshold: f64,
    /// Width of the contribution's 90 % interval over its mean, above which the model itself is
    /// too unsure to overrule anybody.
    pub widest: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threshold: 0.25,
            widest: 1.5,
        }
    }
}

/// The step.
#[derive(Debug)]
pub struct Compare;

impl Step for Compare {
    const NAME: &'static str = "step-compare";
    const ABOUT: &'static str = "Puts attribution beside the mix model, channel by channel.";
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        for (key, value) in [("threshold", config.threshold), ("widest", config.widest)] {
            if !(value.is_finite() && value >= 0.0) {
                let text = format!("`{key}` is {value}, which is not a number of 0 or more");
                return Err(StepError::config(text));
            }
        }
        Ok(())
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let fitted = load(&inputs.design, &inputs.model, &inputs.draws).map_err(|error| {
            StepError::data("design, model and draws do not belong together")
                .because(error)
                .hint("run weekly_retrain first")
        })?;
        ctx.note("model_id", fitted.card.model_id.clone());
        let verdict = Verdict::overall(&inputs.checks.rows()).unwrap_or(Verdict::Fail);
        let attributed = attributed(&fitted.model.panel, &inputs.metrics.rows(), ctx)?;
        ctx.progress(0.4, "contributions");
        let rows = compared(config, &fitted, &attributed, verdict);
        let unstable = rows.iter().filter(|row| row.unstable).count();
        ctx.note("channels", rows.len());
        ctx.note("unstable", unstable);
        Ok(Outputs {
            comparison: Table::from_rows(rows)?,
        })
    }
}

/// One row per channel that both views know.
fn compared(
    config: &Config,
    fitted: &Fitted,
    attributed: &Attributed,
    verdict: Verdict,
) -> Vec<Comparison> {
    let panel = &fitted.model.panel;
    let draws = contribution_draws(&fitted.model, &fitted.draws);
    let spent = |c: &usize| panel.channels[*c].spend.is_some();
    let both = |c: &usize| attributed.revenue.contains_key(&panel.channels[*c].name);
    let channels: Vec<usize> = (0..panel.channels.len())
        .filter(spent)
        .filter(both)
        .collect();
    let count = draws.first().map_or(0, Vec::len);
    let totals: Vec<f64> = (0..count)
        .map(|d| channels.iter().map(|&c| draws[c][d]).sum())
        .collect();
    let revenue = |c: usize| attributed.revenue[&panel.channels[c].name];
    let all_revenue: f64 = channels.iter().map(|&c| revenue(c)).sum();
    let view = |&c: &usize| {
        let mut shares: Vec<f64> = draws[c]
            .iter()
            .zip(&totals)
            .map(|(own, total)| if *total == 0.0 { 0.0 } else { own / total })
            .collect();
        View {
            channel: panel.channels[c].name.clone(),
            spend: observed_spend(panel, c),
            attributed: revenue(c),
            attribution_share: if all_revenue > 0.0 {
                revenue(c) / all_revenue
            } else {
                0.0
            },
            contribution: Interval::of(&mut draws[c].clone()),
            share: Interval::of(&mut shares),
        }
    };
    let views = channels.iter().map(view);
    views
        .map(|view| row(config, fitted, attributed, verdict, view))
        .collect()
}

/// Money spent on a channel where the outcome was observed, as its contribution is counted.
fn observed_spend(panel: &Panel, c: usize) -> f64 {
    let spend = panel.channels[c].spend.iter().flatten();
    let cells = spend.zip(&panel.outcome);
    cells
        .filter(|(_, outcome)| outcome.is_finite())
        .map(|(spend, _)| spend)
        .sum()
}

/// Both views of one channel.
struct View {
    channel: String,
    spend: f64,
    attributed: f64,
    attribution_share: f64,
    contribution: Interval,
    share: Interval,
}

fn row(
    config: &Config,
    fitted: &Fitted,
    attributed: &Attributed,
    verdict: Verdict,
    view: View,
) -> Comparison {
    let judged = judge(
        config,
        &Facts {
            verdict,
            attribution_share: view.attribution_share,
            share: view.share,
            contribution: view.contribution,
        },
    );
    let over = |value: f64| (view.attributed > 0.0).then(|| value / view.attributed);
    let per_spend = |value: f64| (view.spend > 0.0).then(|| value / view.spend);
    Comparison {
        channel: view.channel,
        method: attributed.method.clone(),
        unit: fitted.units.outcome.clone(),
        spend: view.spend.max(0.0),
        attributed: view.attributed,
        contribution: view.contribution.mean,
        contribution_q05: view.contribution.q05,
        contribution_q95: view.contribution.q95,
        attribution_share: view.attribution_share.clamp(0.0, 1.0),
        mmm_share: view.share.mean,
        mmm_share_q05: view.share.q05,
        mmm_share_q95: view.share.q95,
        factor: over(view.contribution.mean),
        factor_q05: over(view.contribution.q05),
        factor_q95: over(view.contribution.q95),
        attributed_roas: per_spend(view.attributed),
        mmm_roas: per_spend(view.contribution.mean),
        disagreement: judged.disagreement,
        unstable: judged.unstable,
        trust: judged.trust.to_owned(),
        reason: judged.reason,
    }
}

#[cfg(test)]
mod tests;
