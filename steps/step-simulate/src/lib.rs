//! What changes of spend would do: scenarios of relative changes by channel, over the champion's
//! draws.
//!
//! Effects are against spend going on as it is, over the planned periods, carry-over included. The
//! scenarios of one run share their draws, so that the best one can be told with a probability.

use std::collections::BTreeMap;

use mixline_model::plan::{PlanError, Simulated, Simulator, Surface};
use mixline_model::response::Interval;
use mixline_model_tables::{Base, BaseError, Periods, base};
use mixline_schema::catalog::{Design, File, ModelChecks, PosteriorDraws, Scenarios};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The newest series.
        design: Design,
        /// What the checks found of the newest model.
        checks: ModelChecks,
        /// The champion's model card.
        champion_model: Option<File> as "champion_model",
        /// The champion's draws.
        champion_draws: Option<PosteriorDraws> as "champion_draws",
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Effects by scenario and channel.
        scenarios: Scenarios => Replace,
    }
}

/// The scenarios to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which periods the changes concern.
    pub horizon: Periods,
    /// Relative changes of spend by scenario and channel: 0.2 is 20 % more, −1 nothing any more.
    /// The channel `all` stands for those that are not named.
    pub scenarios: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Default for Config {
    fn default() -> Self {
        let all = |change: f64| BTreeMap::from([("all".to_owned(), change)]);
        Self {
            horizon: Periods::default(),
            scenarios: BTreeMap::from([
                ("all +10 %".to_owned(), all(0.1)),
                ("all −10 %".to_owned(), all(-0.1)),
            ]),
        }
    }
}

/// The step.
#[derive(Debug)]
pub struct Simulate;

/// Stands for all channels.
const ALL: &str = "all";

/// What effects are made from: recent spend and media, the champion and its draws.
const FITTED: &[&str] = &[
    "design.value",
    "champion_model.bytes",
    "champion_draws.value",
];

impl Step for Simulate {
    const NAME: &'static str = "step-simulate";
    const ABOUT: &'static str = "Says what changes of spend would do.";
    const COLUMNS: &'static [Column] = &[
        Column::made("scenarios.scenario", &[]),
        Column::same("scenarios.channel", &["design.variable"]),
        Column::same("scenarios.unit", &["design.unit"]),
        Column::made("scenarios.periods", &[]),
        // As configured for a channel; for all together it follows from what each of them spends.
        Column::made("scenarios.change", &["design.value"]),
        Column::summed("scenarios.spend_before", &["design.value"]),
        Column::summed("scenarios.spend_after", &["design.value"]),
        Column::made("scenarios.inside_observed", &["design.value"]),
        Column::made("scenarios.response_before", FITTED),
        Column::made("scenarios.effect", FITTED),
        Column::made("scenarios.effect_q05", FITTED),
        Column::made("scenarios.effect_q25", FITTED),
        Column::made("scenarios.effect_q50", FITTED),
        Column::made("scenarios.effect_q75", FITTED),
        Column::made("scenarios.effect_q95", FITTED),
        Column::made("scenarios.probability_positive", FITTED),
        Column::made("scenarios.probability_best", FITTED),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        for (scenario, changes) in &config.scenarios {
            for (channel, change) in changes {
                if !(change.is_finite() && *change >= -1.0) {
                    return Err(StepError::config(format!(
                        "`scenarios.{scenario}.{channel}` is {change}: a change is a share of −1 or more, such as 0.2 for 20 % more"
                    )));
                }
            }
        }
        Ok(())
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        ctx.progress(0.0, "loading the champion");
        let champion = inputs
            .champion_model
            .as_ref()
            .zip(inputs.champion_draws.as_ref());
        let found = base(&inputs.design, &inputs.checks, champion, &config.horizon);
        let scenarios = match found.map_err(refused)? {
            Ok(base) => simulated(config, &base, ctx)?,
            Err(none) => {
                ctx.note("no_plan", none.reason());
                Vec::new()
            }
        };
        Ok(Outputs {
            scenarios: Table::from_rows(scenarios)?,
        })
    }
}

fn simulated(config: &Config, base: &Base, ctx: &Context) -> Result<Vec<Scenarios>, StepError> {
    ctx.note("model_id", base.fitted.card.model_id.clone());
    ctx.progress(0.5, "simulating");
    let simulator = Simulator::new(&base.surface);
    let mut found = Vec::new();
    for (name, changes) in &config.scenarios {
        let changes = by_cell(base, name, changes)?;
        let simulated = simulator.simulate(&changes).map_err(wrong)?;
        found.push((name.as_str(), changes, simulated));
    }
    let best = probabilities_of_best(&base.surface, &found);
    let rows = found
        .iter()
        .zip(best)
        .flat_map(|((name, changes, simulated), best)| {
            scenario_rows(base, name, changes, simulated, best)
        });
    Ok(rows.collect())
}

