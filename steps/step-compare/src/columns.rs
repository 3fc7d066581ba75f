//! What the columns of the comparison are made from.

use mixline_step::Column;

/// What the model makes contributions from. Dates play a part under a log link, where an effect
/// depends on the season it meets.
const FITTED: &[&str] = &["design.date", "design.value", "model.bytes", "draws.value"];

/// Both views.
const BOTH: &[&str] = &[
    "metrics.attributed_revenue",
    "design.date",
    "design.value",
    "model.bytes",
    "draws.value",
];

/// Both views, and whether the model may be believed at all.
const JUDGED: &[&str] = &[
    "metrics.attributed_revenue",
    "design.date",
    "design.value",
    "model.bytes",
    "draws.value",
    "checks.verdict",
];

const ATTRIBUTED: &[&str] = &["metrics.attributed_revenue"];

pub(crate) const COLUMNS: &[Column] = &[
    Column::same(
        "comparison.channel",
        &["metrics.channel", "design.variable"],
    ),
    Column::same("comparison.method", &["metrics.method"]),
    Column::same("comparison.unit", &["design.unit"]),
    Column::summed("comparison.spend", &["design.value"]),
    Column::summed("comparison.attributed", ATTRIBUTED),
    Column::made("comparison.contribution", FITTED),
    Column::made("comparison.contribution_q05", FITTED),
    Column::made("comparison.contribution_q95", FITTED),
    Column::summed("comparison.attribution_share", ATTRIBUTED),
    Column::made("comparison.mmm_share", FITTED),
    Column::made("comparison.mmm_share_q05", FITTED),
    Column::made("comparison.mmm_share_q95", FITTED),
    Column::made("comparison.factor", BOTH),
    Column::made("comparison.factor_q05", BOTH),
    Column::made("comparison.factor_q95", BOTH),
    Column::summed(
        "comparison.attributed_roas",
        &["metrics.attributed_revenue", "design.value"],
    ),
    Column::made("comparison.mmm_roas", FITTED),
    Column::made("comparison.disagreement", BOTH),
    Column::made("comparison.unstable", BOTH),
    Column::made("comparison.trust", JUDGED),
    Column::made("comparison.reason", JUDGED),
];
