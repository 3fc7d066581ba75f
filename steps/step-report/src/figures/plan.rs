//! Where the money is, where the plan puts it, and why.

use mixline_chart::charts::delta::Delta;
use mixline_chart::charts::frontier::{Frontier, FrontierPoint};
use mixline_chart::charts::plan::{Plan, PlanRow};
use mixline_chart::charts::response::{CurvePoint, Observed, ResponseCurves, ResponsePanel};
use mixline_chart::{Figure, Interval as Draws};
use mixline_model::plan::Surface;
use mixline_model::response::Interval;
use mixline_model_tables::Fitted;

use crate::Config;
use crate::data::Data;
use crate::format::interval;
use crate::proposal::Proposal;

/// C18.
pub(crate) fn dumbbell(data: &Data) -> Option<Figure> {
    let (best, current) = (data.outcome_of("best")?, data.outcome_of("current")?);
    let row = |row: Proposal| PlanRow {
        roi: row.roas(),
        channel: row.channel,
        now: row.current,
        planned: row.proposed,
        lower: Some(row.lower),
        upper: Some(row.upper),
        marginal_roi: Some(row.marginal_roas),
        extrapolated: !row.inside_observed,
    };
    let chart = Plan {
        key: "c18".to_owned(),
        outcome: data.outcome.clone(),
        currency: data.currency.clone(),
        outcome_now: current.response,
        outcome_planned: best.response,
        rows: data.proposals("best").into_iter().map(row).collect(),
    };
    Some(chart.figure())
}

/// C19.
pub(crate) fn delta(data: &Data) -> Option<Figure> {
    let current = data.outcome_of("current")?;
    // A waterfall without steps shows nothing.
    let best = data.outcome_of("best")?;
    if best.gain.abs() <= 1e-6 * best.response.abs() {
        return None;
    }
    let change = |row: Proposal| {
        let change = row.response - row.current_response;
        (row.channel, change)
    };
    let chart = Delta {
        key: "c19".to_owned(),
        outcome: data.outcome.clone(),
        now: current.response,
        changes: data.proposals("best").into_iter().map(change).collect(),
    };
    Some(chart.figure())
}

/// C20.
pub(crate) fn frontier(data: &Data) -> Option<Figure> {
    let (current, best) = (data.outcome_of("current")?, data.outcome_of("best")?);
    let point = |row: &mixline_schema::catalog::BudgetFrontier| FrontierPoint {
        budget: row.budget,
        response: Draws {
            mean: row.response,
            q05: row.response_q05,
            q25: row.response_q25,
            q50: row.response_q50,
            q75: row.response_q75,
            q95: row.response_q95,
        },
        proportional: row.proportional,
        marginal: row.marginal_roas,
    };
    let chart = Frontier {
        key: "c20".to_owned(),
        outcome: data.outcome.clone(),
        currency: data.currency.clone(),
        points: data.frontier.iter().map(point).collect(),
        today: Some((current.budget, current.response)),
        planned: Some((best.budget, best.response)),
    };
    (!chart.points.is_empty()).then(|| chart.figure())
}

/// Points of a response curve.
const POINTS: usize = 24;

/// C09, per period of the plan.
pub(crate) fn curves(config: &Config, data: &Data) -> Option<Figure> {
    let (fitted, surface) = data.surface()?;
    let proposals = per_period(data);
    let national = |(i, cell): (usize, &mixline_model::plan::PlanCell)| {
        cell.geo
            .is_none()
            .then(|| panel(fitted, surface, &proposals, i))
    };
    let panels: Vec<ResponsePanel> = surface
        .cells()
        .iter()
        .enumerate()
        .filter_map(national)
        .collect();
    let chart = ResponseCurves {
        key: "c09".to_owned(),
        outcome: data.outcome.clone(),
        spend: "spend per period".to_owned(),
        currency: data.currency.clone(),
        target: Some(config.target_roas),
        panels,
        colors: data.colors.clone(),
    };
    (!chart.panels.is_empty()).then(|| chart.figure())
}

/// The best plan's amounts in one period: it may be made for more or fewer than the curves are.
fn per_period(data: &Data) -> Vec<Proposal> {
    let periods = data
        .outcome_of("best")
        .map_or(1, |best| best.periods.max(1)) as f64;
    let proposals = data.proposals("best").into_iter();
    proposals.map(|row| row.scaled(1.0 / periods)).collect()
}

/// One channel; `plan` is per period.
fn panel(fitted: &Fitted, surface: &Surface, plan: &[Proposal], i: usize) -> ResponsePanel {
    let cell = &surface.cells()[i];
    let name = &fitted.model.panel.channels[cell.channel].name;
    let planned = plan.iter().find(|row| row.channel == *name);
    let periods = surface.horizon().periods as f64;
    let widest = [
        2.0 * cell.current,
        cell.observed_most,
        1.5 * periods * planned.map_or(0.0, |row| row.upper),
    ];
    let end = widest.into_iter().fold(0.0, f64::max);
    let point = |k: usize| {
        let x = end * k as f64 / POINTS as f64;
        let mut response = surface.each(i, x);
        response.iter_mut().for_each(|f| *f /= periods);
        CurvePoint {
            spend: x / periods,
            response: interval(&Interval::of(&mut response)),
            marginal: Some(interval(&Interval::of(&mut surface.marginal(i, x)))),
        }
    };
    ResponsePanel {
        channel: name.clone(),
        points: (0..=POINTS).map(point).collect(),
        now: cell.current / periods,
        planned: planned.map(|row| row.proposed),
        lower: planned.map(|row| row.lower),
        upper: planned.map(|row| row.upper),
        observed: Some(observed(fitted, cell.channel)),
    }
}

/// Spend of single periods, as far as there was any.
fn observed(fitted: &Fitted, channel: usize) -> Observed {
    let panel = &fitted.model.panel;
    let mut sums = vec![0.0; panel.periods()];
    for g in 0..panel.geos.len() {
        let spend = panel.channels[channel].spend.as_deref().unwrap_or_default();
        for (sum, x) in sums.iter_mut().zip(panel.of_geo(spend, g)) {
            *sum += x.max(0.0);
        }
    }
    sums.retain(|x| *x > 0.0);
    let max = sums.iter().copied().fold(0.0, f64::max);
    let seen = Interval::of(&mut sums);
    Observed {
        p05: seen.q05,
        p95: seen.q95,
        max,
    }
}