/// The change of each cell.
fn by_cell(
    base: &Base,
    scenario: &str,
    changes: &BTreeMap<String, f64>,
) -> Result<Vec<f64>, StepError> {
    let channel = |c: usize| base.fitted.model.panel.channels[c].name.as_str();
    let cells = base.surface.cells();
    for name in changes.keys().filter(|name| *name != ALL) {
        if !cells.iter().any(|cell| channel(cell.channel) == name) {
            let known: Vec<&str> = cells.iter().map(|cell| channel(cell.channel)).collect();
            return Err(StepError::config(format!(
                "`scenarios.{scenario}` names `{name}`, which is no channel with spend"
            ))
            .hint(format!("channels: {}", known.join(", "))));
        }
    }
    let rest = changes.get(ALL).copied().unwrap_or(0.0);
    let of = |cell: &mixline_model::plan::PlanCell| {
        changes.get(channel(cell.channel)).copied().unwrap_or(rest)
    };
    Ok(cells.iter().map(of).collect())
}

/// How often each scenario leaves the most after its cost, over draws.
fn probabilities_of_best(surface: &Surface, found: &[(&str, Vec<f64>, Simulated)]) -> Vec<f64> {
    let left: Vec<Vec<f64>> = found
        .iter()
        .map(|(_, _, simulated)| {
            let cost: f64 = simulated.spend.iter().sum();
            surface
                .total(&simulated.spend)
                .iter()
                .map(|f| f - cost)
                .collect()
        })
        .collect();
    let mut wins = vec![0usize; found.len()];
    for d in 0..surface.draws() {
        let best = (0..left.len()).max_by(|a, b| left[*a][d].total_cmp(&left[*b][d]));
        if let Some(best) = best {
            wins[best] += 1;
        }
    }
    let draws = surface.draws().max(1) as f64;
    wins.into_iter().map(|wins| wins as f64 / draws).collect()
}

fn scenario_rows(
    base: &Base,
    scenario: &str,
    changes: &[f64],
    simulated: &Simulated,
    best: f64,
) -> Vec<Scenarios> {
    let cells = base.surface.cells();
    let before: f64 = cells.iter().map(|cell| cell.current).sum();
    let after: f64 = simulated.spend.iter().sum();
    let row = |channel: &str, change: f64, spend: (f64, f64), effect: Interval| Scenarios {
        scenario: scenario.to_owned(),
        channel: channel.to_owned(),
        unit: base.fitted.units.spend.clone(),
        periods: base.surface.horizon().periods as i64,
        change,
        spend_before: spend.0,
        spend_after: spend.1,
        inside_observed: true,
        response_before: simulated.before.mean,
        effect: effect.mean,
        effect_q05: effect.q05,
        effect_q25: effect.q25,
        effect_q50: effect.q50,
        effect_q75: effect.q75,
        effect_q95: effect.q95,
        probability_positive: simulated.probability_positive,
        probability_best: None,
    };
    let relative = if before > 0.0 {
        after / before - 1.0
    } else {
        0.0
    };
    let mut rows = vec![Scenarios {
        inside_observed: simulated.beyond_observed.is_empty(),
        probability_best: Some(best),
        ..row(ALL, relative, (before, after), simulated.change)
    }];
    for (i, cell) in cells.iter().enumerate() {
        // Regions of a channel are told together: their effects add up only in the mean.
        if cell.geo.is_some() {
            continue;
        }
        let Some(effect) = simulated.by_cell[i] else {
            continue;
        };
        let name = &base.fitted.model.panel.channels[cell.channel].name;
        rows.push(Scenarios {
            inside_observed: !simulated.beyond_observed.contains(&i),
            response_before: mean(&base.surface.each(i, cell.current)),
            probability_positive: positive(base, i, simulated),
            ..row(name, changes[i], (cell.current, simulated.spend[i]), effect)
        });
    }
    rows
}

fn mean(draws: &[f64]) -> f64 {
    draws.iter().sum::<f64>() / draws.len().max(1) as f64
}

/// Probability that one channel's change brings more than nothing.
fn positive(base: &Base, i: usize, simulated: &Simulated) -> f64 {
    let before = base.surface.each(i, base.surface.cells()[i].current);
    let after = base.surface.each(i, simulated.spend[i]);
    let better = after.iter().zip(&before).filter(|(a, b)| a > b).count();
    better as f64 / after.len().max(1) as f64
}

fn refused(error: BaseError) -> StepError {
    match error {
        BaseError::Plan(error) => wrong(error),
        other @ BaseError::Load(_) => StepError::data("the champion cannot be used")
            .because(other)
            .hint("run weekly_retrain on this design first"),
    }
}

fn wrong(error: PlanError) -> StepError {
    match error {
        PlanError::Number { .. } | PlanError::Periods => {
            StepError::config("the scenarios cannot be simulated").because(error)
        }
        _ => StepError::data("nothing can be simulated").because(error),
    }
}
