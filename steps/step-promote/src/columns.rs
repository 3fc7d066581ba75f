//! What the columns of the registry and of the champion are made from. Earlier rows of the
//! registry are kept.

use mixline_step::Column;

/// What decides: the checks, the candidate's score, and the champion's on the same data.
macro_rules! decided {
    ($kept:literal) => {
        &[
            "design.date",
            "design.value",
            "model.bytes",
            "checks.verdict",
            "predictions.crps",
            "champion_model.bytes",
            "champion_draws.value",
            $kept,
        ]
    };
}

pub(crate) const COLUMNS: &[Column] = &[
    Column::made("registry.model_id", &["model.bytes", "registry.model_id"]),
    Column::made("registry.status", decided!("registry.status")),
    Column::made("registry.engine", &["model.bytes", "registry.engine"]),
    Column::same("registry.verdict", &["checks.verdict", "registry.verdict"]),
    Column::made(
        "registry.data_until",
        &["model.bytes", "registry.data_until"],
    ),
    Column::summed("registry.score", &["predictions.crps", "registry.score"]),
    Column::made(
        "registry.champion_score",
        &[
            "design.date",
            "design.value",
            "champion_model.bytes",
            "champion_draws.value",
            "registry.champion_score",
        ],
    ),
    Column::made("registry.reason", decided!("registry.reason")),
    Column::made("registry.decision", &["registry.decision"]),
    Column::same("champion_model.name", &["model.name"]),
    Column::same("champion_model.media_type", &["model.media_type"]),
    Column::same("champion_model.bytes", &["model.bytes"]),
    Column::same("champion_draws.parameter", &["draws.parameter"]),
    Column::same("champion_draws.chain", &["draws.chain"]),
    Column::same("champion_draws.draw", &["draws.draw"]),
    Column::same("champion_draws.value", &["draws.value"]),
];
