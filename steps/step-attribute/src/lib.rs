//! Shares the revenue of each order over channels.
//!
//! Reads orders and, where there are any, media and touchpoints; writes `attribution_events`:
//! one row per order, method, channel and campaign.
//!
//! **Credit 0 is written too.** The table is upserted by key, and data arrives late: a touch that
//! comes a day after its order moves the credit from one channel to another. So each order gets a
//! row for every channel it *could* have been credited to (every touch of its customer, every
//! channel reported on its day, and `direct`). A later run then overwrites what an earlier one
//! credited, and the credits of an order and method always sum to 1.
//!
//! Only touches strictly before the order count; the others are left out and counted in the
//! result's checks.

mod config;
mod events;
mod touches;

pub use config::{Config, Method};

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use mixline_schema::Window;
use mixline_schema::catalog::{AttributionEvents, MediaDaily, Orders, Touchpoints};
use mixline_step::{Context, Step, StepError, Table, inputs, outputs};

use crate::events::{Credits, events_of};
use crate::touches::TouchBook;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Orders whose revenue is shared.
        orders: Orders,
        /// Spend by day and channel, for `spend_share`.
        media: Option<MediaDaily>,
        /// Touches of known customers, for the methods that look at journeys.
        touchpoints: Option<Touchpoints>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Credited revenue by order, method, channel and campaign.
        events: AttributionEvents => Upsert,
    }
}

/// The step.
#[derive(Debug)]
pub struct Attribute;

impl Step for Attribute {
    const NAME: &'static str = "step-attribute";
    const ABOUT: &'static str = "Shares each order's revenue over channels, by several methods.";
    const WINDOWED: bool = true;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let reach = ctx
            .window()
            .map(|window| restated(window, config.restatement_days));
        let inside = |date: NaiveDate| reach.is_none_or(|reach| reach.contains_day(date));
        let orders: Vec<Orders> = inputs
            .orders
            .rows()
            .into_iter()
            .filter(|order| inside(order.date))
            .collect();
        ctx.progress(0.2, "reading spend and touches");
        let media = inputs.media.map(|table| table.rows()).unwrap_or_default();
        let spend = spend_by_day(media.into_iter().filter(|row| inside(row.date)))?;
        let book = inputs.touchpoints.map(|table| TouchBook::new(table.rows()));
        ctx.progress(0.4, "sharing orders");
        let rows = share_all(config, &orders, &spend, book.as_ref(), ctx);
        ctx.note("orders", orders.len());
        ctx.note("events", rows.len());
        Ok(Outputs {
            events: Table::from_rows(rows)?,
        })
    }
}

/// The window, reaching back over the days that platforms still correct.
fn restated(window: Window, days: u32) -> Window {
    let start = window
        .start
        .checked_sub_days(Days::new(u64::from(days)))
        .unwrap_or(window.start);
    Window {
        start,
        end: window.end,
    }
}

/// Spend by day and channel. A channel that reported no cost is there with 0, so that what an
/// earlier run credited to it is overwritten.
type SpendByDay = BTreeMap<NaiveDate, BTreeMap<String, f64>>;

/// A currency code that means "the source names none".
const NO_CURRENCY: &str = "XXX";

fn spend_by_day(media: impl Iterator<Item = MediaDaily>) -> Result<SpendByDay, StepError> {
    let mut spend = SpendByDay::new();
    let mut currencies: BTreeMap<NaiveDate, String> = BTreeMap::new();
    for row in media {
        if row.spend.is_some() && row.currency != NO_CURRENCY {
            let seen = currencies
                .entry(row.date)
                .or_insert_with(|| row.currency.clone());
            if *seen != row.currency {
                return Err(mixed_currencies(row.date, seen, &row.currency));
            }
        }
        let day = spend.entry(row.date).or_default();
        *day.entry(row.channel).or_insert(0.0) += row.spend.unwrap_or(0.0);
    }
    Ok(spend)
}

fn mixed_currencies(date: NaiveDate, one: &str, other: &str) -> StepError {
    StepError::data(format!(
        "spend in `media_daily` on {date} is in {one} and in {other}; shares of a sum of two \
         currencies mean nothing"
    ))
    .hint("export every source in one currency, or leave spend_share out of `methods`")
}

fn share_all(
    config: &Config,
    orders: &[Orders],
    spend: &SpendByDay,
    book: Option<&TouchBook>,
    ctx: &Context,
) -> Vec<AttributionEvents> {
    // A method that the configuration names twice gives its rows once.
    let methods: BTreeSet<Method> = config.methods.iter().copied().collect();
    let mut rows = Vec::new();
    let mut tally = Tally::default();
    for order in orders {
        if methods.contains(&Method::SpendShare) {
            let credits = Credits::by_spend(spend.get(&order.date));
            tally.no_spend += usize::from(credits.is_direct());
            rows.extend(events_of(order, Method::SpendShare, &credits));
        }
        let Some(book) = book else { continue };
        let (journey, candidates, left_out) = book.journey(order, config.look_back_days);
        tally.late += left_out.not_before;
        tally.untouched += usize::from(journey.is_empty());
        for &method in &methods {
            if let Some(rule) = config.rule(method) {
                let credits = Credits::by_rule(&rule, &journey, &candidates);
                rows.extend(events_of(order, method, &credits));
            }
        }
    }
    tally.note(book.is_some(), ctx);
    rows
}

/// Counts that explain the result.
#[derive(Default)]
struct Tally {
    no_spend: usize,
    late: usize,
    untouched: usize,
}

impl Tally {
    fn note(&self, touchpoints: bool, ctx: &Context) {
        ctx.note("orders_on_days_without_spend", self.no_spend);
        if touchpoints {
            ctx.note("touches_at_or_after_the_order", self.late);
            ctx.note("orders_without_touches", self.untouched);
        } else {
            ctx.note("touch_methods", "left out: there are no touchpoints");
        }
    }
}

#[cfg(test)]
mod tests;
