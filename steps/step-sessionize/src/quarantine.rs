//! What is in no journey: counted, and kept with its reason.

use std::collections::BTreeMap;

use chrono::DateTime;
use mixline_attribution::sessionize::{LeftOut, Reason};
use mixline_attribution_tables::{Life, OrderBook, OrderRow, Sources, TouchRow};
use mixline_schema::catalog::JourneyQuarantine;

/// Touches and orders that were left out.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    pub(crate) rows: Vec<JourneyQuarantine>,
    pub(crate) counts: BTreeMap<Reason, u64>,
}

impl Quarantine {
    /// Keeps what of a customer was left out.
    pub(crate) fn keep(&mut self, life: &Life<'_>, orders: &OrderBook, sources: &Sources) {
        for (what, reason) in &life.found.left_out {
            match what {
                LeftOut::Touch(row) => {
                    self.touch(life.customer, &life.touches[*row], sources, *reason);
                }
                LeftOut::Order(place) => self.order(&orders.row(*place), *reason),
            }
        }
    }

    /// Keeps a touch.
    pub(crate) fn touch(
        &mut self,
        customer: &str,
        touch: &TouchRow,
        sources: &Sources,
        reason: Reason,
    ) {
        let (channel, campaign) = sources.name(touch.source);
        self.push(
            reason,
            JourneyQuarantine {
                record: "touch".to_owned(),
                id: customer.to_owned(),
                at: instant(touch.at),
                channel: channel.to_owned(),
                campaign: campaign.to_owned(),
                reason: reason.name().to_owned(),
                revenue: None,
            },
        );
    }

    fn order(&mut self, order: &OrderRow<'_>, reason: Reason) {
        self.push(
            reason,
            JourneyQuarantine {
                record: "order".to_owned(),
                id: order.id.to_owned(),
                at: instant(order.at),
                channel: String::new(),
                campaign: String::new(),
                reason: reason.name().to_owned(),
                revenue: Some(order.revenue).filter(|revenue| revenue.is_finite()),
            },
        );
    }

    fn push(&mut self, reason: Reason, row: JourneyQuarantine) {
        *self.counts.entry(reason).or_default() += 1;
        self.rows.push(row);
    }
}

/// An instant of a table; those that no calendar has become its beginning.
fn instant(micros: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
