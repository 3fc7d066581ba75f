//! What is known on the day of the decision.

use chrono::{Days, NaiveDate};
use mixline_model::response::Interval;
use mixline_model_tables::{Base, Verdict, base};
use mixline_schema::catalog::{BudgetPlan, Comparison, PlanOutcomes, UnifiedDailyMetrics};
use mixline_step::{StepError, Table};

use crate::Inputs;
use crate::config::Rules;

/// Everything the rules look at.
pub(crate) struct Facts {
    /// The newest day of the metrics.
    pub(crate) as_of: NaiveDate,
    /// The last day the model has seen; the newest day of the metrics without one.
    pub(crate) data_until: NaiveDate,
    pub(crate) model_id: String,
    pub(crate) verdict: Option<Verdict>,
    /// Currency code.
    pub(crate) unit: String,
    pub(crate) channels: Vec<Channel>,
    pub(crate) moves: Vec<Move>,
    /// Why nothing of a plan that is there is recommended.
    pub(crate) no_moves: Option<&'static str>,
}

/// What is known of one channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    pub(crate) name: String,
    /// Share of the spend of all channels lately.
    pub(crate) spend_share: f64,
    /// Attributed ROAS of the days that are looked at.
    pub(crate) attributed_roas: Option<f64>,
    pub(crate) modelled: Option<Modelled>,
    /// Whether attribution and the model contradict each other and neither convinces.
    pub(crate) disputed: bool,
}

/// What the model knows of a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Modelled {
    /// Spend over the planned periods as it is.
    pub(crate) spend: f64,
    /// Outcome of the next unit of spend.
    pub(crate) marginal: Interval,
    /// Probability that it is above break-even.
    pub(crate) above_break_even: f64,
    pub(crate) up: Change,
    pub(crate) down: Change,
}

/// A change of spend and what it would gain.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Change {
    pub(crate) spend: f64,
    /// Profit gained over the planned periods.
    pub(crate) gain: Interval,
    pub(crate) probability: f64,
    pub(crate) inside_observed: bool,
}

/// Money that the plan moves from one channel to another, over the periods of the rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Move {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: f64,
    /// The giving channel's spend before.
    pub(crate) spend: f64,
    pub(crate) gain: Interval,
    pub(crate) probability: f64,
}

/// Gathers the facts; `None` without metrics.
pub(crate) fn gather(rules: &Rules, inputs: &Inputs) -> Result<Option<Facts>, StepError> {
    let metrics = inputs.metrics.rows();
    let Some(as_of) = metrics.iter().map(|row| row.date).max() else {
        return Ok(None);
    };
    let base = planning_base(rules, inputs)?;
    let checks = inputs.checks.as_ref().map(|table| table.rows());
    let comparison = inputs.comparison.as_ref().map(|table| table.rows());
    let channels = channels(rules, as_of, &metrics, base.as_ref(), comparison.as_deref());
    let moves = match &base {
        Some(base) => planned_moves(rules, base, inputs),
        None => Ok(Vec::new()),
    };
    let unit = metrics
        .first()
        .map(|row| row.currency.clone())
        .unwrap_or_default();
    Ok(Some(Facts {
        as_of,
        data_until: base.as_ref().and_then(last_day).unwrap_or(as_of),
        model_id: base
            .as_ref()
            .map(|base| base.fitted.card.model_id.clone())
            .unwrap_or_default(),
        verdict: checks.and_then(|rows| Verdict::overall(&rows)),
        unit,
        channels,
        no_moves: moves.as_ref().err().copied(),
        moves: moves.unwrap_or_default(),
    }))
}

/// The champion, when there is one that may be used.
fn planning_base(rules: &Rules, inputs: &Inputs) -> Result<Option<Base>, StepError> {
    let (Some(design), Some(checks)) = (&inputs.design, &inputs.checks) else {
        return Ok(None);
    };
    let champion = inputs
        .champion_model
        .as_ref()
        .zip(inputs.champion_draws.as_ref());
    match base(design, checks, champion, &rules.horizon) {
        Ok(found) => Ok(found.ok()),
        Err(error) => Err(StepError::data("the champion cannot be used")
            .because(error)
            .hint("run weekly_retrain on the newest data")),
    }
}

/// The last day of the data the model looks at.
fn last_day(base: &Base) -> Option<NaiveDate> {
    let panel = &base.fitted.model.panel;
    let next = base.surface.horizon().dates(panel).first().copied();
    next.and_then(|day| day.pred_opt())
}

