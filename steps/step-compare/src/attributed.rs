//! What attribution gives each channel over the periods whose outcome the model explains.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use mixline_model::panel::Panel;
use mixline_model::plan::Horizon;
use mixline_schema::catalog::UnifiedDailyMetrics;
use mixline_step::{Context, StepError};

/// What attribution gives each channel that the model knows the spend of.
pub(crate) struct Attributed {
    /// The one method behind it; empty when nothing is attributed.
    pub(crate) method: String,
    /// Revenue by channel.
    pub(crate) revenue: BTreeMap<String, f64>,
}

/// Adds up attributed revenue within the observed periods.
///
/// # Errors
/// A data error when several methods are mixed: their sum is what no method says, and its distance
/// from the model would mean nothing.
pub(crate) fn attributed(
    panel: &Panel,
    metrics: &[UnifiedDailyMetrics],
    ctx: &Context,
) -> Result<Attributed, StepError> {
    let periods = observed_periods(panel);
    let paid = panel.channels.iter().filter(|own| own.spend.is_some());
    let known: BTreeSet<&str> = paid.map(|own| own.name.as_str()).collect();
    let compared: Vec<&UnifiedDailyMetrics> = metrics
        .iter()
        .filter(|row| known.contains(row.channel.as_str()) && is_inside(&periods, row.date))
        .collect();
    let days: BTreeSet<NaiveDate> = compared.iter().map(|row| row.date).collect();
    let all: i64 = periods
        .iter()
        .map(|(from, to)| (*to - *from).num_days())
        .sum();
    ctx.note("days_attributed", days.len());
    ctx.note("days_modelled", all);
    let mut revenue = BTreeMap::new();
    for row in &compared {
        *revenue.entry(row.channel.clone()).or_insert(0.0) += row.attributed_revenue;
    }
    Ok(Attributed {
        method: one_method(&compared)?,
        revenue,
    })
}

/// The first day of every period with an outcome in some region, and the first one after it.
fn observed_periods(panel: &Panel) -> Vec<(NaiveDate, NaiveDate)> {
    // One period ahead: where the last one ends, as the calendar has it.
    let ahead = Horizon {
        periods: 1,
        ..Horizon::default()
    };
    let starts = panel.dates.iter().copied();
    let ends = starts.clone().skip(1).chain(ahead.dates(panel));
    let is_observed = |t: usize| {
        let mut geos = 0..panel.geos.len();
        geos.any(|g| panel.of_geo(&panel.outcome, g)[t].is_finite())
    };
    let periods = starts.zip(ends).enumerate();
    periods
        .filter_map(|(t, period)| is_observed(t).then_some(period))
        .collect()
}

/// Whether a day lies in one of the periods, which ascend.
fn is_inside(periods: &[(NaiveDate, NaiveDate)], day: NaiveDate) -> bool {
    let begun = periods.partition_point(|(first, _)| *first <= day);
    periods[..begun].last().is_some_and(|(_, end)| day < *end)
}

fn one_method(rows: &[&UnifiedDailyMetrics]) -> Result<String, StepError> {
    let mut found: BTreeMap<&str, (NaiveDate, NaiveDate)> = BTreeMap::new();
    for row in rows {
        let days = found.entry(&row.method).or_insert((row.date, row.date));
        *days = (days.0.min(row.date), days.1.max(row.date));
    }
    if found.len() <= 1 {
        return Ok(found.into_keys().next().unwrap_or_default().to_owned());
    }
    let mut spans: Vec<_> = found.into_iter().collect();
    spans.sort_by_key(|(_, days)| *days);
    let told: Vec<String> = spans
        .iter()
        .map(|(method, (first, last))| format!("`{method}` ({first} to {last})"))
        .collect();
    Err(StepError::data(format!(
        "`unified_daily_metrics` mixes attribution methods over the modelled periods: {}",
        told.join(", ")
    ))
    .hint(
        "measure every day by one method: `mixline run daily_ingest` without a window computes all \
         days again",
    ))
}
