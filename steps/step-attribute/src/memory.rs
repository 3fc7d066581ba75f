//! What earlier runs credited, and what of it no longer holds.
//!
//! The table is upserted by key, so a credit that moves from one channel to another must be taken
//! back where it was: its row gets credit 0. Orders outside the window keep their shares; when their
//! revenue was restated, credited revenue follows, share by share, so that a refund reverses exactly.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use mixline_artifact::StoreError;
use mixline_attribution_tables::Decoded;
use mixline_schema::catalog::{AttributionEvents, Journeys};
use mixline_step::{Batches, StepError};

use crate::events::day_of;

/// An order as it is now.
#[derive(Debug, Clone, Copy)]
struct Now {
    revenue: f64,
    date: NaiveDate,
}

/// Channel and campaign that were credited, by method.
type Credited = (String, String, String);

/// What is known of earlier runs.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// First day that was ever credited.
    first: Option<NaiveDate>,
    /// Orders that were credited.
    known: HashSet<String>,
    /// Credits of orders that will be shared anew.
    before: HashMap<String, Vec<AttributionEvents>>,
    /// Rows of orders outside the window that changed.
    pub(crate) restated: Vec<AttributionEvents>,
}

impl Memory {
    /// Compares earlier credits with the orders as they are now. `inside` says which days will be
    /// shared anew.
    pub(crate) fn recall(
        earlier: &Batches<AttributionEvents>,
        journeys: &Batches<Journeys>,
        inside: impl Fn(NaiveDate) -> bool,
    ) -> Result<Self, StepError> {
        let now = orders_now(journeys)?;
        let mut this = Self::default();
        for batch in earlier.iter() {
            for row in batch.map_err(StepError::from)?.rows() {
                this.first = Some(this.first.map_or(row.date, |first| first.min(row.date)));
                if !this.known.contains(&row.order_id) {
                    this.known.insert(row.order_id.clone());
                }
                match now.get(&row.order_id) {
                    Some(order) if inside(order.date) => {
                        this.before
                            .entry(row.order_id.clone())
                            .or_default()
                            .push(row);
                    }
                    Some(order) => this.restate(row, order),
                    None => this.withdraw(row),
                }
            }
        }
        Ok(this)
    }

    fn restate(&mut self, row: AttributionEvents, order: &Now) {
        let revenue = row.credit * order.revenue;
        if revenue != row.revenue || order.date != row.date {
            self.restated.push(AttributionEvents {
                revenue,
                date: order.date,
                ..row
            });
        }
    }

    /// An order that is in no journey any more earns nobody anything.
    fn withdraw(&mut self, row: AttributionEvents) {
        if row.credit != 0.0 || row.revenue != 0.0 {
            self.restated.push(AttributionEvents {
                credit: 0.0,
                revenue: 0.0,
                ..row
            });
        }
    }

    /// Whether an order outside the window came so late that no run has shared it.
    pub(crate) fn missed(&self, order: &str, date: NaiveDate) -> bool {
        self.first.is_some_and(|first| date >= first) && !self.known.contains(order)
    }

    /// Rows that take back what an order's new credits no longer give.
    pub(crate) fn take_back(
        &mut self,
        order: &str,
        fresh: &[AttributionEvents],
    ) -> Vec<AttributionEvents> {
        let Some(before) = self.before.remove(order) else {
            return Vec::new();
        };
        let key = |row: &AttributionEvents| -> Credited {
            (
                row.method.clone(),
                row.channel.clone(),
                row.campaign.clone(),
            )
        };
        let given: HashSet<Credited> = fresh.iter().map(key).collect();
        let methods: HashSet<&str> = fresh.iter().map(|row| row.method.as_str()).collect();
        let gone = before
            .into_iter()
            .filter(|row| methods.contains(row.method.as_str()) && !given.contains(&key(row)));
        gone.map(|row| AttributionEvents {
            credit: 0.0,
            revenue: 0.0,
            ..row
        })
        .collect()
    }
}

fn orders_now(journeys: &Batches<Journeys>) -> Result<HashMap<String, Now>, StepError> {
    let mut now = HashMap::new();
    for batch in journeys.iter() {
        let decoded = Decoded::new(&batch.map_err(|error: StoreError| StepError::from(error))?);
        for order in decoded.journeys().filter_map(|journey| journey.order) {
            let (revenue, date) = (order.revenue, day_of(order.date));
            now.insert(order.id.to_owned(), Now { revenue, date });
        }
    }
    Ok(now)
}
