//! Marts: what people read.

use chrono::NaiveDate;

crate::artifact! {
    /// Revenue of each order shared over channels, by method.
    pub struct AttributionEvents: "attribution_events" v1 key [order_id, method, channel, campaign] {
        /// Order identifier.
        order_id: String,
        /// `spend_share`, `last_touch`, `last_non_direct`, `first_touch`, `linear`, `time_decay`,
        /// `position_based`, `markov_1`, `shapley`, `shapley_incremental`, `data_driven`,
        /// `mmm_informed`, …
        method: String,
        /// Channel credited; `direct` when nothing else can be.
        channel: String,
        /// Campaign credited; `all` when the method does not tell campaigns apart.
        campaign: String,
        /// Business day of the order.
        date: NaiveDate,
        /// ISO 4217 code of `revenue`.
        currency: String,
        /// Share of the order credited; the credits of one order and method sum to 1.
        credit: f64 = unit "share", range UNIT;
        /// Credited revenue: `credit` × the order's revenue.
        revenue: f64 = unit "currency";
        /// Whether the order was a customer's first.
        new_customer: Option<bool>,
    }
}

crate::artifact! {
    /// One row per day and channel: spend, delivery, attributed results and ratios.
    pub struct UnifiedDailyMetrics: "unified_daily_metrics" v1 key [date, channel] {
        /// Business day.
        date: NaiveDate,
        /// Channel name.
        channel: String,
        /// ISO 4217 code of the money columns.
        currency: String,
        /// Attribution method behind the attributed columns.
        method: String,
        /// Money spent; null when no source reports it for this day and channel.
        spend: Option<f64> = unit "currency";
        /// Impressions.
        impressions: Option<f64> = unit "count", range NON_NEGATIVE;
        /// Clicks.
        clicks: Option<f64> = unit "count", range NON_NEGATIVE;
        /// Revenue credited to the channel.
        attributed_revenue: f64 = unit "currency";
        /// Orders credited to the channel; fractions are normal.
        orders: f64 = unit "count", range NON_NEGATIVE;
        /// New customers credited to the channel.
        new_customers: f64 = unit "count", range NON_NEGATIVE;
        /// Return on ad spend: attributed revenue / spend; null when spend is 0 or unknown.
        roas: Option<f64> = unit "ratio";
        /// Marketing efficiency ratio of the day: total revenue / total spend over all channels.
        mer: Option<f64> = unit "ratio";
        /// Customer acquisition cost: spend / new customers; null when there are none.
        cac: Option<f64> = unit "currency", range NON_NEGATIVE;
    }
}
