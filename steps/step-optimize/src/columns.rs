//! What the columns of the plans are made from. Which plan, how many periods and which goal come
//! from the configuration: such columns are made from nothing.

use mixline_step::Column;

/// What responses are made from: recent spend and media, the champion and its draws.
const FITTED: &[&str] = &[
    "design.value",
    "champion_model.bytes",
    "champion_draws.value",
];

/// What spend goes on as, and what it may be.
const SPENT: &[&str] = &["design.value"];

pub(crate) const COLUMNS: &[Column] = &[
    Column::made("plan.plan", &[]),
    Column::same("plan.channel", &["design.variable"]),
    Column::same("plan.geo", &["design.geo"]),
    Column::same("plan.unit", &["design.unit"]),
    Column::summed("plan.current", SPENT),
    Column::made("plan.proposed", FITTED),
    Column::made("plan.lower", SPENT),
    Column::made("plan.upper", SPENT),
    Column::made("plan.bound", FITTED),
    Column::summed("plan.observed_most", SPENT),
    Column::made("plan.inside_observed", FITTED),
    Column::made("plan.current_response", FITTED),
    Column::made("plan.response", FITTED),
    Column::made("plan.response_q05", FITTED),
    Column::made("plan.response_q25", FITTED),
    Column::made("plan.response_q50", FITTED),
    Column::made("plan.response_q75", FITTED),
    Column::made("plan.response_q95", FITTED),
    Column::made("plan.roas", FITTED),
    Column::made("plan.current_marginal_roas", FITTED),
    Column::made("plan.marginal_roas", FITTED),
    Column::made("plan.marginal_roas_q05", FITTED),
    Column::made("plan.marginal_roas_q95", FITTED),
    Column::made("outcomes.plan", &[]),
    Column::made("outcomes.first_day", &["design.date"]),
    Column::made("outcomes.periods", &[]),
    Column::same("outcomes.unit", &["design.unit"]),
    Column::made("outcomes.budget", FITTED),
    Column::made("outcomes.response", FITTED),
    Column::made("outcomes.response_q05", FITTED),
    Column::made("outcomes.response_q25", FITTED),
    Column::made("outcomes.response_q50", FITTED),
    Column::made("outcomes.response_q75", FITTED),
    Column::made("outcomes.response_q95", FITTED),
    Column::made("outcomes.gain", FITTED),
    Column::made("outcomes.gain_q05", FITTED),
    Column::made("outcomes.gain_q25", FITTED),
    Column::made("outcomes.gain_q50", FITTED),
    Column::made("outcomes.gain_q75", FITTED),
    Column::made("outcomes.gain_q95", FITTED),
    Column::made("outcomes.probability_of_gain", FITTED),
    Column::made("outcomes.roas", FITTED),
    Column::made("outcomes.objective", &[]),
    // Responses that bend down in every draw are solved in another way than others.
    Column::made(
        "outcomes.method",
        &["champion_model.bytes", "champion_draws.value"],
    ),
    Column::made("outcomes.value", FITTED),
    Column::made("outcomes.bound", FITTED),
    Column::made("outcomes.certificate", FITTED),
    Column::same("schedule.channel", &["design.variable"]),
    Column::same("schedule.geo", &["design.geo"]),
    Column::made("schedule.date", &["design.date"]),
    Column::made("schedule.spend", FITTED),
    Column::made("frontier.multiplier", &[]),
    Column::made("frontier.budget", FITTED),
    Column::made("frontier.response", FITTED),
    Column::made("frontier.response_q05", FITTED),
    Column::made("frontier.response_q25", FITTED),
    Column::made("frontier.response_q50", FITTED),
    Column::made("frontier.response_q75", FITTED),
    Column::made("frontier.response_q95", FITTED),
    Column::made("frontier.proportional", FITTED),
    Column::made("frontier.marginal_roas", FITTED),
    Column::made("frontier.bound", FITTED),
];
