//! What happened period by period.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mixline_chart::charts::actual::{Actual, ActualPeriod};
use mixline_chart::charts::inputs::{InputSeries, Inputs};
use mixline_chart::charts::over_time::OverTime;
use mixline_chart::charts::residuals::Residuals;
use mixline_chart::{Figure, Interval};
use mixline_numerics::normal;
use mixline_schema::catalog::Predictions;

use crate::data::Data;

/// Predictions over all regions: exact for one, sums of quantiles (a wider band) for several.
fn predictions(data: &Data) -> BTreeMap<NaiveDate, Predictions> {
    let mut merged: BTreeMap<NaiveDate, Predictions> = BTreeMap::new();
    for row in &data.predictions {
        match merged.get_mut(&row.date) {
            None => {
                merged.insert(row.date, row.clone());
            }
            Some(own) => {
                own.observed += row.observed;
                own.expected += row.expected;
                own.predicted_q05 += row.predicted_q05;
                own.predicted_q25 += row.predicted_q25;
                own.predicted_q75 += row.predicted_q75;
                own.predicted_q95 += row.predicted_q95;
            }
        }
    }
    merged
}

/// Mean contributions of media over all regions, by period.
fn media(data: &Data) -> BTreeMap<NaiveDate, f64> {
    let mut sums = BTreeMap::new();
    for row in data
        .contributions
        .iter()
        .filter(|row| is_whole(data, &row.geo) && row.kind == "media")
    {
        *sums.entry(row.date).or_insert(0.0) += row.mean;
    }
    sums
}

/// Whether rows of a region stand for all regions.
fn is_whole(data: &Data, geo: &str) -> bool {
    geo == "all" || data.fitted.model.panel.geos.len() == 1
}

/// C13.
pub(crate) fn actual(data: &Data) -> Option<Figure> {
    let media = media(data);
    let period = |row: &Predictions| ActualPeriod {
        date: row.date,
        observed: row.observed,
        predicted: Interval {
            mean: row.expected,
            q05: row.predicted_q05,
            q25: row.predicted_q25,
            q50: row.expected,
            q75: row.predicted_q75,
            q95: row.predicted_q95,
        },
        baseline: media.get(&row.date).map(|media| row.expected - media),
        holdout: row.split == "holdout",
    };
    let chart = Actual {
        key: "c13".to_owned(),
        outcome: data.outcome.clone(),
        periods: predictions(data).values().map(period).collect(),
    };
    (!chart.periods.is_empty()).then(|| chart.figure())
}

/// C14.
pub(crate) fn residuals(data: &Data) -> Option<Figure> {
    let rows = predictions(data);
    let chart = Residuals {
        key: "c14".to_owned(),
        outcome: data.outcome.clone(),
        periods: rows
            .values()
            .map(|row| (row.date, row.expected, row.observed))
            .collect(),
        normal_quantile: normal::quantile,
    };
    (!chart.periods.is_empty()).then(|| chart.figure())
}

/// C02.
pub(crate) fn over_time(data: &Data) -> Option<Figure> {
    let observed = data.by_period();
    let dates: Vec<NaiveDate> = observed.keys().copied().collect();
    let place: BTreeMap<NaiveDate, usize> =
        dates.iter().enumerate().map(|(t, day)| (*day, t)).collect();
    let mut parts: BTreeMap<(usize, String), Vec<f64>> = BTreeMap::new();
    for row in data
        .contributions
        .iter()
        .filter(|row| is_whole(data, &row.geo))
    {
        let (order, name) = match row.kind.as_str() {
            // A control that lowers the outcome all the time would dig below zero by itself.
            "intercept" | "trend" | "season" | "control" => (0, "baseline and controls".to_owned()),
            "event" | "interaction" => (1, "events".to_owned()),
            "media" => (2 + rank(data, &row.component), row.component.clone()),
            _ => continue,
        };
        if let Some(t) = place.get(&row.date) {
            let series = parts
                .entry((order, name))
                .or_insert_with(|| vec![0.0; dates.len()]);
            series[*t] += row.mean;
        }
    }
    let chart = OverTime {
        key: "c02".to_owned(),
        outcome: data.outcome.clone(),
        observed: observed.into_values().collect(),
        dates,
        parts: parts
            .into_iter()
            .map(|((_, name), series)| (name, series))
            .collect(),
        colors: data.colors.clone(),
    };
    (!chart.parts.is_empty()).then(|| chart.figure())
}

/// Place of a channel among the results.
fn rank(data: &Data, channel: &str) -> usize {
    data.results
        .iter()
        .position(|row| row.channel == channel)
        .unwrap_or(usize::MAX / 2)
}

/// C24.
pub(crate) fn inputs(data: &Data) -> Option<Figure> {
    let panel = &data.fitted.model.panel;
    let flags = |name: &str| {
        data.findings
            .iter()
            .filter(|row| row.subject == name && row.severity != "suggestion")
            .count()
    };
    let series = |name: &str, what: &str, unit: &str, values: &[f64]| {
        let sum = |t: usize| {
            let cells = (0..panel.geos.len()).map(|g| values[g * panel.periods() + t]);
            cells.filter(|x| x.is_finite()).sum::<f64>()
        };
        let seen =
            |t: &usize| (0..panel.geos.len()).any(|g| values[g * panel.periods() + t].is_finite());
        InputSeries {
            name: name.to_owned(),
            what: what.to_owned(),
            unit: unit.to_owned(),
            values: (0..panel.periods())
                .filter(seen)
                .map(|t| (panel.dates[t], sum(t)))
                .collect(),
            flags: flags(name),
        }
    };
    let mut all = vec![series(
        &data.fitted.units.metric,
        "outcome",
        &data.outcome.unit,
        &panel.outcome,
    )];
    for channel in &panel.channels {
        match &channel.spend {
            Some(spend) => all.push(series(&channel.name, "spend", &data.currency, spend)),
            None => all.push(series(&channel.name, "media", "", &channel.media)),
        }
    }
    all.extend(
        panel
            .controls
            .iter()
            .map(|own| series(&own.name, "control", "", &own.values)),
    );
    let chart = Inputs {
        key: "c24".to_owned(),
        series: all,
        colors: data.colors.clone(),
    };
    Some(chart.figure())
}
