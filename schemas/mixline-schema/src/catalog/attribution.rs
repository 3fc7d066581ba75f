//! Attribution: journeys, what methods say of channels, and the credit of each order.

use chrono::{DateTime, NaiveDate, Utc};

crate::artifact! {
    /// Which anonymous visitor turned out to be which customer.
    pub struct Identities: "identities" v1 key [anonymous_key] {
        /// Keyed hash of the anonymous id.
        anonymous_key: String,
        /// Keyed hash of the customer's identity.
        customer_key: String,
        /// When the two were linked: a login, a newsletter link, an order.
        linked_at: DateTime<Utc>,
    }
}

crate::artifact! {
    /// Journeys, one row per touch; an order that no touch led to has one row at position 0.
    pub struct Journeys: "journeys" v1 key [customer_key, journey, position] {
        /// Keyed hash of the customer's identity; `~` and the order for orders of unknown customers.
        customer_key: String,
        /// Number of the journey among those of the customer, from 1, in the order of time.
        journey: i64,
        /// Position of the touch in the journey, from 1, oldest first; 0 where there is no touch.
        position: i64 = unit "count", range NON_NEGATIVE;
        /// `converted`, `ended` (the look-back is over), or `open` (an order may still come).
        status: String,
        /// Touches of the journey.
        touches: i64 = unit "count", range NON_NEGATIVE;
        /// When the touch happened.
        occurred_at: Option<DateTime<Utc>>,
        /// Channel of the touch.
        channel: Option<String>,
        /// Campaign of the touch.
        campaign: Option<String>,
        /// `click` or `view`.
        kind: Option<String>,
        /// Session of the customer, from 1.
        session: Option<i64>,
        /// Days from the touch to the journey's end.
        age_days: Option<f64> = unit "days", range NON_NEGATIVE;
        /// How much the touch counts beside others; 0 beyond its look-back.
        weight: Option<f64> = unit "ratio", range NON_NEGATIVE;
        /// When the journey ended: the order, or the last touch.
        ended_at: DateTime<Utc>,
        /// The order that ended it.
        order_id: Option<String>,
        /// Business day of the order.
        date: Option<NaiveDate>,
        /// ISO 4217 code of `revenue`.
        currency: Option<String>,
        /// Revenue of the order, after refunds. On every row of the journey: add it up over one
        /// position only.
        revenue: Option<f64> = unit "currency";
        /// Whether the order was a customer's first.
        new_customer: Option<bool>,
    }
}

crate::artifact! {
    /// Touches and orders that are in no journey, and why. Nothing is lost.
    pub struct JourneyQuarantine: "journey_quarantine" v1 key [record, id, at, channel, campaign] {
        /// `touch` or `order`.
        record: String,
        /// The customer's key, or the order.
        id: String,
        /// When it happened, as it was reported.
        at: DateTime<Utc>,
        /// Channel of a touch; empty for orders.
        channel: String,
        /// Campaign of a touch; empty for orders.
        campaign: String,
        /// `clock_skew`, `unknown_channel`, `internal`, `bot`, `duplicate`, `same_session`,
        /// `path_too_long`, `negative_value`, `duplicate_order`, `no_value`.
        reason: String,
        /// Revenue of an order.
        revenue: Option<f64> = unit "currency";
    }
}

crate::artifact! {
    /// What each method says of each channel, with intervals from resampled customers.
    pub struct AttributionChannels: "attribution_channels" v1 key [method, channel] {
        /// `last_touch`, `linear`, `markov_1`, `shapley`, `data_driven`, …
        method: String,
        /// Channel; `direct` also holds what no touch led to.
        channel: String,
        /// First business day with an order.
        first: NaiveDate,
        /// Last business day with an order.
        last: NaiveDate,
        /// ISO 4217 code of the money columns.
        currency: String,
        /// Orders credited; fractions are normal.
        conversions: f64 = unit "count", range NON_NEGATIVE;
        /// Revenue credited.
        revenue: f64 = unit "currency";
        /// Revenue credited over all revenue.
        share: f64 = unit "share";
        /// Mean over resamples.
        revenue_mean: f64 = unit "currency";
        /// 5 % quantile over resamples; to q95: the 90 % interval.
        revenue_q05: f64 = unit "currency";
        /// 25 % quantile over resamples; to q75: the 50 % interval.
        revenue_q25: f64 = unit "currency";
        /// Median over resamples.
        revenue_q50: f64 = unit "currency";
        /// 75 % quantile over resamples.
        revenue_q75: f64 = unit "currency";
        /// 95 % quantile over resamples.
        revenue_q95: f64 = unit "currency";
        /// Rank by revenue, from 1.
        rank: i64,
        /// Share of resamples in which the channel keeps its rank.
        keeps_rank: f64 = unit "share", range UNIT;
        /// Markov methods: share of conversions lost without the channel.
        removal_effect: Option<f64> = unit "share", range UNIT;
    }
}

