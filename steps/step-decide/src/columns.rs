//! What the columns of the decisions are made from: the facts of the day, or a decision so far.

use mixline_step::Column;

/// What the rules look at, and columns beside it.
macro_rules! weighed {
    ($($more:literal),+) => {
        &[
            "metrics.attributed_revenue",
            "metrics.date",
            "metrics.spend",
            "design.date",
            "design.value",
            "checks.verdict",
            "champion_model.bytes",
            "champion_draws.value",
            "plan.current",
            "plan.proposed",
            "outcomes.periods",
            "comparison.trust",
            "comparison.unstable",
            $($more),+
        ]
    };
}

/// What the gain of a change follows from, or a decision so far.
macro_rules! gain {
    ($kept:literal) => {
        &[
            "design.value",
            "champion_model.bytes",
            "champion_draws.value",
            "plan.current",
            "plan.proposed",
            "outcomes.periods",
            $kept,
        ]
    };
}

/// The model's checks, the width of an interval and the age of the data, or a decision so far.
macro_rules! confidence {
    ($kept:literal) => {
        &[
            "metrics.date",
            "design.date",
            "design.value",
            "checks.verdict",
            "champion_model.bytes",
            "champion_draws.value",
            "plan.current",
            "plan.proposed",
            "outcomes.periods",
            $kept,
        ]
    };
}

/// The numbers that are written down beside a decision.
const EVIDENCE: &[&str] = &[
    "metrics.attributed_revenue",
    "metrics.date",
    "metrics.spend",
    "design.value",
    "champion_model.bytes",
    "champion_draws.value",
    "plan.current",
    "plan.proposed",
    "outcomes.periods",
    "comparison.trust",
    "comparison.unstable",
    "decisions.evidence",
];

pub(crate) const COLUMNS: &[Column] = &[
    Column::made(
        "decisions.decision_id",
        weighed!("metrics.channel", "plan.channel", "decisions.decision_id"),
    ),
    // Old ones expire by the day, and give way to what the rules say anew.
    Column::made(
        "decisions.status",
        weighed!("decisions.expires_on", "decisions.status"),
    ),
    Column::made("decisions.action", weighed!("decisions.action")),
    Column::made("decisions.rule", weighed!("decisions.rule")),
    Column::same(
        "decisions.channel",
        &["metrics.channel", "plan.channel", "decisions.channel"],
    ),
    Column::same(
        "decisions.to_channel",
        &["plan.channel", "decisions.to_channel"],
    ),
    Column::same("decisions.unit", &["metrics.currency", "decisions.unit"]),
    Column::made(
        "decisions.current_spend",
        &["design.value", "decisions.current_spend"],
    ),
    Column::made(
        "decisions.proposed_spend",
        &[
            "design.value",
            "plan.current",
            "plan.proposed",
            "outcomes.periods",
            "decisions.proposed_spend",
        ],
    ),
    Column::made("decisions.expected_gain", gain!("decisions.expected_gain")),
    Column::made(
        "decisions.expected_gain_q05",
        gain!("decisions.expected_gain_q05"),
    ),
    Column::made(
        "decisions.expected_gain_q95",
        gain!("decisions.expected_gain_q95"),
    ),
    Column::made(
        "decisions.probability_of_gain",
        gain!("decisions.probability_of_gain"),
    ),
    Column::made("decisions.confidence", confidence!("decisions.confidence")),
    Column::made(
        "decisions.confidence_reason",
        confidence!("decisions.confidence_reason"),
    ),
    Column::made(
        "decisions.message",
        weighed!(
            "metrics.channel",
            "metrics.currency",
            "plan.channel",
            "decisions.message"
        ),
    ),
    Column::made("decisions.evidence", EVIDENCE),
    Column::made(
        "decisions.model_id",
        &["champion_model.bytes", "decisions.model_id"],
    ),
    Column::made(
        "decisions.data_until",
        &["metrics.date", "design.date", "decisions.data_until"],
    ),
    Column::made("decisions.made_on", &["metrics.date", "decisions.made_on"]),
    Column::made(
        "decisions.expires_on",
        &["metrics.date", "decisions.expires_on"],
    ),
    Column::same("decisions.decided_by", &["decisions.decided_by"]),
    Column::same("decisions.decided_at", &["decisions.decided_at"]),
    Column::same("decisions.measured_gain", &["decisions.measured_gain"]),
];
