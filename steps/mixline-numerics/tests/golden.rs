//! The diagnostics beside ArviZ, on draws of nine processes.

use std::path::Path;

use mixline_numerics::diagnostics::{
    Chains, e_bfmi, ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, hdi, mcse_mean, rhat,
};
use mixline_numerics::loo::{psis_loo, waic};
use serde_json::Value;

/// The golden numbers; `None`, and a line that says so, on a machine that has none. CI has them.
fn golden() -> Option<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/golden/diagnostics.json");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Some(serde_json::from_str(&text).expect("JSON"));
    }
    let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(
        !ci,
        "{} is missing, and CI must compare with it",
        path.display()
    );
    eprintln!("skipped: {} is missing", path.display());
    None
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_f64().expect("a number"))
        .collect()
}

fn chains(value: &Value) -> Vec<Vec<f64>> {
    value
        .as_array()
        .expect("chains")
        .iter()
        .map(numbers)
        .collect()
}

fn close(what: &str, ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64().expect("a number");
    let error = (ours - theirs).abs() / theirs.abs().max(1.0);
    assert!(error < 1e-8, "{what}: {ours}, ArviZ has {theirs}");
}

#[test]
fn every_diagnostic_agrees_with_arviz_on_every_process() {
    let Some(golden) = golden() else { return };
    let processes = golden["draws"].as_object().expect("processes");
    assert_eq!(processes.len(), 9);
    for (name, draws) in processes {
        let expected = &golden["expected"][name];
        let chains = Chains::new(chains(draws)).expect("legal draws");
        close(
            &format!("{name} R-hat"),
            rhat(&chains),
            &expected["rhat_rank"],
        );
        close(
            &format!("{name} bulk ESS"),
            ess_bulk(&chains),
            &expected["ess_bulk"],
        );
        close(
            &format!("{name} tail ESS"),
            ess_tail(&chains),
            &expected["ess_tail"],
        );
        close(
            &format!("{name} mean ESS"),
            ess_mean(&chains),
            &expected["ess_mean"],
        );
        close(
            &format!("{name} sd ESS"),
            ess_sd(&chains),
            &expected["ess_sd"],
        );
        close(
            &format!("{name} q05 ESS"),
            ess_quantile(&chains, 0.05),
            &expected["ess_q05"],
        );
        close(
            &format!("{name} MCSE"),
            mcse_mean(&chains),
            &expected["mcse_mean"],
        );
        let all: Vec<f64> = chains.draws().collect();
        for (mass, key) in [(0.94, "hdi94"), (0.9, "hdi90")] {
            let (low, high) = hdi(&all, mass).expect("enough draws");
            close(&format!("{name} {key}"), low, &expected[key][0]);
            close(&format!("{name} {key}"), high, &expected[key][1]);
        }
    }
}

#[test]
fn the_energy_diagnostic_agrees_with_arviz() {
    let Some(golden) = golden() else { return };
    let energies = chains(&golden["bfmi"]["energy"]);
    for (chain, expected) in energies
        .iter()
        .zip(golden["bfmi"]["bfmi"].as_array().expect("a list"))
    {
        close("E-BFMI", e_bfmi(chain), expected);
    }
}

#[test]
fn leave_one_out_prediction_agrees_with_arviz() {
    let Some(golden) = golden() else { return };
    let expected = &golden["loo"];
    let (mu, sigma) = (chains(&expected["mu"]), chains(&expected["sigma"]));
    let efficiency = |draws: &Vec<Vec<f64>>| {
        let chains = Chains::new(draws.clone()).expect("legal draws");
        ess_mean(&chains) / chains.len() as f64
    };
    let relative = (efficiency(&mu) + efficiency(&sigma)) / 2.0;
    let draws: Vec<(f64, f64)> = mu.concat().into_iter().zip(sigma.concat()).collect();
    let half_log_tau = 0.5 * (2.0 * std::f64::consts::PI).ln();
    let density = |y: f64| {
        let one = |(mu, sigma): &(f64, f64)| {
            -half_log_tau - sigma.ln() - 0.5 * ((y - mu) / sigma).powi(2)
        };
        draws.iter().map(one).collect::<Vec<f64>>()
    };
    let log_likelihood: Vec<Vec<f64>> = numbers(&expected["y"]).into_iter().map(density).collect();
    let loo = psis_loo(&log_likelihood, relative);
    close("elpd", loo.elpd, &expected["elpd_loo"]);
    close("se", loo.se, &expected["se"]);
    close("p", loo.p, &expected["p_loo"]);
    for (place, ours) in loo.pointwise.iter().enumerate() {
        close(
            &format!("observation {place}"),
            *ours,
            &expected["loo_i"][place],
        );
        close(
            &format!("k {place}"),
            loo.pareto_k[place],
            &expected["pareto_k"][place],
        );
    }
    let waic = waic(&log_likelihood);
    close("WAIC", waic.elpd, &expected["elpd_waic"]);
    close("p of WAIC", waic.p, &expected["p_waic"]);
}
