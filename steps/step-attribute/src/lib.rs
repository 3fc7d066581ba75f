//! Shares the revenue of each order over channels, by every method.
//!
//! ```text
//! journeys ──► one order after the other ─► sharing.rs ─► attribution_events
//! attribution_channels, conversion_model, attribution_reconciliation ─► learned.rs ──┘
//! attribution_events of earlier runs ─────────────────────────────────► memory.rs ───┘
//! ```
//!
//! Rules look at the journey alone; the other methods share by what `step-weigh` has learned from
//! all journeys. The credits of an order and method sum to exactly 1, and what no touch can be
//! credited with is `direct`'s.
//!
//! **Day by day.** A run shares the orders of its window and of `restatement_days` before it. Of
//! earlier days it changes only what changed: refunds and restated orders scale what was credited,
//! orders that came late are shared, and credits that no longer hold are taken back by rows with
//! credit 0.

mod config;
mod events;
mod learned;
mod memory;
mod sharing;

pub use config::Config;

use chrono::{Days, NaiveDate};
use mixline_attribution_tables::{Decoded, Method, SpendByDay};
use mixline_schema::Window;
use mixline_schema::catalog::{
    AttributionChannels, AttributionEvents, AttributionReconciliation, ConversionModels, Journeys,
    MediaDaily,
};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

use crate::events::day_of;
use crate::learned::Learned;
use crate::memory::Memory;
use crate::sharing::Sharing;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Journeys, touch by touch.
        journeys: Batches<Journeys>,
        /// Spend by day and channel, for `spend_share`.
        media: Option<MediaDaily>,
        /// Removal effects, for the Markov methods.
        channels: Option<AttributionChannels>,
        /// The model of conversions, for `data_driven` and `shapley_incremental`.
        model: Option<ConversionModels>,
        /// Factors on path shares, for `mmm_informed`.
        reconciliation: Option<AttributionReconciliation>,
        /// What earlier runs credited.
        earlier: Option<Batches<AttributionEvents>>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Credited revenue by order, method, channel and campaign.
        events: AttributionEvents => Upsert,
    }
}

/// What credit follows from: spend of the order's day, the journey before it, what was learned of
/// channels, and the credits that are taken back.
const CREDIT: &[&str] = &[
    "journeys.age_days",
    "journeys.channel",
    "journeys.date",
    "journeys.position",
    "journeys.weight",
    "media.channel",
    "media.date",
    "media.spend",
    "channels.removal_effect",
    "model.value",
    "reconciliation.factor",
    "earlier.credit",
];

/// Credit, times the order's revenue.
const CREDITED_REVENUE: &[&str] = &[
    "journeys.age_days",
    "journeys.channel",
    "journeys.date",
    "journeys.position",
    "journeys.revenue",
    "journeys.weight",
    "media.channel",
    "media.date",
    "media.spend",
    "channels.removal_effect",
    "model.value",
    "reconciliation.factor",
    "earlier.revenue",
];

/// The step.
#[derive(Debug)]
pub struct Attribute;

impl Step for Attribute {
    const NAME: &'static str = "step-attribute";
    const ABOUT: &'static str = "Shares each order's revenue over channels, by several methods.";
    const WINDOWED: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::same(
            "events.order_id",
            &["journeys.order_id", "earlier.order_id"],
        ),
        Column::made("events.method", &[]),
        Column::made(
            "events.channel",
            &["media.channel", "journeys.channel", "earlier.channel"],
        ),
        Column::made(
            "events.campaign",
            &["journeys.campaign", "earlier.campaign"],
        ),
        Column::same("events.date", &["journeys.date", "earlier.date"]),
        Column::same(
            "events.currency",
            &["journeys.currency", "earlier.currency"],
        ),
        Column::made("events.credit", CREDIT),
        Column::made("events.revenue", CREDITED_REVENUE),
        Column::same(
            "events.new_customer",
            &["journeys.new_customer", "earlier.new_customer"],
        ),
    ];
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
        let spend = spend(config, inputs.media)?;
        let learned = Learned::new(
            config,
            &inputs
                .channels
                .map(|table| table.rows())
                .unwrap_or_default(),
            &inputs.model.map(|table| table.rows()).unwrap_or_default(),
            &inputs
                .reconciliation
                .map(|table| table.rows())
                .unwrap_or_default(),
            ctx.seed(),
        );
        ctx.progress(0.1, "recalling earlier credits");
        let mut memory = match &inputs.earlier {
            Some(earlier) => Memory::recall(earlier, &inputs.journeys, inside)?,
            None => Memory::default(),
        };
        ctx.progress(0.4, "sharing orders");
        let mut sharing = Sharing::new(config, &spend, learned);
        let mut rows = std::mem::take(&mut memory.restated);
        ctx.note("rows_restated", rows.len());
        for batch in inputs.journeys.iter() {
            let decoded = Decoded::new(&batch.map_err(StepError::from)?);
            for journey in decoded.journeys() {
                let Some(order) = &journey.order else {
                    continue;
                };
                let date = day_of(order.date);
                if inside(date) || memory.missed(order.id, date) {
                    let fresh = sharing.share(&decoded, &journey, order);
                    rows.extend(memory.take_back(order.id, &fresh));
                    rows.extend(fresh);
                }
            }
        }
        sharing.note(ctx);
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

/// Spend by day, where it is asked for.
fn spend(config: &Config, media: Option<Table<MediaDaily>>) -> Result<SpendByDay, StepError> {
    let rows = media.map(|table| table.rows()).unwrap_or_default();
    if !config.methods.contains(&Method::SpendShare) {
        return Ok(SpendByDay::default());
    }
    SpendByDay::new(rows).map_err(|error| {
        StepError::data("spend shares cannot be told")
            .because(error)
            .hint("export every source in one currency, or leave spend_share out of `methods`")
    })
}

#[cfg(test)]
mod tests;
