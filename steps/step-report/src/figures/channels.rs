//! What channels brought in.

use mixline_chart::Figure;
use mixline_chart::charts::roi_forest::{RoiForest, RoiRow};
use mixline_chart::charts::waterfall::{Part, Waterfall};
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
