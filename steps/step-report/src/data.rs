//! Everything the report is made from, read once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mixline_chart::{ChannelColors, Measure};
use mixline_model::plan::Surface;
use mixline_model_tables::{Base, Fitted, Verdict, base, load};
use mixline_schema::Artifact;
use mixline_schema::catalog::{
    AdstockCurves, BudgetFrontier, BudgetPlan, Comparison, ContributionTotals, Contributions,
    DataFindings, DecisionStore, MmmResults, ModelChecks, PlanOutcomes, PosteriorSummary,
    Predictions, SamplerStats,
};
use mixline_step::{StepError, Table};

use crate::attribution::{Attribution, quarantined};
use crate::proposal::{self, Proposal};
use crate::{Config, Inputs};

/// The rows, the newest model, and the champion where plans rest on it.
pub(crate) struct Data {
    pub(crate) fitted: Fitted,
    pub(crate) verdict: Verdict,
    /// The champion; `None` when nothing may be planned.
    pub(crate) champion: Option<Base>,
    /// Why nothing is planned.
    pub(crate) no_plan: Option<&'static str>,
    pub(crate) outcome: Measure,
    /// Currency of spend.
    pub(crate) currency: String,
    pub(crate) colors: ChannelColors,
    pub(crate) checks: Vec<ModelChecks>,
    pub(crate) summary: Vec<PosteriorSummary>,
    pub(crate) sampler: Vec<SamplerStats>,
    pub(crate) predictions: Vec<Predictions>,
    pub(crate) contributions: Vec<Contributions>,
    pub(crate) totals: Vec<ContributionTotals>,
    /// Over all regions.
    pub(crate) results: Vec<MmmResults>,
    pub(crate) adstock: Vec<AdstockCurves>,
    pub(crate) plan: Vec<BudgetPlan>,
    pub(crate) outcomes: Vec<PlanOutcomes>,
    pub(crate) frontier: Vec<BudgetFrontier>,
    pub(crate) comparison: Vec<Comparison>,
    pub(crate) decisions: Vec<DecisionStore>,
    pub(crate) findings: Vec<DataFindings>,
    /// `None` where nothing was attributed.
    pub(crate) attribution: Option<Attribution>,
}

fn rows<A: Artifact>(table: Option<&Table<A>>) -> Vec<A> {
    table.map(Table::rows).unwrap_or_default()
}

fn attribution(inputs: &Inputs) -> Option<Attribution> {
    let all = Attribution {
        channels: rows(inputs.channels.as_ref()),
        methods: rows(inputs.methods.as_ref()),
        paths: rows(inputs.paths.as_ref()),
        lags: rows(inputs.lags.as_ref()),
        positions: rows(inputs.positions.as_ref()),
        reconciliation: rows(inputs.reconciliation.as_ref()),
        quarantine: quarantined(&rows(inputs.quarantine.as_ref())),
    };
    all.sorted()
}

/// The model's channels first, so that attribution changes none of their colours; `direct` is no
/// channel that anybody pays for, and stays grey.
fn colors(results: &[MmmResults], attribution: Option<&Attribution>) -> ChannelColors {
    let mut names: Vec<String> = results.iter().map(|row| row.channel.clone()).collect();
    let others = attribution.map(Attribution::names).unwrap_or_default();
    names.extend(others.into_iter().filter(|name| name != "direct"));
    ChannelColors::new(&names)
}

