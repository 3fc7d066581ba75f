//! Touches by customer, and the journey of one order.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use mixline_attribution::{Journey, LeftOut, Touch};
use mixline_schema::catalog::{Orders, Touchpoints};

/// Who is credited: channel and campaign.
pub(crate) type Credited = (String, String);

/// The touches of every customer.
pub(crate) struct TouchBook {
    by_customer: HashMap<String, Vec<(DateTime<Utc>, Credited)>>,
}

impl TouchBook {
    pub(crate) fn new(rows: Vec<Touchpoints>) -> Self {
        let mut by_customer: HashMap<String, Vec<_>> = HashMap::new();
        for row in rows {
            let touch = (row.occurred_at, (row.channel, row.campaign));
            by_customer.entry(row.customer_key).or_default().push(touch);
        }
        Self { by_customer }
    }

    /// The journey that led to `order`, everyone its customer ever met, and what was left out.
    pub(crate) fn journey(
        &self,
        order: &Orders,
        look_back_days: f64,
    ) -> (Journey<Credited>, BTreeSet<Credited>, LeftOut) {
        let touches = order
            .customer_key
            .as_ref()
            .and_then(|customer| self.by_customer.get(customer))
            .map_or(&[][..], Vec::as_slice);
        let met = touches
            .iter()
            .map(|(_, credited)| credited.clone())
            .collect();
        let aged = touches
            .iter()
            .map(|(at, credited)| Touch {
                key: credited.clone(),
                age_days: days(order.ordered_at, *at),
            })
            .collect();
        let (journey, left_out) = Journey::before_conversion(aged, look_back_days);
        (journey, met, left_out)
    }
}

/// Days from `touch` to `order`, exact to the microsecond the tables hold.
fn days(order: DateTime<Utc>, touch: DateTime<Utc>) -> f64 {
    const MICROS_PER_DAY: f64 = 86_400.0 * 1e6;
    (order.timestamp_micros() - touch.timestamp_micros()) as f64 / MICROS_PER_DAY
}