fn channels(
    rules: &Rules,
    as_of: NaiveDate,
    metrics: &[UnifiedDailyMetrics],
    base: Option<&Base>,
    comparison: Option<&[Comparison]>,
) -> Vec<Channel> {
    let from = as_of - Days::new(u64::from(rules.attributed.days.max(1)) - 1);
    let recent: Vec<&UnifiedDailyMetrics> = metrics.iter().filter(|row| row.date >= from).collect();
    let mut names: Vec<&str> = recent.iter().map(|row| row.channel.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let spend_of = |name: &str| -> f64 {
        let own = recent.iter().filter(|row| row.channel == name);
        own.filter_map(|row| row.spend).sum()
    };
    let all: f64 = names.iter().map(|name| spend_of(name)).sum();
    let disputed = |name: &str| {
        let mut rows = comparison.into_iter().flatten();
        rows.any(|row| row.channel == name && row.trust == "test" && row.unstable)
    };
    let channel = |name: &&str| {
        let spend = spend_of(name);
        let own = recent.iter().filter(|row| row.channel == **name);
        let revenue: f64 = own.map(|row| row.attributed_revenue).sum();
        (spend > 0.0).then(|| Channel {
            name: (*name).to_owned(),
            spend_share: spend / all,
            attributed_roas: Some(revenue / spend),
            modelled: base.and_then(|base| modelled(rules, base, name)),
            disputed: disputed(name),
        })
    };
    names.iter().filter_map(channel).collect()
}

fn cell_of(base: &Base, name: &str) -> Option<usize> {
    let channel = base.fitted.model.channel(name)?;
    let mut cells = base.surface.cells().iter();
    cells.position(|cell| cell.channel == channel && cell.geo.is_none())
}

fn modelled(rules: &Rules, base: &Base, name: &str) -> Option<Modelled> {
    let cell = cell_of(base, name)?;
    let now = base.surface.cells()[cell].current;
    if now <= 0.0 {
        return None;
    }
    let mut marginal = base.surface.marginal(cell, now);
    let above = marginal
        .iter()
        .filter(|m| **m > rules.break_even_roas)
        .count();
    Some(Modelled {
        spend: now,
        above_break_even: above as f64 / marginal.len().max(1) as f64,
        marginal: Interval::of(&mut marginal),
        up: change(rules, base, &[(cell, now * (1.0 + rules.scale_up.step))]),
        down: change(rules, base, &[(cell, now * (1.0 - rules.scale_down.step))]),
    })
}

/// What new spend of some cells would gain.
fn change(rules: &Rules, base: &Base, spends: &[(usize, f64)]) -> Change {
    let mut gain = vec![0.0; base.surface.draws()];
    let mut inside_observed = true;
    for &(cell, spend) in spends {
        let now = &base.surface.cells()[cell];
        inside_observed &= spend <= now.observed_most;
        let (before, after) = (
            base.surface.each(cell, now.current),
            base.surface.each(cell, spend),
        );
        for (sum, (a, b)) in gain.iter_mut().zip(after.iter().zip(&before)) {
            *sum += (a - b) / rules.break_even_roas - (spend - now.current);
        }
    }
    let positive = gain.iter().filter(|gain| **gain > 0.0).count();
    Change {
        spend: spends.first().map_or(0.0, |(_, spend)| *spend),
        probability: positive as f64 / gain.len().max(1) as f64,
        gain: Interval::of(&mut gain),
        inside_observed,
    }
}

/// The plan that is followed.
const PLAN: &str = "best";

/// What the plan moves; why nothing can be said of it otherwise.
fn planned_moves(rules: &Rules, base: &Base, inputs: &Inputs) -> Result<Vec<Move>, &'static str> {
    let mut plan = inputs.plan.as_ref().map(Table::rows).unwrap_or_default();
    plan.retain(|row| row.plan == PLAN);
    if plan.is_empty() {
        return Ok(Vec::new());
    }
    plan.retain(|row| row.geo == "all");
    if plan.is_empty() {
        return Err("the budget plan is by region, and moves are between whole channels");
    }
    let outcomes = inputs.outcomes.as_ref().map(Table::rows);
    let periods = periods_of(&outcomes.unwrap_or_default())
        .ok_or("`plan_outcomes` does not say how many periods the plan is for")?;
    Ok(moves(rules, base, &plan, periods))
}

/// How many periods the plan's amounts are totals over.
fn periods_of(outcomes: &[PlanOutcomes]) -> Option<f64> {
    let best = outcomes.iter().find(|row| row.plan == PLAN)?;
    (best.periods > 0).then_some(best.periods as f64)
}

/// The plan's changes as moves: the largest giver to the largest receiver, until one is spent.
///
/// The plan's amounts are totals over its own `periods`; the rules speak of theirs.
fn moves(rules: &Rules, base: &Base, plan: &[BudgetPlan], periods: f64) -> Vec<Move> {
    let scale = base.surface.horizon().periods as f64 / periods;
    let mut changes: Vec<(&str, f64)> = plan
        .iter()
        .map(|row| (row.channel.as_str(), scale * (row.proposed - row.current)))
        .collect();
    changes.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(b.0)));
    let mut moves = Vec::new();
    let (mut giver, mut receiver) = (0, changes.len());
    while giver + 1 < receiver {
        let (from, to) = (changes[giver], changes[receiver - 1]);
        let amount = (-from.1).min(to.1);
        if amount <= 1e-9 {
            break;
        }
        if let (Some(a), Some(b)) = (cell_of(base, from.0), cell_of(base, to.0)) {
            let (now_a, now_b) = (
                base.surface.cells()[a].current,
                base.surface.cells()[b].current,
            );
            let found = change(
                rules,
                base,
                &[(a, (now_a - amount).max(0.0)), (b, now_b + amount)],
            );
            moves.push(Move {
                from: from.0.to_owned(),
                to: to.0.to_owned(),
                amount,
                spend: now_a,
                gain: found.gain,
                probability: found.probability,
            });
        }
        changes[giver].1 += amount;
        changes[receiver - 1].1 -= amount;
        if changes[giver].1 >= -1e-9 {
            giver += 1;
        }
        if changes[receiver - 1].1 <= 1e-9 {
            receiver -= 1;
        }
    }
    moves
}
