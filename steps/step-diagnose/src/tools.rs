//! `step-diagnose stats`: the statistics of any draws as JSON.

use std::collections::BTreeMap;

use mixline_numerics::diagnostics::{
    Chains, ess_bulk, ess_mean, ess_sd, ess_tail, hdi, mcse_mean, quantile, rhat,
};
use mixline_numerics::loo::{psis_loo, waic};
use mixline_schema::catalog::PosteriorDraws;
use mixline_step::clap::{Arg, ArgMatches, Command};
use mixline_step::{StepError, Tool, read_json, read_table};
use serde_json::{Value, json};

/// Statistics of draws.
pub(crate) const STATS: Tool = Tool { command, run };

fn command() -> Command {
    let file = |name: &'static str| Arg::new(name).long(name).value_name("FILE");
    Command::new("stats")
        .about("Print R-hat, effective sample sizes, MCSE and intervals of draws as JSON")
        .arg(file("draws").required(true).help(
            "A .parquet or .csv file of `posterior_draws`, or JSON: {\"name\": [[draws of chain 0], …]}",
        ))
        .arg(file("log-likelihood").help(
            "JSON: one list of log-likelihoods per observation, one number per draw; adds LOO and WAIC",
        ))
}

type ByParameter = BTreeMap<String, Vec<Vec<f64>>>;

fn run(arguments: &ArgMatches) -> Result<Value, StepError> {
    let path = arguments
        .get_one::<String>("draws")
        .cloned()
        .unwrap_or_default();
    let draws = if path.ends_with(".json") {
        read_json(&path)?
    } else {
        read_rows(&path)?
    };
    let mut parameters = BTreeMap::new();
    for (name, chains) in draws {
        let all: Vec<f64> = chains.iter().flatten().copied().collect();
        let chains = Chains::new(chains).map_err(|error| {
            StepError::data(format!("the draws of `{name}` cannot be used")).because(error)
        })?;
        let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
        let squares: f64 = all.iter().map(|x| (x - mean).powi(2)).sum();
        parameters.insert(
            name,
            json!({
                "mean": mean,
                "sd": (squares / (all.len().max(2) - 1) as f64).sqrt(),
                "q05": quantile(&all, 0.05),
                "q50": quantile(&all, 0.5),
                "q95": quantile(&all, 0.95),
                "hdi_90": hdi(&all, 0.9),
                "hdi_94": hdi(&all, 0.94),
                "r_hat": rhat(&chains),
                "ess_bulk": ess_bulk(&chains),
                "ess_tail": ess_tail(&chains),
                "ess_mean": ess_mean(&chains),
                "ess_sd": ess_sd(&chains),
                "mcse_mean": mcse_mean(&chains),
            }),
        );
    }
    let mut found = json!({ "parameters": parameters });
    if let Some(path) = arguments.get_one::<String>("log-likelihood") {
        let likelihood: Vec<Vec<f64>> = read_json(path)?;
        let (loo, waic) = (psis_loo(&likelihood, 1.0), waic(&likelihood));
        found["loo"] = json!({
            "elpd": loo.elpd, "se": loo.se, "p_loo": loo.p, "pareto_k": loo.pareto_k,
        });
        found["waic"] = json!({ "elpd": waic.elpd, "p_waic": waic.p });
    }
    Ok(found)
}

fn read_rows(path: &str) -> Result<ByParameter, StepError> {
    let mut draws = ByParameter::new();
    for row in read_table::<PosteriorDraws>(path)?.rows() {
        let chains = draws.entry(row.parameter).or_default();
        let chain = usize::try_from(row.chain).unwrap_or_default();
        if chains.len() <= chain {
            chains.resize_with(chain + 1, Vec::new);
        }
        chains[chain].push(row.value);
    }
    Ok(draws)
}
