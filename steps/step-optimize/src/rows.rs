//! Plans as rows of tables.

use chrono::NaiveDate;
use mixline_model::plan::{CellPlan, Flights, FrontierPoint, Plan, Plans, Utility};
use mixline_model::response::Interval;
use mixline_model_tables::Base;
use mixline_schema::catalog::{BudgetFrontier, BudgetPlan, PlanOutcomes, PlanSchedule};

use crate::config::Config;

/// The name of the sum over regions.
const EVERYWHERE: &str = "all";

/// The plans that propose something, by name.
fn proposals(plans: &Plans) -> Vec<(&'static str, &Plan)> {
    let mut named = vec![("best", &plans.best), ("greedy", &plans.greedy)];
    named.extend(
        plans
            .highest_mean
            .as_ref()
            .map(|plan| ("highest_mean", plan)),
    );
    named.extend(
        plans
            .inside_observed
            .as_ref()
            .map(|plan| ("inside_observed", plan)),
    );
    named
}

fn geo_of(base: &Base, cell: usize) -> String {
    let geo = base.surface.cells()[cell].geo;
    geo.map_or(EVERYWHERE, |g| &base.fitted.model.panel.geos[g])
        .to_owned()
}

fn channel_of(base: &Base, cell: usize) -> String {
    let channel = base.surface.cells()[cell].channel;
    base.fitted.model.panel.channels[channel].name.clone()
}

pub(crate) fn plan(base: &Base, plans: &Plans) -> Vec<BudgetPlan> {
    let mut rows = Vec::new();
    for (name, plan) in proposals(plans) {
        for (i, cell) in plan.cells.iter().enumerate() {
            rows.push(plan_row(base, name, i, cell, &plans.current.cells[i]));
        }
    }
    rows
}

fn plan_row(base: &Base, plan: &str, i: usize, cell: &CellPlan, now: &CellPlan) -> BudgetPlan {
    let Interval {
        mean,
        q05,
        q25,
        q50,
        q75,
        q95,
    } = cell.response;
    BudgetPlan {
        plan: plan.to_owned(),
        channel: channel_of(base, i),
        geo: geo_of(base, i),
        unit: base.fitted.units.spend.clone(),
        current: now.spend,
        proposed: cell.spend,
        lower: cell.lower,
        upper: cell.upper,
        bound: cell.bound.clone(),
        observed_most: base.surface.cells()[i].observed_most,
        inside_observed: cell.inside_observed,
        current_response: now.response.mean,
        response: mean,
        response_q05: q05,
        response_q25: q25,
        response_q50: q50,
        response_q75: q75,
        response_q95: q95,
        roas: (cell.spend > 0.0).then(|| mean / cell.spend),
        current_marginal_roas: now.marginal.mean,
        marginal_roas: cell.marginal.mean,
        marginal_roas_q05: cell.marginal.q05,
        marginal_roas_q95: cell.marginal.q95,
    }
}

pub(crate) fn outcomes(
    config: &Config,
    base: &Base,
    plans: &Plans,
    flown: Option<&Flights>,
) -> Vec<PlanOutcomes> {
    let mut named = proposals(plans);
    named.push(("current", &plans.current));
    let horizon = base.surface.horizon();
    let dates = horizon.dates(&base.fitted.model.panel);
    let Some(first_day) = dates.first().copied() else {
        return Vec::new();
    };
    let row = |(name, plan): (&str, &Plan)| {
        let budget = plan.budget();
        PlanOutcomes {
            plan: name.to_owned(),
            first_day,
            periods: horizon.periods as i64,
            unit: base.fitted.units.outcome.clone(),
            budget,
            probability_of_gain: plan.probability_of_gain,
            roas: (budget > 0.0).then(|| plan.response.mean / budget),
            objective: objective(config, name),
            method: plan.method.name().to_owned(),
            value: plan.value,
            bound: proven(plan),
            certificate: plan.certificate(),
            ..outcome_of(first_day, plan.response, plan.gain)
        }
    };
    let mut rows: Vec<PlanOutcomes> = named.into_iter().map(row).collect();
    let best = rows.iter().find(|row| row.plan == "best").cloned();
    rows.extend(flown.zip(best).map(|(flown, best)| flighted(flown, best)));
    rows
}

