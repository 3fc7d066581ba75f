//! What the columns of the findings are made from. Codes, artifacts and advice belong to the rules
//! and are made from nothing.

use mixline_step::Column;

/// What is measured: days, money, delivery and drivers.
const VALUE: &[&str] = &[
    "media.date",
    "media.currency",
    "media.spend",
    "media.impressions",
    "media.clicks",
    "orders.date",
    "orders.ordered_at",
    "orders.currency",
    "orders.revenue",
    "touchpoints.occurred_at",
    "outcome.date",
    "outcome.value",
    "outcome.unit",
    "controls.date",
    "controls.value",
];

/// What names a subject: a series, a row as it is written, a currency.
const SUBJECT: &[&str] = &[
    "media.channel",
    "media.campaign",
    "media.geo",
    "media.currency",
    "orders.currency",
    "outcome.metric",
    "outcome.geo",
    "outcome.unit",
    "controls.control",
    "controls.geo",
];

/// Where: a day, or the text of a cell.
const PLACE: &[&str] = &[
    "media.date",
    "media.channel",
    "media.campaign",
    "media.geo",
    "orders.date",
    "orders.order_id",
    "touchpoints.channel",
    "touchpoints.campaign",
    "outcome.date",
    "outcome.metric",
    "controls.date",
    "controls.control",
];

/// All that a sentence may tell.
const MESSAGE: &[&str] = &[
    "media.date",
    "media.channel",
    "media.campaign",
    "media.geo",
    "media.currency",
    "media.spend",
    "media.impressions",
    "media.clicks",
    "orders.order_id",
    "orders.ordered_at",
    "orders.date",
    "orders.currency",
    "orders.revenue",
    "touchpoints.occurred_at",
    "touchpoints.channel",
    "touchpoints.campaign",
    "outcome.date",
    "outcome.geo",
    "outcome.metric",
    "outcome.value",
    "outcome.unit",
    "controls.date",
    "controls.geo",
    "controls.control",
    "controls.value",
];

/// Limits that the data set: multiples of a median, periods for so many drivers.
const THRESHOLD: &[&str] = &[
    "media.channel",
    "media.spend",
    "orders.date",
    "orders.revenue",
    "outcome.date",
    "outcome.value",
    "controls.control",
];

pub(crate) const COLUMNS: &[Column] = &[
    Column::made("findings.code", &[]),
    // How many rows lack a cost, and how many periods there are, decide how bad that is.
    Column::made(
        "findings.severity",
        &["media.spend", "orders.date", "outcome.date"],
    ),
    Column::made("findings.artifact", &[]),
    Column::made("findings.subject", SUBJECT),
    Column::made("findings.at", PLACE),
    Column::made("findings.message", MESSAGE),
    Column::made("findings.advice", &[]),
    Column::made("findings.value", VALUE),
    Column::made("findings.threshold", THRESHOLD),
];
