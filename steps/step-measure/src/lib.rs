//! One row per day and channel: what was spent, what it is credited with, and the ratios.
//!
//! ```text
//! spend, impressions, clicks   Σ over campaigns and geos; null when no row reports a value
//! attributed_revenue           Σ credited revenue
//! orders                       Σ credit
//! new_customers                Σ credit of orders that were a customer's first
//! roas = attributed_revenue / spend              null unless spend > 0
//! mer  = revenue of the day / spend of the day   over all channels; null unless spend > 0
//! cac  = spend / new_customers                   null unless spend ≥ 0 and new_customers > 0
//! ```
//!
//! Missing is never zero: a channel without a cost column has spend null, and so no ROAS; a day
//! on which one channel's cost is unknown still has a MER, over the spend that is known.
//!
//! Channels that earned nothing keep their row with zeros: the table is upserted by key, and a
//! later run must be able to take back what an earlier one credited.

mod metrics;

use chrono::{Days, NaiveDate};
use mixline_attribution_tables::Method;
use mixline_schema::Window;
use mixline_schema::catalog::{AttributionEvents, MediaDaily, Orders, UnifiedDailyMetrics};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metrics::{one_currency, unified};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Spend and delivery by day and channel.
        media: Option<MediaDaily>,
        /// Orders, for the total revenue of the day.
        orders: Orders,
        /// Credited revenue by order, method and channel.
        attribution: AttributionEvents,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Metrics by day and channel.
        metrics: UnifiedDailyMetrics => Upsert,
    }
}

/// The method that needs no touchpoints, and so is always there.
const FALLBACK: &str = "spend_share";

/// Configuration of `step-measure`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Attribution method behind the attributed columns, one of those that `step-attribute` applies.
    /// When `attribution_events` has no row of it, `spend_share` is used and the result says so.
    pub method: String,
    /// Days before the window that are computed again, because platforms correct their numbers.
    pub restatement_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            method: "last_touch".into(),
            restatement_days: 28,
        }
    }
}

const NEW_CUSTOMERS: &[&str] = &["attribution.credit", "attribution.new_customer"];

/// The step.
#[derive(Debug)]
pub struct Measure;

impl Step for Measure {
    const NAME: &'static str = "step-measure";
    const ABOUT: &'static str =
        "Joins spend and attributed results to one row per day and channel.";
    const WINDOWED: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::same(
            "metrics.date",
            &["media.date", "orders.date", "attribution.date"],
        ),
        Column::same("metrics.channel", &["media.channel", "attribution.channel"]),
        Column::same("metrics.currency", &["media.currency", "orders.currency"]),
        Column::same("metrics.method", &["attribution.method"]),
        Column::summed("metrics.spend", &["media.spend"]),
        Column::summed("metrics.impressions", &["media.impressions"]),
        Column::summed("metrics.clicks", &["media.clicks"]),
        Column::summed("metrics.attributed_revenue", &["attribution.revenue"]),
        Column::summed("metrics.orders", &["attribution.credit"]),
        Column::summed("metrics.new_customers", NEW_CUSTOMERS),
        Column::summed("metrics.roas", &["attribution.revenue", "media.spend"]),
        Column::summed("metrics.mer", &["orders.revenue", "media.spend"]),
        Column::summed(
            "metrics.cac",
            &[
                "attribution.credit",
                "attribution.new_customer",
                "media.spend",
            ],
        ),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        let method: Result<Method, _> = config.method.parse();
        if let Err(error) = method {
            return Err(StepError::config(format!("`method`: {error}")));
        }
        Ok(())
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let reach = ctx
            .window()
            .map(|window| restated(window, config.restatement_days));
        let inside = |date: NaiveDate| reach.is_none_or(|reach| reach.contains_day(date));
        let mut media = inputs.media.map(|table| table.rows()).unwrap_or_default();
        media.retain(|row| inside(row.date));
        let mut orders = inputs.orders.rows();
        orders.retain(|row| inside(row.date));
        ctx.progress(0.4, "joining spend and orders");
        let mut events = inputs.attribution.rows();
        let method = choose_method(&config.method, &events, ctx)?;
        events.retain(|row| row.method == method && inside(row.date));
        let currency = one_currency(&media, &orders)?;
        let rows = unified(&media, &orders, &events, &currency, &method);
        ctx.note("rows", rows.len());
        ctx.note("method", method);
        Ok(Outputs {
            metrics: Table::from_rows(rows)?,
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

fn choose_method(
    wanted: &str,
    events: &[AttributionEvents],
    ctx: &Context,
) -> Result<String, StepError> {
    let present = |method: &str| events.iter().any(|row| row.method == method);
    if events.is_empty() || present(wanted) {
        return Ok(wanted.to_owned());
    }
    if present(FALLBACK) {
        ctx.note(
            "method_fallback",
            format!("no rows of `{wanted}`; used `{FALLBACK}`"),
        );
        return Ok(FALLBACK.to_owned());
    }
    Err(StepError::data(format!(
        "`attribution_events` has rows neither of `{wanted}` nor of `{FALLBACK}`"
    ))
    .hint("add one of them to `methods` of step-attribute, or set `method` here"))
}

#[cfg(test)]
mod tests;