crate::artifact! {
    /// One row per method: what it was made from, and how stable it is.
    pub struct AttributionMethods: "attribution_methods" v1 key [method] {
        /// As in `attribution_channels`.
        method: String,
        /// Journeys looked at.
        journeys: i64 = unit "count", range NON_NEGATIVE;
        /// Journeys with an order.
        conversions: i64 = unit "count", range NON_NEGATIVE;
        /// Revenue of those orders.
        revenue: f64 = unit "currency";
        /// Part of the revenue that the method credits to touches.
        revenue_credited: f64 = unit "currency";
        /// Mean overlap of the shares with those of resamples, 1 when they never change.
        stability: f64 = unit "share", range UNIT;
        /// Resamples behind intervals and stability.
        resamples: i64 = unit "count", range NON_NEGATIVE;
        /// Fitted or solved methods: probability of a conversion, by journey (Markov).
        conversion_rate: Option<f64> = unit "share", range UNIT;
        /// What a reader must know of it, in a sentence.
        note: String,
    }
}

crate::artifact! {
    /// Transition matrices of the Markov methods, step by step.
    pub struct MarkovTransitions: "markov_transitions" v1 key [method, from_state, to_state] {
        /// `markov_1`, `markov_2`, …
        method: String,
        /// State left: its channels, oldest first; `(start)`.
        from_state: String,
        /// State reached; `(conversion)` or `(null)` at the end of a journey.
        to_state: String,
        /// Journeys that took the step.
        journeys: f64 = unit "count", range NON_NEGATIVE;
        /// Probability of the step, given the state left.
        probability: f64 = unit "share", range UNIT;
    }
}

crate::artifact! {
    /// The paths that end in most conversions.
    pub struct AttributionPaths: "attribution_paths" v1 key [path] {
        /// Channels in order, repeats counted: `meta ×2 > google`; `(no touches)` for none.
        path: String,
        /// Rank by conversions, from 1.
        rank: i64,
        /// Touches.
        touches: i64 = unit "count", range NON_NEGATIVE;
        /// Journeys that took it and converted.
        conversions: f64 = unit "count", range NON_NEGATIVE;
        /// Journeys that took it and did not.
        nulls: f64 = unit "count", range NON_NEGATIVE;
        /// Revenue of its orders.
        revenue: f64 = unit "currency";
        /// Conversions over journeys.
        conversion_rate: f64 = unit "share", range UNIT;
    }
}

crate::artifact! {
    /// How long paths are and how long they take, over converting journeys.
    pub struct AttributionLags: "attribution_lags" v1 key [measure, bucket] {
        /// `path_length` (touches) or `days_to_conversion` (whole days from the first touch).
        measure: String,
        /// Touches, or days.
        bucket: i64 = unit "count", range NON_NEGATIVE;
        /// Orders.
        conversions: f64 = unit "count", range NON_NEGATIVE;
        /// Their revenue.
        revenue: f64 = unit "currency";
    }
}

crate::artifact! {
    /// The ordered Shapley value: credit by channel and the position at which it joined the journey.
    pub struct AttributionPositions: "attribution_positions" v1 key [channel, position] {
        /// Channel.
        channel: String,
        /// Position among the distinct channels of the journey, from 1; the last also holds those
        /// beyond.
        position: i64,
        /// Orders credited.
        conversions: f64 = unit "count", range NON_NEGATIVE;
        /// Revenue credited.
        revenue: f64 = unit "currency";
    }
}

crate::artifact! {
    /// The fitted model of conversions behind `data_driven` and `shapley_incremental`.
    pub struct ConversionModels: "conversion_model" v1 key [parameter, channel] {
        /// `base`, `own`, `carry`, `half_life_days`, `log_loss`, `null_log_loss`, `sample_share`.
        parameter: String,
        /// Channel; empty for parameters of the whole.
        channel: String,
        /// Value; effects are on the logit scale.
        value: f64,
    }
}

crate::artifact! {
    /// How path shares and the mix model's totals were brought together, behind `mmm_informed`.
    pub struct AttributionReconciliation: "attribution_reconciliation" v1 key [channel] {
        /// Channel; `base` for the rest.
        channel: String,
        /// Revenue by path shares alone (linear).
        path_revenue: f64 = unit "currency";
        /// The mix model's share of the outcome; null for a channel it does not know.
        model_share: Option<f64> = unit "share";
        /// Revenue that share stands for.
        target_revenue: f64 = unit "currency";
        /// Revenue after scaling.
        reconciled_revenue: f64 = unit "currency";
        /// What carries the channel's revenue: `paths` (its touches), `base` (every order: a channel
        /// without touches), or `none`.
        carried_by: String,
        /// On paths: factor on the channel's path shares, relative to a base of 1. On the base: the
        /// channel's part of the base.
        factor: f64 = unit "ratio", range NON_NEGATIVE;
        /// Target that journeys with the channel cannot carry, or that has no journeys.
        unreconciled_revenue: f64 = unit "currency";
    }
}
