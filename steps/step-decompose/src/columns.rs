//! What the columns of the results are made from.

use mixline_step::Column;

/// What the model makes its results from: the series, its specification and its draws. Dates are
/// where seasons and events come from; channels meet them under a log link.
const FITTED: &[&str] = &["design.date", "design.value", "model.bytes", "draws.value"];

/// Adstock is a matter of parameters alone.
const ADSTOCK: &[&str] = &["model.bytes", "draws.value"];

/// Names: of channels and controls in the data, of events and synergies in the specification.
const COMPONENT: &[&str] = &["design.variable", "model.bytes"];
const KIND: &[&str] = &["design.role", "model.bytes"];

pub(crate) const COLUMNS: &[Column] = &[
    Column::same("contributions.date", &["design.date"]),
    Column::same("contributions.geo", &["design.geo"]),
    Column::made("contributions.component", COMPONENT),
    Column::made("contributions.kind", KIND),
    Column::made("contributions.mean", FITTED),
    Column::made("contributions.q05", FITTED),
    Column::made("contributions.q25", FITTED),
    Column::made("contributions.q50", FITTED),
    Column::made("contributions.q75", FITTED),
    Column::made("contributions.q95", FITTED),
    Column::made("totals.component", COMPONENT),
    Column::made("totals.kind", KIND),
    Column::made("totals.mean", FITTED),
    Column::made("totals.q05", FITTED),
    Column::made("totals.q25", FITTED),
    Column::made("totals.q50", FITTED),
    Column::made("totals.q75", FITTED),
    Column::made("totals.q95", FITTED),
    Column::made("totals.share", FITTED),
    Column::same("results.channel", &["design.variable"]),
    Column::same("results.geo", &["design.geo"]),
    Column::made("results.engine", &["model.bytes"]),
    Column::same("results.unit", &["design.unit"]),
    Column::summed("results.spend", &["design.value"]),
    Column::summed("results.share_of_spend", &["design.value"]),
    Column::made("results.contribution", FITTED),
    Column::made("results.contribution_q05", FITTED),
    Column::made("results.contribution_q25", FITTED),
    Column::made("results.contribution_q50", FITTED),
    Column::made("results.contribution_q75", FITTED),
    Column::made("results.contribution_q95", FITTED),
    Column::made("results.roas", FITTED),
    Column::made("results.roas_q05", FITTED),
    Column::made("results.roas_q25", FITTED),
    Column::made("results.roas_q50", FITTED),
    Column::made("results.roas_q75", FITTED),
    Column::made("results.roas_q95", FITTED),
    Column::made("results.marginal_roas", FITTED),
    Column::made("results.marginal_roas_q05", FITTED),
    Column::made("results.marginal_roas_q25", FITTED),
    Column::made("results.marginal_roas_q50", FITTED),
    Column::made("results.marginal_roas_q75", FITTED),
    Column::made("results.marginal_roas_q95", FITTED),
    Column::made("results.cost_per_outcome", FITTED),
    Column::made("results.share_of_outcome", FITTED),
    Column::made("results.share_of_effect", FITTED),
    Column::made("results.probability_positive", FITTED),
    Column::same("curves.channel", &["design.variable"]),
    Column::made("curves.multiplier", &[]),
    Column::summed("curves.spend", &["design.value"]),
    Column::made("curves.observed", &["design.value"]),
    Column::made("curves.mean", FITTED),
    Column::made("curves.q05", FITTED),
    Column::made("curves.q25", FITTED),
    Column::made("curves.q50", FITTED),
    Column::made("curves.q75", FITTED),
    Column::made("curves.q95", FITTED),
    Column::same("adstock.channel", &["design.variable"]),
    Column::made("adstock.lag", &["model.bytes"]),
    Column::made("adstock.mean", ADSTOCK),
    Column::made("adstock.q05", ADSTOCK),
    Column::made("adstock.q25", ADSTOCK),
    Column::made("adstock.q50", ADSTOCK),
    Column::made("adstock.q75", ADSTOCK),
    Column::made("adstock.q95", ADSTOCK),
    Column::made("adstock.half_life", ADSTOCK),
];
