//! Makes journeys of touches and orders: who met what before which order, and who did not order.
//!
//! ```text
//! touchpoints ─┐                        ┌─► journeys            one row per touch
//! identities  ─┼─► customer by customer ┤
//! orders      ─┘                        └─► journey_quarantine  what is in none, and why
//! ```
//!
//! `mixline-attribution` has the rules (look-back, sessions, duplicates, programs, what happens
//! after a conversion). Every touch and every order ends up in one of the two tables. Both tables
//! are made anew each time, since a touch may come late and an order be restated; touches stream
//! through, so that memory does not grow with them.
//!
//! **Identity.** Customers are told apart by the keyed hash of who they are. Where `identities` says
//! that an anonymous visitor turned out to be a customer, the visitor's touches are the customer's.

mod config;
mod quarantine;

pub use config::{Config, Internal};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mixline_artifact::StoreError;
use mixline_attribution::sessionize::{End, Reason, Sessionizer};
use mixline_attribution_tables::{
    JourneyRows, Life, OrderBook, Sessions, Sources, Stitching, TouchRow,
};
use mixline_schema::catalog::{Identities, JourneyQuarantine, Journeys, Orders, Touchpoints};
use mixline_step::{Column, Context, Pieces, Step, StepError, Table, inputs, outputs};

use crate::quarantine::Quarantine;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Orders: the conversions.
        orders: Orders,
        /// Touches of customers and of anonymous visitors.
        touchpoints: Option<Batches<Touchpoints>>,
        /// Who the anonymous visitors are.
        identities: Option<Identities>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Journeys, touch by touch.
        journeys: Pieces<Journeys> => Replace,
        /// Touches and orders that are in no journey. Known when all journeys are made.
        quarantine: Pieces<JourneyQuarantine> => Replace,
    }
}

/// When touches and orders happened: where journeys begin and end follows from it.
const TIMES: &[&str] = &["orders.ordered_at", "touchpoints.occurred_at"];

/// What a touch or an order may be left out for.
const REFUSED: &[&str] = &[
    "orders.order_id",
    "orders.ordered_at",
    "orders.revenue",
    "touchpoints.customer_key",
    "touchpoints.occurred_at",
    "touchpoints.channel",
    "touchpoints.campaign",
    "touchpoints.kind",
    "identities.customer_key",
];

/// The step.
#[derive(Debug)]
pub struct Sessionize;

impl Step for Sessionize {
    const NAME: &'static str = "step-sessionize";
    const ABOUT: &'static str = "Makes journeys of touches and orders.";
    const COLUMNS: &'static [Column] = &[
        Column::made(
            "journeys.customer_key",
            &[
                "orders.customer_key",
                "orders.order_id",
                "touchpoints.customer_key",
                "identities.customer_key",
            ],
        ),
        Column::made("journeys.journey", TIMES),
        Column::made("journeys.position", TIMES),
        Column::made("journeys.status", TIMES),
        Column::summed("journeys.touches", TIMES),
        Column::same("journeys.occurred_at", &["touchpoints.occurred_at"]),
        Column::same("journeys.channel", &["touchpoints.channel"]),
        Column::same("journeys.campaign", &["touchpoints.campaign"]),
        Column::same("journeys.kind", &["touchpoints.kind"]),
        Column::made("journeys.session", &["touchpoints.occurred_at"]),
        Column::made("journeys.age_days", TIMES),
        // A view counts less than a click, and nothing beyond its look-back.
        Column::made(
            "journeys.weight",
            &[
                "orders.ordered_at",
                "touchpoints.occurred_at",
                "touchpoints.kind",
            ],
        ),
        Column::same("journeys.ended_at", TIMES),
        Column::same("journeys.order_id", &["orders.order_id"]),
        Column::same("journeys.date", &["orders.date"]),
        Column::same("journeys.currency", &["orders.currency"]),
        Column::same("journeys.revenue", &["orders.revenue"]),
        Column::same("journeys.new_customer", &["orders.new_customer"]),
        Column::made("quarantine.record", &[]),
        Column::same(
            "quarantine.id",
            &[
                "touchpoints.customer_key",
                "identities.customer_key",
                "orders.order_id",
            ],
        ),
        Column::same("quarantine.at", TIMES),
        Column::same("quarantine.channel", &["touchpoints.channel"]),
        Column::same("quarantine.campaign", &["touchpoints.campaign"]),
        Column::made("quarantine.reason", REFUSED),
        Column::same("quarantine.revenue", &["orders.revenue"]),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let orders = OrderBook::new(&inputs.orders);
        ctx.note("orders", orders.len());
        let touchpoints = inputs.touchpoints.unwrap_or_else(|| Table::empty().into());
        let mut sources = Sources::default();
        let stitching = match &inputs.identities {
            Some(identities) => Stitching::new(identities, touchpoints.iter(), &mut sources)?,
            None => Stitching::none(),
        };
        ctx.note("touches_stitched", stitching.touches());
        let sessionizer = Sessionizer::new(config.rules.clone(), end_of(&orders, config));
        let kept = Arc::new(Mutex::new(Quarantine::default()));
        let making = Making {
            sessions: Sessions::new(touchpoints.iter(), orders, stitching, sources, sessionizer),
            config: config.clone(),
            kept: Arc::clone(&kept),
            tally: Tally::default(),
            ctx: ctx.clone(),
            done: false,
        };
        Ok(Outputs {
            journeys: Pieces::new(making),
            quarantine: Pieces::new(std::iter::once_with(move || {
                Table::from_rows(std::mem::take(&mut lock(&kept).rows))
            })),
        })
    }
}