impl Data {
    pub(crate) fn gather(config: &Config, inputs: &Inputs) -> Result<Self, StepError> {
        let fitted = load(&inputs.design, &inputs.model, &inputs.draws).map_err(|error| {
            StepError::data("design, model and draws do not belong together")
                .because(error)
                .hint("run weekly_retrain first")
        })?;
        let champion = inputs
            .champion_model
            .as_ref()
            .zip(inputs.champion_draws.as_ref());
        let found = base(&inputs.design, &inputs.checks, champion, &config.horizon);
        // A champion that cannot be planned with leaves its charts out, not the report.
        let (champion, no_plan) = match found {
            Ok(Ok(base)) => (Some(base), None),
            Ok(Err(none)) => (None, Some(none.reason())),
            Err(_) => (
                None,
                Some("There is no budget plan: the champion cannot be planned with."),
            ),
        };
        let checks = inputs.checks.rows();
        let mut results = inputs.results.rows();
        results.retain(|row| row.geo == "all");
        results.sort_by(|a, b| {
            b.contribution
                .total_cmp(&a.contribution)
                .then(a.channel.cmp(&b.channel))
        });
        let attribution = attribution(inputs);
        let colors = colors(&results, attribution.as_ref());
        let may_plan = no_plan.is_none();
        let planned = |rows: Vec<BudgetPlan>| if may_plan { rows } else { Vec::new() };
        Ok(Self {
            verdict: Verdict::overall(&checks).unwrap_or(Verdict::Fail),
            outcome: Measure::new(&config.outcome, &fitted.units.outcome),
            currency: fitted.units.spend.clone(),
            colors,
            fitted,
            champion,
            no_plan,
            checks,
            summary: inputs.summary.rows(),
            sampler: rows(inputs.sampler.as_ref()),
            predictions: inputs.predictions.rows(),
            contributions: inputs.contributions.rows(),
            totals: inputs.totals.rows(),
            results,
            adstock: inputs.adstock.rows(),
            plan: planned(rows(inputs.plan.as_ref())),
            outcomes: if may_plan {
                rows(inputs.outcomes.as_ref())
            } else {
                Vec::new()
            },
            frontier: if may_plan {
                rows(inputs.frontier.as_ref())
            } else {
                Vec::new()
            },
            comparison: rows(inputs.comparison.as_ref()),
            decisions: rows(inputs.decisions.as_ref()),
            findings: rows(inputs.findings.as_ref()),
            attribution,
        })
    }

    /// First days of the first and the last period whose outcome is explained.
    pub(crate) fn period(&self) -> (NaiveDate, NaiveDate) {
        let mut days: Vec<NaiveDate> = self.predictions.iter().map(|row| row.date).collect();
        days.sort_unstable();
        let first = days.first().copied().unwrap_or(self.fitted.card.data_from);
        (
            first,
            days.last().copied().unwrap_or(self.fitted.card.data_until),
        )
    }

    /// What a period is called.
    pub(crate) fn period_word(&self) -> &'static str {
        let dates = &self.fitted.model.panel.dates;
        match dates
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).num_days())
            .min()
        {
            Some(1) => "day",
            Some(7) => "week",
            Some(28..) => "month",
            _ => "period",
        }
    }

    /// Outcome observed in all.
    pub(crate) fn observed(&self) -> f64 {
        self.totals.iter().map(|row| row.mean).sum()
    }

    /// Observed outcome, and spend of all channels, by period over all regions.
    pub(crate) fn by_period(&self) -> BTreeMap<NaiveDate, f64> {
        let mut sums = BTreeMap::new();
        for row in &self.predictions {
            *sums.entry(row.date).or_insert(0.0) += row.observed;
        }
        sums
    }

    /// Proposals of one plan over all regions, by channel.
    pub(crate) fn proposals(&self, plan: &str) -> Vec<Proposal> {
        proposal::by_channel(self.plan.iter().filter(|row| row.plan == plan))
    }

    /// What one plan brings.
    pub(crate) fn outcome_of(&self, plan: &str) -> Option<&PlanOutcomes> {
        self.outcomes.iter().find(|row| row.plan == plan)
    }

    /// The surface behind response curves: the champion's.
    pub(crate) fn surface(&self) -> Option<(&Fitted, &Surface)> {
        self.champion
            .as_ref()
            .map(|base| (&base.fitted, &base.surface))
    }

    /// Open recommendations, the most certain first; holds last.
    pub(crate) fn open_decisions(&self) -> Vec<&DecisionStore> {
        let mut open: Vec<&DecisionStore> = self
            .decisions
            .iter()
            .filter(|row| row.status == "proposed")
            .collect();
        open.sort_by(|a, b| {
            let holds = (a.action == "hold").cmp(&(b.action == "hold"));
            holds
                .then(b.confidence.total_cmp(&a.confidence))
                .then(a.decision_id.cmp(&b.decision_id))
        });
        open
    }
}
