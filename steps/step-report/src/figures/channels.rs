//! What channels brought in.

use std::collections::BTreeMap;

use mixline_chart::charts::adstock::{Adstock, AdstockPanel};
use mixline_chart::charts::attribution::{Attribution, AttributionRow};
use mixline_chart::charts::bubbles::{Bubble, Bubbles};
use mixline_chart::charts::roi_forest::{RoiForest, RoiRow};
use mixline_chart::charts::shares::{ShareRow, Shares};
use mixline_chart::charts::waterfall::{Part, Waterfall};
use mixline_chart::{Figure, Interval};
use mixline_model::fit::{Draws, draw_prior};
use mixline_model::response::{channels, contribution_draws};

use crate::Config;
use crate::data::Data;
use crate::format::interval;

/// C01.
pub(crate) fn waterfall(data: &Data) -> Option<Figure> {
    let part = |row: &mixline_schema::catalog::ContributionTotals| {
        Part::with_interval(&row.component, row.mean, row.q05, row.q95)
    };
    let of = |kinds: &[&str]| -> Vec<Part> {
        let rows = data
            .totals
            .iter()
            .filter(|row| kinds.contains(&row.kind.as_str()));
        rows.map(part).collect()
    };
    let baseline = of(&["intercept", "trend", "season"]);
    let chart = Waterfall {
        key: "c01".to_owned(),
        outcome: data.outcome.clone(),
        baseline: baseline.iter().map(|part| part.mean).sum(),
        controls: of(&["control", "event", "interaction"]),
        channels: of(&["media"]),
        observed: data.observed(),
        colors: data.colors.clone(),
    };
    (!data.totals.is_empty()).then(|| chart.figure())
}

/// Prior draws that the prior behind the forest is made of.
const PRIOR_DRAWS: usize = 400;

/// C04.
pub(crate) fn forest(config: &Config, data: &Data) -> Option<Figure> {
    let model = &data.fitted.model;
    let prior = Draws {
        chains: vec![draw_prior(model, PRIOR_DRAWS, data.fitted.card.seed).concat()],
        labels: model.layout.labels(),
        statistics: Vec::new(),
        warmup: None,
        evaluations: 0,
    };
    let before = channels(model, &prior);
    let after = channels(model, &data.fitted.draws);
    let draws = contribution_draws(model, &data.fitted.draws);
    let rows: Vec<RoiRow> = after
        .iter()
        .filter(|row| row.geo.is_none())
        .filter_map(|row| {
            let (roas, spend) = (row.roas?, row.spend?);
            let own = &draws[row.channel];
            let above = own
                .iter()
                .filter(|x| **x / spend > config.target_roas)
                .count();
            let known = before
                .iter()
                .find(|p| p.geo.is_none() && p.channel == row.channel);
            let prior = known
                .and_then(|row| row.roas)
                .filter(|roas| roas.q50.is_finite());
            Some(RoiRow {
                channel: model.panel.channels[row.channel].name.clone(),
                roi: interval(&roas),
                prior: prior.map(|roas| interval(&roas)),
                spend,
                above_target: Some(above as f64 / own.len().max(1) as f64),
            })
        })
        .collect();
    let chart = RoiForest {
        key: "c04".to_owned(),
        outcome: data.outcome.clone(),
        currency: data.currency.clone(),
        target: Some(config.target_roas),
        rows,
        colors: data.colors.clone(),
    };
    (!chart.rows.is_empty()).then(|| chart.figure())
}

/// C08.
pub(crate) fn shares(data: &Data) -> Option<Figure> {
    let row = |row: &mixline_schema::catalog::MmmResults| {
        Some(ShareRow {
            channel: row.channel.clone(),
            spend: row.spend?,
            effect: row.contribution,
        })
    };
    let rows: Vec<ShareRow> = data.results.iter().filter_map(row).collect();
    let chart = Shares {
        key: "c08".to_owned(),
        colors: data.colors.clone(),
        rows,
    };
    (chart.rows.len() > 1).then(|| chart.figure())
}

/// C06.
pub(crate) fn bubbles(config: &Config, data: &Data) -> Option<Figure> {
    let bubble = |row: &mixline_schema::catalog::MmmResults| {
        Some(Bubble {
            channel: row.channel.clone(),
            roi: row.roas_q50?,
            marginal: row.marginal_roas_q50?,
            spend: row.spend?,
        })
    };
    let chart = Bubbles {
        key: "c06".to_owned(),
        outcome: data.outcome.clone(),
        currency: data.currency.clone(),
        target: config.target_roas,
        channels: data.results.iter().filter_map(bubble).collect(),
        colors: data.colors.clone(),
    };
    (!chart.channels.is_empty()).then(|| chart.figure())
}

/// C25.
pub(crate) fn attribution(data: &Data) -> Option<Figure> {
    let method = data.comparison.first()?.method.replace('_', " ");
    let row = |row: &mixline_schema::catalog::Comparison| AttributionRow {
        channel: row.channel.clone(),
        attributed: row.attributed,
        modelled: (row.contribution, row.contribution_q05, row.contribution_q95),
        trust: row.trust.clone(),
    };
    let chart = Attribution {
        key: "c25".to_owned(),
        outcome: data.outcome.clone(),
        method,
        rows: data.comparison.iter().map(row).collect(),
        colors: data.colors.clone(),
    };
    Some(chart.figure())
}

/// C11.
pub(crate) fn adstock(data: &Data) -> Option<Figure> {
    let mut panels: BTreeMap<&str, AdstockPanel> = BTreeMap::new();
    for row in &data.adstock {
        let panel = panels.entry(&row.channel).or_insert_with(|| AdstockPanel {
            channel: row.channel.clone(),
            weights: Vec::new(),
            half_life: row.half_life,
        });
        panel.weights.push(Interval {
            mean: row.mean,
            q05: row.q05,
            q25: row.q25,
            q50: row.q50,
            q75: row.q75,
            q95: row.q95,
        });
    }
    let chart = Adstock {
        key: "c11".to_owned(),
        period: data.period_word().to_owned(),
        panels: panels.into_values().collect(),
        colors: data.colors.clone(),
    };
    (!chart.panels.is_empty()).then(|| chart.figure())
}
