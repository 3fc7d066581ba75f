//! Canonical tables: one shape for every source, read by the steps.

use chrono::{DateTime, NaiveDate, Utc};

crate::artifact! {
    /// Spend and delivery by day, channel, campaign and geo.
    pub struct MediaDaily: "media_daily" v1 key [date, channel, campaign, geo] {
        /// Business day.
        date: NaiveDate,
        /// Channel name (`meta`, `google`, `tv`, …), lower case.
        channel: String,
        /// Campaign name; `all` when the source has none.
        campaign: String,
        /// Region; `all` when the source has none.
        geo: String,
        /// ISO 4217 code of the money columns; `XXX` when the source names none.
        currency: String,
        /// Money spent; null when the source reports delivery without cost.
        spend: Option<f64> = unit "currency";
        /// Impressions.
        impressions: Option<f64> = unit "count", range NON_NEGATIVE;
        /// Clicks.
        clicks: Option<f64> = unit "count", range NON_NEGATIVE;
    }
}

crate::artifact! {
    /// Orders with their revenue, one row per order.
    pub struct Orders: "orders" v1 key [order_id] {
        /// Order identifier, unique in the shop.
        order_id: String,
        /// When the order was placed.
        ordered_at: DateTime<Utc>,
        /// Business day the order belongs to, in the shop's zone.
        date: NaiveDate,
        /// Keyed hash of the customer's identity; null for guests without e-mail.
        customer_key: Option<String>,
        /// Whether this is the customer's first order in the data; null when the customer is unknown.
        new_customer: Option<bool>,
        /// Region; `all` when the source has none.
        geo: String,
        /// ISO 4217 code of the money columns.
        currency: String,
        /// Order value before refunds, shipping and taxes as the source file says.
        gross_revenue: f64 = unit "currency";
        /// Refunded so far.
        refunded: f64 = unit "currency";
        /// `gross_revenue - refunded`, and 0 for cancelled or voided orders: what is attributed.
        revenue: f64 = unit "currency";
        /// `paid`, `partially_refunded`, `refunded`, `cancelled`, …
        status: String,
    }
}

crate::artifact! {
    /// Marketing touches of known visitors, in time order.
    pub struct Touchpoints: "touchpoints" v1 key [customer_key, occurred_at, channel, campaign] {
        /// Keyed hash of the customer's identity.
        customer_key: String,
        /// When the touch happened.
        occurred_at: DateTime<Utc>,
        /// Channel name, as in `media_daily`.
        channel: String,
        /// Campaign name; `all` when unknown.
        campaign: String,
        /// `click` or `view`.
        kind: String,
    }
}

crate::artifact! {
    /// What the model explains: revenue, orders or another KPI by day and geo.
    pub struct Outcome: "outcome" v1 key [date, geo, metric] {
        /// First day of the period.
        date: NaiveDate,
        /// Region; `all` when the source has none.
        geo: String,
        /// Metric name (`revenue`, `orders`, `conversions`, …).
        metric: String,
        /// Value of the metric.
        value: f64,
        /// Unit of the metric: a currency code or `count`.
        unit: String,
    }
}

crate::artifact! {
    /// Non-media drivers by day and geo: prices, promotions, weather, competitors.
    pub struct Controls: "controls" v1 key [date, geo, control] {
        /// First day of the period.
        date: NaiveDate,
        /// Region; `all` when the source has none.
        geo: String,
        /// Name of the driver.
        control: String,
        /// Value of the driver.
        value: f64,
    }
}
