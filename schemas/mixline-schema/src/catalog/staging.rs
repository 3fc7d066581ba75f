//! Source-shaped raw tables: what the platform exported, typed.

use chrono::{DateTime, NaiveDate, Utc};

crate::artifact! {
    /// Meta Ads Manager export, by day and ad.
    pub struct RawMetaAds: "raw_meta_ads" v1 key [date, campaign, ad_set, ad] {
        /// Day in the ad account's zone.
        date: NaiveDate,
        /// Campaign name.
        campaign: String,
        /// Ad set name; empty when the export has no such column.
        ad_set: String,
        /// Ad name; empty when the export has no such column.
        ad: String,
        /// Account currency, ISO 4217.
        currency: String,
        /// Amount spent.
        spend: f64 = unit "currency", range NON_NEGATIVE;
        /// Impressions.
        impressions: Option<i64> = unit "count", range NON_NEGATIVE;
        /// Link clicks, or all clicks where the export has only those.
        clicks: Option<i64> = unit "count", range NON_NEGATIVE;
        /// Purchases as Meta attributes them.
        purchases: Option<f64> = unit "count", range NON_NEGATIVE;
        /// Purchase value as Meta attributes it.
        purchase_value: Option<f64> = unit "currency", range NON_NEGATIVE;
    }
}

crate::artifact! {
    /// Google Ads campaign report, by day and campaign.
    pub struct RawGoogleAds: "raw_google_ads" v1 key [date, campaign] {
        /// Day in the account's zone.
        date: NaiveDate,
        /// Campaign name.
        campaign: String,
        /// Campaign type (`Search`, `Performance Max`, …).
        campaign_type: Option<String>,
        /// Account currency, ISO 4217.
        currency: String,
        /// Cost.
        cost: f64 = unit "currency", range NON_NEGATIVE;
        /// Impressions.
        impressions: Option<i64> = unit "count", range NON_NEGATIVE;
        /// Clicks.
        clicks: Option<i64> = unit "count", range NON_NEGATIVE;
        /// Conversions as Google attributes them; fractions are normal.
        conversions: Option<f64> = unit "count", range NON_NEGATIVE;
        /// Conversion value as Google attributes it.
        conversion_value: Option<f64> = unit "currency", range NON_NEGATIVE;
    }
}

crate::artifact! {
    /// TikTok Ads export, by day and ad.
    pub struct RawTiktokAds: "raw_tiktok_ads" v1 key [date, campaign, ad_group, ad] {
        /// Day in the account's zone.
        date: NaiveDate,
        /// Campaign name.
        campaign: String,
        /// Ad group name; empty when the export has no such column.
        ad_group: String,
        /// Ad name; empty when the export has no such column.
        ad: String,
        /// Account currency, ISO 4217.
        currency: String,
        /// Cost.
        cost: f64 = unit "currency", range NON_NEGATIVE;
        /// Impressions.
        impressions: Option<i64> = unit "count", range NON_NEGATIVE;
        /// Clicks to the destination.
        clicks: Option<i64> = unit "count", range NON_NEGATIVE;
        /// Completed payments as TikTok attributes them.
        purchases: Option<f64> = unit "count", range NON_NEGATIVE;
        /// Value of completed payments.
        purchase_value: Option<f64> = unit "currency", range NON_NEGATIVE;
    }
}

crate::artifact! {
    /// Shopify orders export, one row per order (line items folded).
    pub struct RawShopifyOrders: "raw_shopify_orders" v1 key [order_name] {
        /// Order name, for example `#1001`.
        order_name: String,
        /// Numeric order id, as text.
        order_id: Option<String>,
        /// When the order was placed.
        created_at: DateTime<Utc>,
        /// `paid`, `partially_refunded`, `voided`, …
        financial_status: Option<String>,
        /// When the order was cancelled.
        cancelled_at: Option<DateTime<Utc>>,
        /// Shop currency, ISO 4217.
        currency: String,
        /// Sum of line items after discounts.
        subtotal: f64 = unit "currency";
        /// Shipping.
        shipping: f64 = unit "currency";
        /// Taxes.
        taxes: f64 = unit "currency";
        /// What the customer owed in all.
        total: f64 = unit "currency";
        /// Discounts, as a positive amount.
        discount: f64 = unit "currency";
        /// Refunded so far.
        refunded: f64 = unit "currency";
        /// Line items.
        line_items: i64 = unit "count", range NON_NEGATIVE;
        /// Keyed hash of the e-mail address; the address itself is never stored.
        customer_key: Option<String>,
        /// Sales channel of the shop (`web`, `pos`, …).
        source: Option<String>,
    }
}