/// The instant after which nothing can have happened.
fn end_of(orders: &OrderBook, config: &Config) -> i64 {
    let margin = (config.future_hours * 3_600.0 * 1e6) as i64;
    orders
        .newest()
        .map_or(i64::MAX, |newest| newest.saturating_add(margin))
}

/// Makes a piece of `journeys` of each piece of `touchpoints`.
struct Making<I> {
    sessions: Sessions<I>,
    config: Config,
    kept: Arc<Mutex<Quarantine>>,
    tally: Tally,
    ctx: Context,
    done: bool,
}

impl<I: Iterator<Item = Result<Table<Touchpoints>, StoreError>>> Iterator for Making<I> {
    type Item = Result<Table<Journeys>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done || self.ctx.stopping() {
            return None;
        }
        let made = self.piece();
        match made {
            Ok(Some(rows)) => Some(rows.into_table()),
            Ok(None) => {
                self.finish();
                None
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}

impl<I: Iterator<Item = Result<Table<Touchpoints>, StoreError>>> Making<I> {
    fn piece(&mut self) -> Result<Option<JourneyRows>, StoreError> {
        let mut rows = JourneyRows::default();
        let kept = Arc::clone(&self.kept);
        let (config, tally) = (&self.config, &mut self.tally);
        let mut refused: Vec<(String, TouchRow, Reason)> = Vec::new();
        let mut screen = |customer: &str, touch: &TouchRow, sources: &Sources| {
            let (channel, campaign) = sources.name(touch.source);
            let reason = config.refusal(channel, campaign).or_else(|| {
                config
                    .internal
                    .customers
                    .contains(customer)
                    .then_some(Reason::Internal)
            });
            if let Some(reason) = reason {
                refused.push((customer.to_owned(), *touch, reason));
            }
            reason.is_none()
        };
        let mut visit = |life: &Life<'_>, orders: &OrderBook, sources: &Sources| {
            tally.count(life);
            if !life.found.left_out.is_empty() {
                lock(&kept).keep(life, orders, sources);
            }
            rows.add(life, orders, sources);
        };
        let more = self.sessions.advance(&mut screen, &mut visit)?;
        let mut kept = lock(&self.kept);
        for (customer, touch, reason) in refused {
            kept.touch(&customer, &touch, &self.sessions.sources, reason);
        }
        Ok(more.then_some(rows))
    }

    /// Says what was counted.
    fn finish(&mut self) {
        self.done = true;
        self.tally.note(&self.ctx);
        for (reason, count) in &lock(&self.kept).counts {
            self.ctx.note(format!("left_out.{}", reason.name()), *count);
        }
    }
}

/// Counts that explain the result.
#[derive(Debug, Default)]
struct Tally {
    customers: u64,
    converted: u64,
    untouched: u64,
    ended: u64,
    open: u64,
    touches: u64,
}

impl Tally {
    fn count(&mut self, life: &Life<'_>) {
        self.customers += 1;
        self.touches += life.found.steps.len() as u64;
        for trip in &life.found.trips {
            let of = match trip.end {
                End::Converted(_) if trip.steps.is_empty() => &mut self.untouched,
                End::Converted(_) => &mut self.converted,
                End::Ended => &mut self.ended,
                End::Open => &mut self.open,
            };
            *of += 1;
        }
    }

    fn note(&self, ctx: &Context) {
        ctx.note("customers", self.customers);
        ctx.note("touches_in_journeys", self.touches);
        ctx.note("journeys_converted", self.converted);
        ctx.note("orders_without_touches", self.untouched);
        ctx.note("journeys_ended", self.ended);
        ctx.note("journeys_open", self.open);
    }
}

/// A panic while the lock was held leaves rows that are whole: each is pushed at once.
fn lock(quarantine: &Mutex<Quarantine>) -> MutexGuard<'_, Quarantine> {
    quarantine.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
