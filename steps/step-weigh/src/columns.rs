//! What the columns of the tables are made from. Methods, measures and parameters are named by the
//! configuration or by the code: such columns are made from nothing.

use mixline_step::Column;

/// What credit follows from, over all methods: paths, spend of the order's day, and the mix model.
const CREDIT: &[&str] = &[
    "journeys.age_days",
    "journeys.channel",
    "journeys.date",
    "journeys.order_id",
    "journeys.position",
    "journeys.revenue",
    "journeys.weight",
    "media.channel",
    "media.date",
    "media.spend",
    "results.share_of_outcome",
];

/// Credit, and who was there: customers are what is resampled.
const RESAMPLED: &[&str] = &[
    "journeys.age_days",
    "journeys.channel",
    "journeys.customer_key",
    "journeys.date",
    "journeys.order_id",
    "journeys.position",
    "journeys.revenue",
    "journeys.weight",
    "media.channel",
    "media.date",
    "media.spend",
    "results.share_of_outcome",
];

/// A quantile over resamples; with the mix model, its own over its mean.
macro_rules! quantile {
    ($of_model:literal) => {
        &[
            "journeys.age_days",
            "journeys.channel",
            "journeys.customer_key",
            "journeys.date",
            "journeys.order_id",
            "journeys.position",
            "journeys.revenue",
            "journeys.weight",
            "media.channel",
            "media.date",
            "media.spend",
            "results.contribution",
            $of_model,
            "results.share_of_outcome",
        ]
    };
}

/// Steps of the paths, and where they end.
const CHAIN: &[&str] = &[
    "journeys.channel",
    "journeys.order_id",
    "journeys.position",
    "journeys.weight",
];

/// What counts journeys.
const JOURNEYS: &[&str] = &["journeys.customer_key", "journeys.journey"];

/// What counts journeys and tells those with an order.
const CONVERTING: &[&str] = &[
    "journeys.customer_key",
    "journeys.journey",
    "journeys.order_id",
];

const ORDERS: &[&str] = &["journeys.order_id"];
const REVENUE: &[&str] = &["journeys.revenue"];
const CHANNEL: &[&str] = &["journeys.channel", "media.channel", "results.channel"];

/// Touches that count.
const TOUCHES: &[&str] = &["journeys.position", "journeys.weight"];

/// What the model of conversions is fitted to: journeys of a sample of customers.
const FITTED: &[&str] = &[
    "journeys.age_days",
    "journeys.channel",
    "journeys.customer_key",
    "journeys.order_id",
    "journeys.position",
    "journeys.weight",
];

/// Revenue shared over paths.
const PATHS: &[&str] = &[
    "journeys.channel",
    "journeys.position",
    "journeys.revenue",
    "journeys.weight",
];

/// Paths beside the mix model.
const RECONCILED: &[&str] = &[
    "journeys.channel",
    "journeys.position",
    "journeys.revenue",
    "journeys.weight",
    "results.share_of_outcome",
];

pub(crate) const COLUMNS: &[Column] = &[
    Column::made("channels.method", &[]),
    Column::same("channels.channel", CHANNEL),
    Column::summed("channels.first", &["journeys.date"]),
    Column::summed("channels.last", &["journeys.date"]),
    Column::same("channels.currency", &["journeys.currency"]),
    Column::summed("channels.conversions", CREDIT),
    Column::summed("channels.revenue", CREDIT),
    Column::summed("channels.share", CREDIT),
    Column::made("channels.revenue_mean", RESAMPLED),
    Column::made(
        "channels.revenue_q05",
        quantile!("results.contribution_q05"),
    ),
    Column::made(
        "channels.revenue_q25",
        quantile!("results.contribution_q25"),
    ),
    Column::made(
        "channels.revenue_q50",
        quantile!("results.contribution_q50"),
    ),
    Column::made(
        "channels.revenue_q75",
        quantile!("results.contribution_q75"),
    ),
    Column::made(
        "channels.revenue_q95",
        quantile!("results.contribution_q95"),
    ),
    Column::made("channels.rank", CREDIT),
    Column::made("channels.keeps_rank", RESAMPLED),
    Column::made("channels.removal_effect", CHAIN),
    Column::made("methods.method", &[]),
    Column::summed("methods.journeys", JOURNEYS),
    Column::summed("methods.conversions", ORDERS),
    Column::summed("methods.revenue", REVENUE),
    Column::summed("methods.revenue_credited", CREDIT),
    Column::made("methods.stability", RESAMPLED),
    Column::made("methods.resamples", &[]),
    Column::made("methods.conversion_rate", CHAIN),
    // It tells how many states a chain has, and how many customers a model was fitted to.
    Column::made(
        "methods.note",
        &[
            "journeys.channel",
            "journeys.customer_key",
            "journeys.position",
            "journeys.weight",
        ],
    ),
    Column::made("transitions.method", &[]),
    Column::made("transitions.from_state", &["journeys.channel"]),
    Column::made(
        "transitions.to_state",
        &["journeys.channel", "journeys.order_id"],
    ),
    Column::summed("transitions.journeys", JOURNEYS),
    Column::summed("transitions.probability", JOURNEYS),
    Column::made("paths.path", &["journeys.channel"]),
    Column::made("paths.rank", CONVERTING),
    Column::summed("paths.touches", TOUCHES),
    Column::summed("paths.conversions", ORDERS),
    Column::summed("paths.nulls", CONVERTING),
    Column::summed("paths.revenue", REVENUE),
    Column::summed("paths.conversion_rate", CONVERTING),
    Column::made("lags.measure", &[]),
    Column::made(
        "lags.bucket",
        &["journeys.age_days", "journeys.position", "journeys.weight"],
    ),
    Column::summed("lags.conversions", ORDERS),
    Column::summed("lags.revenue", REVENUE),
    Column::same("positions.channel", &["journeys.channel"]),
    Column::made(
        "positions.position",
        &["journeys.channel", "journeys.position"],
    ),
    Column::summed(
        "positions.conversions",
        &["journeys.channel", "journeys.order_id"],
    ),
    Column::summed(
        "positions.revenue",
        &["journeys.channel", "journeys.revenue"],
    ),
    Column::made("model.parameter", &[]),
    Column::same("model.channel", CHANNEL),
    Column::made("model.value", FITTED),
    Column::same(
        "reconciliation.channel",
        &["journeys.channel", "results.channel"],
    ),
    Column::summed("reconciliation.path_revenue", PATHS),
    Column::same("reconciliation.model_share", &["results.share_of_outcome"]),
    Column::made(
        "reconciliation.target_revenue",
        &["journeys.revenue", "results.share_of_outcome"],
    ),
    Column::made("reconciliation.reconciled_revenue", RECONCILED),
    Column::made("reconciliation.carried_by", RECONCILED),
    Column::made("reconciliation.factor", RECONCILED),
    Column::made("reconciliation.unreconciled_revenue", RECONCILED),
];