/// A row with the two intervals, everything else to be filled in.
fn outcome_of(first_day: NaiveDate, r: Interval, g: Interval) -> PlanOutcomes {
    PlanOutcomes {
        plan: String::new(),
        first_day,
        periods: 0,
        unit: String::new(),
        budget: 0.0,
        response: r.mean,
        response_q05: r.q05,
        response_q25: r.q25,
        response_q50: r.q50,
        response_q75: r.q75,
        response_q95: r.q95,
        gain: g.mean,
        gain_q05: g.q05,
        gain_q25: g.q25,
        gain_q50: g.q50,
        gain_q75: g.q75,
        gain_q95: g.q95,
        probability_of_gain: 0.0,
        roas: None,
        objective: String::new(),
        method: String::new(),
        value: 0.0,
        bound: 0.0,
        certificate: String::new(),
    }
}

/// The best plan once its spend is flighted; its gain is that over an even spread.
fn flighted(flown: &Flights, best: PlanOutcomes) -> PlanOutcomes {
    let value: f64 = flown.cells.iter().map(|cell| cell.response).sum();
    let bound: f64 = flown.cells.iter().map(|cell| cell.bound).sum();
    let certificate = if bound.is_finite() {
        let gap = (bound - value) / value.abs().max(f64::MIN_POSITIVE);
        format!("No flight within the pacing limits is better by more than {gap:.1e} of the value.")
    } else {
        "The best of several starts; responses are S-shaped, and nothing is proven.".to_owned()
    };
    PlanOutcomes {
        plan: "flighted".to_owned(),
        budget: best.budget,
        periods: best.periods,
        unit: best.unit,
        probability_of_gain: flown.probability_of_gain,
        roas: (best.budget > 0.0).then(|| flown.response.mean / best.budget),
        objective: "mean outcome of the best plan's spend, over an even spread".to_owned(),
        method: "projected_gradient".to_owned(),
        value,
        bound: if bound.is_finite() { bound } else { value },
        certificate,
        ..outcome_of(best.first_day, flown.response, flown.gain)
    }
}

/// The bound; where nothing is proven, the value again, as the certificate says.
fn proven(plan: &Plan) -> f64 {
    if plan.bound.is_finite() {
        plan.bound
    } else {
        plan.value
    }
}

/// The goal in a word or two.
fn objective(config: &Config, plan: &str) -> String {
    let goal = config.plan.goal;
    let utility = match plan {
        "highest_mean" => Utility::Mean,
        _ => goal.utility,
    };
    let what = match (goal.outcome > 0.0, goal.volume > 0.0, goal.spend > 0.0) {
        (true, false, false) => "outcome",
        (true, false, true) => "profit",
        (false, true, _) => "volume",
        _ => "outcome and volume",
    };
    match utility {
        Utility::Mean => what.to_owned(),
        Utility::MeanSd(k) => format!("{what}, mean − {k} sd"),
        Utility::Cvar(share) => format!("{what}, mean of the worst {} %", 100.0 * share),
        Utility::BeatsCurrent => format!("probability of more {what} than now"),
    }
}

pub(crate) fn schedule(base: &Base, best: &Plan, flown: Option<&Flights>) -> Vec<PlanSchedule> {
    let horizon = base.surface.horizon();
    let panel = &base.fitted.model.panel;
    let dates = horizon.dates(panel);
    let mut rows = Vec::new();
    for (i, cell) in best.cells.iter().enumerate() {
        let planned = || {
            let pattern = horizon.pattern(panel, base.surface.cells()[i].channel);
            pattern.iter().map(|share| cell.spend * share).collect()
        };
        let spend = flown.map_or_else(planned, |flown| flown.cells[i].spend.clone());
        rows.extend(dates.iter().zip(spend).map(|(date, spend)| PlanSchedule {
            channel: channel_of(base, i),
            geo: geo_of(base, i),
            date: *date,
            spend,
        }));
    }
    rows
}

pub(crate) fn frontier(points: &[FrontierPoint]) -> Vec<BudgetFrontier> {
    let row = |point: &FrontierPoint| {
        let Interval {
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        } = point.response;
        BudgetFrontier {
            multiplier: point.multiplier,
            budget: point.budget,
            response: mean,
            response_q05: q05,
            response_q25: q25,
            response_q50: q50,
            response_q75: q75,
            response_q95: q95,
            proportional: point.proportional,
            marginal_roas: point.marginal,
            bound: if point.bound.is_finite() {
                point.bound
            } else {
                mean
            },
        }
    };
    points.iter().map(row).collect()
}
