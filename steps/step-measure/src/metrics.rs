//! The arithmetic: sums that know missing from zero, and ratios that know their domain.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mixline_schema::catalog::{AttributionEvents, MediaDaily, Orders, UnifiedDailyMetrics};
use mixline_step::StepError;

/// A currency code that means "the source names none".
const NO_CURRENCY: &str = "XXX";

/// The one currency of all money in the tables; `XXX` when nobody names one.
pub(crate) fn one_currency(media: &[MediaDaily], orders: &[Orders]) -> Result<String, StepError> {
    let spent = media
        .iter()
        .filter(|row| row.spend.is_some())
        .map(|row| ("media_daily", row.date, &row.currency));
    let sold = orders.iter().map(|row| ("orders", row.date, &row.currency));
    let mut first: Option<(&str, NaiveDate, &String)> = None;
    for named in spent
        .chain(sold)
        .filter(|(_, _, currency)| *currency != NO_CURRENCY)
    {
        match first {
            Some(seen) if seen.2 != named.2 => return Err(mixed_currencies(seen, named)),
            Some(_) => {}
            None => first = Some(named),
        }
    }
    Ok(first.map_or_else(
        || NO_CURRENCY.to_owned(),
        |(_, _, currency)| currency.clone(),
    ))
}

fn mixed_currencies(
    one: (&str, NaiveDate, &String),
    other: (&str, NaiveDate, &String),
) -> StepError {
    StepError::data(format!(
        "money is in {} (`{}`, {}) and in {} (`{}`, {}); ratios of two currencies mean nothing",
        one.2, one.0, one.1, other.2, other.0, other.1
    ))
    .hint("export every source in one currency, or convert before ingestion")
}

/// Sums of one day and channel.
#[derive(Default)]
struct Sums {
    spend: Option<f64>,
    impressions: Option<f64>,
    clicks: Option<f64>,
    revenue: f64,
    orders: f64,
    new_customers: f64,
}

/// Adds a value that may be missing: missing plus missing stays missing.
fn add(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0.0) + value);
    }
}

/// `numerator / denominator` where the denominator is known and above zero.
fn ratio(numerator: f64, denominator: Option<f64>) -> Option<f64> {
    denominator
        .filter(|denominator| *denominator > 0.0)
        .map(|denominator| numerator / denominator)
        .filter(|ratio| ratio.is_finite())
}

/// The rows of the table, by day and channel.
pub(crate) fn unified(
    media: &[MediaDaily],
    orders: &[Orders],
    events: &[AttributionEvents],
    currency: &str,
    method: &str,
) -> Vec<UnifiedDailyMetrics> {
    let mut sums: BTreeMap<(NaiveDate, &str), Sums> = BTreeMap::new();
    let mut days: BTreeMap<NaiveDate, (f64, Option<f64>)> = BTreeMap::new();
    for row in media {
        let sum = sums.entry((row.date, &row.channel)).or_default();
        add(&mut sum.spend, row.spend);
        add(&mut sum.impressions, row.impressions);
        add(&mut sum.clicks, row.clicks);
        add(&mut days.entry(row.date).or_default().1, row.spend);
    }
    for row in orders {
        days.entry(row.date).or_default().0 += row.revenue;
    }
    for row in events {
        let sum = sums.entry((row.date, &row.channel)).or_default();
        sum.revenue += row.revenue;
        sum.orders += row.credit;
        sum.new_customers += if row.new_customer == Some(true) {
            row.credit
        } else {
            0.0
        };
    }
    let row = |((date, channel), sum): ((NaiveDate, &str), Sums)| {
        let (revenue, spend) = days.get(&date).copied().unwrap_or_default();
        let known = sum.spend.filter(|spend| *spend >= 0.0);
        UnifiedDailyMetrics {
            date,
            channel: channel.to_owned(),
            currency: currency.to_owned(),
            method: method.to_owned(),
            spend: sum.spend,
            impressions: sum.impressions,
            clicks: sum.clicks,
            attributed_revenue: sum.revenue,
            orders: sum.orders,
            new_customers: sum.new_customers,
            roas: ratio(sum.revenue, sum.spend),
            mer: ratio(revenue, spend),
            cac: known.and_then(|spend| ratio(spend, Some(sum.new_customers))),
        }
    };
    sums.into_iter().map(row).collect()
}
