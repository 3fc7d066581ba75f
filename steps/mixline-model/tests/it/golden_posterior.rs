//! The posterior of the national example against PyMC-Marketing's, and what follows from it.

use std::num::NonZeroUsize;

use mixline_model::Model;
use mixline_model::fit::{Draws, fit_bayesian};
use mixline_model::response::{ComponentKind, channels, decompose};
use mixline_numerics::diagnostics::{Chains, ess_bulk, mcse_mean, rhat};
use mixline_numerics::sampler::{Settings, Warmup};
use mixline_panels::reference::{national, national_spec};
use mixline_panels::shared::{Csv, golden};

fn fitted(settings: &Settings) -> Option<(Model, Draws)> {
    let model = Model::new(national_spec(), national()?).unwrap();
    let draws = fit_bayesian(&model, settings, |_| true).unwrap();
    Some((model, draws))
}

fn mean_and_sd(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let square = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (mean, (square / (n - 1.0)).sqrt())
}

/// Standard error of a standard deviation from `ess` draws: sd · √((kurtosis − 1) / 4 ess).
fn sd_error(chains: &Chains, ess: f64) -> f64 {
    let draws: Vec<f64> = chains.draws().collect();
    let (mean, sd) = mean_and_sd(&draws);
    let fourth = draws.iter().map(|x| ((x - mean) / sd).powi(4)).sum::<f64>();
    sd * ((fourth / draws.len() as f64 - 1.0) / (4.0 * ess)).sqrt()
}

#[test]
fn every_parameter_has_pymc_marketings_mean_and_sd() {
    let Some(reference) = Csv::read("golden/national_posterior.csv") else {
        return;
    };
    let settings = Settings {
        draws: 12_000,
        seed: 1,
        ..Settings::default()
    };
    let Some((model, draws)) = fitted(&settings) else {
        return;
    };
    assert_eq!(draws.warmup, Some(Warmup::Laplace));
    assert!(
        draws
            .statistics
            .iter()
            .all(|chain| !chain.diverging.contains(&true))
    );
    let labels = model.layout.labels();
    let their_ess = reference.numbers("ess_bulk");
    let columns = ["mean", "sd", "mcse_mean"].map(|heading| reference.numbers(heading));
    for (row, name) in reference.text("param").iter().enumerate() {
        let at = labels
            .iter()
            .position(|label| label == name)
            .expect("a parameter of ours");
        let chains = Chains::new(draws.parameter(at)).unwrap();
        assert!(
            rhat(&chains) <= 1.01 && ess_bulk(&chains) >= 400.0,
            "{name}"
        );
        let (mean, sd) = mean_and_sd(&chains.draws().collect::<Vec<f64>>());
        let [their_mean, their_sd, their_mcse] = [0, 1, 2].map(|column| columns[column][row]);
        let error = mcse_mean(&chains).hypot(their_mcse);
        assert!(
            (mean - their_mean).abs() < 4.0 * error,
            "{name}: {mean} against {their_mean}"
        );
        // The amplitude of x2 has a kurtosis near 40, so the reference's own sd of it, from an
        // effective 4,100 draws, is uncertain by 5 %; ours, from ten times as many, by 1 %.
        let slack = 2.0 * sd_error(&chains, their_ess[row]) / their_sd;
        let off = (sd / their_sd - 1.0).abs();
        assert!(
            off < 0.05 || off < slack,
            "{name}: sd {sd} against {their_sd}"
        );
    }
}

#[test]
fn contributions_and_roas_agree_within_one_percent() {
    let Some(golden) = golden("national_results.json") else {
        return;
    };
    let Some((model, draws)) = fitted(&Settings {
        seed: 2,
        ..Settings::default()
    }) else {
        return;
    };
    let close = |got: f64, want: f64, what: &str| {
        assert!(
            (got / want - 1.0).abs() < 0.01,
            "{what}: {got} against {want}"
        );
    };
    let results = channels(&model, &draws);
    for (result, name) in results.iter().zip(["x1", "x2"]) {
        let total = &golden["contribution_total"][name];
        close(
            result.contribution.mean,
            total["mean"].as_f64().unwrap(),
            "contribution",
        );
        close(
            result.contribution.q05,
            total["q05"].as_f64().unwrap(),
            "contribution q05",
        );
        close(
            result.contribution.q95,
            total["q95"].as_f64().unwrap(),
            "contribution q95",
        );
        let roas = &golden["roas"][name];
        close(
            result.spend.unwrap(),
            roas["spend"].as_f64().unwrap(),
            "spend",
        );
        close(
            result.roas.unwrap().mean,
            roas["mean"].as_f64().unwrap(),
            "ROAS",
        );
    }
    // The parts sum to the outcome, and media by week are PyMC-Marketing's.
    let parts = decompose(&model, &draws);
    let outcome: f64 = model.panel.outcome.iter().sum();
    let sum: f64 = parts.totals.iter().map(|total| total.value.mean).sum();
    close(sum, outcome, "sum of parts");
    let weekly = Csv::read("golden/national_contributions.csv").unwrap();
    let dates = weekly.dates("date");
    for ((date, name), want) in dates
        .iter()
        .zip(weekly.text("channel"))
        .zip(weekly.numbers("contribution_mean"))
    {
        let component = parts
            .components
            .iter()
            .position(|c| c.name == name)
            .unwrap();
        assert_eq!(parts.components[component].kind, ComponentKind::Media);
        let cell = parts.cells.iter().find(|cell| {
            cell.component == component && model.panel.dates[cell.period.unwrap()] == *date
        });
        let got = cell.unwrap().value.mean;
        assert!(
            (got - want).abs() < 0.02 * want.abs() + 5.0,
            "{date} {name}: {got} {want}"
        );
    }
}

#[test]
fn draws_depend_on_the_seed_and_not_on_the_threads() {
    let with = |threads, seed| {
        let threads = NonZeroUsize::new(threads).unwrap();
        fitted(&Settings {
            threads,
            seed,
            draws: 200,
            ..Settings::default()
        })
        .map(|(_, draws)| draws)
    };
    let Some(one) = with(1, 5) else { return };
    assert_eq!(Some(&one), with(2, 5).as_ref());
    assert_eq!(Some(&one), with(8, 5).as_ref());
    assert_ne!(Some(one.chains), with(1, 6).map(|draws| draws.chains));
}
