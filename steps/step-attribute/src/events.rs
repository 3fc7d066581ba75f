//! Credits of one order as rows.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mixline_attribution::share_out;
use mixline_attribution_tables::{Method, OrderRow};
use mixline_schema::catalog::AttributionEvents;

/// The campaign of methods that do not tell campaigns apart.
pub(crate) const ALL: &str = "all";

/// Credit by channel and campaign.
pub(crate) type Credits = BTreeMap<(String, String), f64>;

/// Makes credits sum to exactly 1, in the order of their keys.
pub(crate) fn exact(credits: &mut Credits) {
    let mut shares: Vec<f64> = credits.values().copied().collect();
    share_out(&mut shares);
    for (credit, share) in credits.values_mut().zip(shares) {
        *credit = share;
    }
    credits.retain(|_, credit| *credit > 0.0);
}

/// The rows of one order and method.
pub(crate) fn events_of(
    order: &OrderRow<'_>,
    method: Method,
    credits: Credits,
) -> impl Iterator<Item = AttributionEvents> {
    let (order_id, method) = (order.id.to_owned(), method.to_string());
    let (date, currency) = (day_of(order.date), order.currency.to_owned());
    let (revenue, new_customer) = (order.revenue, order.new_customer);
    credits
        .into_iter()
        .map(move |((channel, campaign), credit)| AttributionEvents {
            order_id: order_id.clone(),
            method: method.clone(),
            channel,
            campaign,
            date,
            currency: currency.clone(),
            credit,
            revenue: credit * revenue,
            new_customer,
        })
}

/// A day of a table.
pub(crate) fn day_of(days: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(days).unwrap_or_default()
}
