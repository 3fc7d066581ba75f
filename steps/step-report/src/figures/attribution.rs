//! What attribution says of channels, and how paths look.

use mixline_chart::Figure;
use mixline_chart::charts::histogram::Histogram;
use mixline_chart::charts::paths::{PathRow, Paths};
use mixline_chart::charts::positions::{PositionRow, Positions};
use mixline_chart::charts::removal::{Chain, Removal};

use crate::attribution::{Attribution, method_name};
use crate::data::Data;

/// C26.
pub(crate) fn methods(data: &Data) -> Option<Figure> {
    let own = data.attribution.as_ref()?;
    Some(own.shares(&data.colors).figure())
}

/// C27.
pub(crate) fn removal(data: &Data) -> Option<Figure> {
    let own = data.attribution.as_ref()?;
    let mut chains: Vec<Chain> = Vec::new();
    for row in &own.channels {
        // A channel that no path meets has nothing to remove.
        let Some(effect) = row.removal_effect.filter(|effect| *effect > 0.0) else {
            continue;
        };
        let (name, effect) = (method_name(&row.method), (row.channel.clone(), effect));
        match chains.iter_mut().find(|chain| chain.name == name) {
            Some(chain) => chain.effects.push(effect),
            None => chains.push(Chain {
                name,
                effects: vec![effect],
            }),
        }
    }
    let chart = Removal {
        key: "c27".to_owned(),
        chains,
        colors: data.colors.clone(),
    };
    (!chart.chains.is_empty()).then(|| chart.figure())
}

/// C28, of touches.
pub(crate) fn lengths(data: &Data) -> Option<Figure> {
    let chart = Histogram {
        key: "c28-touches".to_owned(),
        title: "Touches before an order".to_owned(),
        unit: ("touch".to_owned(), "touches".to_owned()),
        buckets: buckets(data.attribution.as_ref()?, "path_length"),
        last: 15,
    };
    (!chart.buckets.is_empty()).then(|| chart.figure())
}

/// C28, of days.
pub(crate) fn lags(data: &Data) -> Option<Figure> {
    let chart = Histogram {
        key: "c28-days".to_owned(),
        title: "Days from the first touch to the order".to_owned(),
        unit: ("day".to_owned(), "days".to_owned()),
        buckets: buckets(data.attribution.as_ref()?, "days_to_conversion"),
        last: 30,
    };
    (!chart.buckets.is_empty()).then(|| chart.figure())
}

fn buckets(own: &Attribution, measure: &str) -> Vec<(i64, f64)> {
    let rows = own.lags.iter().filter(|row| row.measure == measure);
    rows.map(|row| (row.bucket, row.conversions)).collect()
}

/// C29.
pub(crate) fn positions(data: &Data) -> Option<Figure> {
    let own = data.attribution.as_ref()?;
    let mut rows: Vec<PositionRow> = Vec::new();
    // The table is in the order of its key: positions of a channel follow each other.
    for row in own.positions.iter().filter(|row| row.position > 0) {
        let at = usize::try_from(row.position - 1).unwrap_or(usize::MAX);
        if rows.last().is_none_or(|last| last.channel != row.channel) {
            rows.push(PositionRow {
                channel: row.channel.clone(),
                credit: Vec::new(),
            });
        }
        if let Some(last) = rows.last_mut().filter(|_| at < POSITIONS) {
            last.credit.resize(last.credit.len().max(at + 1), 0.0);
            last.credit[at] = row.revenue;
        }
    }
    let chart = Positions {
        key: "c29".to_owned(),
        outcome: own.outcome(),
        rows,
        colors: data.colors.clone(),
    };
    (chart.rows.len() > 1).then(|| chart.figure())
}

/// Positions looked at most; the table folds long before.
const POSITIONS: usize = 100;

/// C30.
pub(crate) fn paths(data: &Data) -> Option<Figure> {
    let own = data.attribution.as_ref()?;
    let row = |row: &mixline_schema::catalog::AttributionPaths| PathRow {
        path: row.path.clone(),
        conversions: row.conversions,
        rate: row.conversion_rate,
        outcome: row.revenue,
    };
    let chart = Paths {
        key: "c30".to_owned(),
        outcome: own.outcome(),
        conversions: own.conversions(),
        rows: own.paths.iter().map(row).collect(),
    };
    (!chart.rows.is_empty()).then(|| chart.figure())
}
