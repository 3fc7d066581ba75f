//! Responses as rows of tables.

use mixline_model::Model;
use mixline_model::response::{
    AdstockPoint, ChannelResult, Contribution, CurvePoint, Decomposition, Interval,
};
use mixline_model_tables::Fitted;
use mixline_schema::catalog::{
    AdstockCurves, ContributionTotals, Contributions, MmmResults, ResponseCurves,
};

/// The name of the sum over regions.
const EVERYWHERE: &str = "all";

pub(crate) fn contributions(fitted: &Fitted, parts: &Decomposition) -> Vec<Contributions> {
    let panel = &fitted.model.panel;
    let row = |cell: &Contribution| {
        let component = &parts.components[cell.component];
        let Interval {
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        } = cell.value;
        Some(Contributions {
            date: panel.dates[cell.period?],
            geo: cell.geo.map_or(EVERYWHERE, |g| &panel.geos[g]).to_owned(),
            component: component.name.clone(),
            kind: component.kind.name().to_owned(),
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        })
    };
    parts
        .cells
        .iter()
        .chain(&parts.periods)
        .filter_map(row)
        .collect()
}

pub(crate) fn totals(model: &Model, parts: &Decomposition) -> Vec<ContributionTotals> {
    let outcome: f64 = model.panel.outcome.iter().filter(|y| y.is_finite()).sum();
    let row = |total: &Contribution| {
        let component = &parts.components[total.component];
        let Interval {
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        } = total.value;
        ContributionTotals {
            component: component.name.clone(),
            kind: component.kind.name().to_owned(),
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
            share: if outcome == 0.0 { 0.0 } else { mean / outcome },
        }
    };
    parts.totals.iter().map(row).collect()
}

/// A mean that a table can hold; shares of nothing are 0.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

pub(crate) fn results(fitted: &Fitted, channels: &[ChannelResult]) -> Vec<MmmResults> {
    let panel = &fitted.model.panel;
    let row = |own: &ChannelResult| {
        let contribution = own.contribution;
        let of = |interval: Option<Interval>, pick: fn(Interval) -> f64| {
            interval.map(pick).filter(|value| value.is_finite())
        };
        MmmResults {
            channel: panel.channels[own.channel].name.clone(),
            geo: own.geo.map_or(EVERYWHERE, |g| &panel.geos[g]).to_owned(),
            engine: fitted.card.engine.name().to_owned(),
            unit: fitted.units.outcome.clone(),
            spend: own.spend,
            contribution: contribution.mean,
            contribution_q05: contribution.q05,
            contribution_q25: contribution.q25,
            contribution_q50: contribution.q50,
            contribution_q75: contribution.q75,
            contribution_q95: contribution.q95,
            roas: of(own.roas, |i| i.mean),
            roas_q05: of(own.roas, |i| i.q05),
            roas_q25: of(own.roas, |i| i.q25),
            roas_q50: of(own.roas, |i| i.q50),
            roas_q75: of(own.roas, |i| i.q75),
            roas_q95: of(own.roas, |i| i.q95),
            marginal_roas: of(own.marginal_roas, |i| i.mean),
            marginal_roas_q05: of(own.marginal_roas, |i| i.q05),
            marginal_roas_q25: of(own.marginal_roas, |i| i.q25),
            marginal_roas_q50: of(own.marginal_roas, |i| i.q50),
            marginal_roas_q75: of(own.marginal_roas, |i| i.q75),
            marginal_roas_q95: of(own.marginal_roas, |i| i.q95),
            cost_per_outcome: of(own.cost_per_outcome, |i| i.q50),
            share_of_outcome: finite(own.share_of_outcome.mean),
            share_of_effect: finite(own.share_of_effect.mean),
            share_of_spend: own.share_of_spend,
            probability_positive: own.probability_positive,
        }
    };
    channels.iter().map(row).collect()
}

pub(crate) fn curves(model: &Model, points: &[CurvePoint]) -> Vec<ResponseCurves> {
    let row = |point: &CurvePoint| {
        let Interval {
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        } = point.contribution;
        ResponseCurves {
            channel: model.panel.channels[point.channel].name.clone(),
            multiplier: point.multiplier,
            spend: point.spend,
            observed: point.observed,
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        }
    };
    points.iter().map(row).collect()
}

pub(crate) fn adstock(model: &Model, points: &[AdstockPoint]) -> Vec<AdstockCurves> {
    let row = |point: &AdstockPoint| {
        let Interval {
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
        } = point.weight;
        AdstockCurves {
            channel: model.panel.channels[point.channel].name.clone(),
            lag: point.lag as i64,
            mean,
            q05,
            q25,
            q50,
            q75,
            q95,
            half_life: point.half_life.q50,
        }
    };
    points.iter().map(row).collect()
}
