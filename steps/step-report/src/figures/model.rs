//! Whether the model can be trusted.

use mixline_chart::Figure;
use mixline_chart::charts::calibration::{Calibration, Experiment};
use mixline_chart::charts::convergence::{Convergence, Parameter};
use mixline_chart::charts::densities::{Densities, DensityPanel};
use mixline_chart::charts::health::{Check, Health, Verdict};
use mixline_model::fit::{Draws, draw_prior};
use mixline_model::response::contribution_draws;

use crate::data::Data;

/// C17: one row per check, the worst of its subjects.
pub(crate) fn health(data: &Data) -> Option<Figure> {
    let mut checks: Vec<Check> = Vec::new();
    for row in data.checks.iter().filter(|row| row.check != "verdict") {
        let verdict = match row.verdict.as_str() {
            "pass" => Verdict::Pass,
            "review" => Verdict::Review,
            _ => Verdict::Fail,
        };
        let name = match row.subject.as_str() {
            "" => row.check.clone(),
            subject => format!("{} of {subject}", row.check),
        };
        let check = Check {
            name: name.replace(['.', '_'], " "),
            verdict,
            value: row.value,
            limit: row.threshold,
        };
        let family = |own: &Check| own.name.split(" of ").next() == check.name.split(" of ").next();
        match checks.iter_mut().find(|own| family(own)) {
            Some(known) if check.verdict > known.verdict => *known = check,
            Some(_) => {}
            None => checks.push(check),
        }
    }
    let chart = Health {
        key: "c17".to_owned(),
        checks,
    };
    (!chart.checks.is_empty()).then(|| chart.figure())
}

/// C16.
pub(crate) fn convergence(data: &Data) -> Option<Figure> {
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let parameter = |row: &mixline_schema::catalog::PosteriorSummary| Parameter {
        name: row.parameter.clone(),
        group: row
            .parameter
            .split('[')
            .next()
            .unwrap_or_default()
            .to_owned(),
        r_hat: number(row.r_hat),
        ess_bulk: number(row.ess_bulk),
        ess_tail: number(row.ess_tail),
    };
    let chart = Convergence {
        key: "c16".to_owned(),
        parameters: data.summary.iter().map(parameter).collect(),
        divergences: data.sampler.iter().filter(|row| row.diverging).count(),
        draws: data.fitted.draws.len(),
    };
    (!chart.parameters.is_empty()).then(|| chart.figure())
}

/// Draws of a density.
const DRAWS: usize = 1000;

/// C15, of the ROAS of every paid channel.
pub(crate) fn densities(data: &Data) -> Option<Figure> {
    let model = &data.fitted.model;
    let prior = Draws {
        chains: vec![draw_prior(model, DRAWS, data.fitted.card.seed).concat()],
        labels: model.layout.labels(),
        statistics: Vec::new(),
        warmup: None,
        evaluations: 0,
    };
    let (before, after) = (
        contribution_draws(model, &prior),
        contribution_draws(model, &data.fitted.draws),
    );
    let panel = |row: &mixline_schema::catalog::MmmResults| {
        let (c, spend) = (
            model.channel(&row.channel)?,
            row.spend.filter(|spend| *spend > 0.0)?,
        );
        let roas = |draws: &[f64]| -> Vec<f64> {
            let step = draws.len().div_ceil(DRAWS).max(1);
            let known = draws.iter().step_by(step).map(|x| x / spend);
            known.filter(|x| x.is_finite()).collect()
        };
        Some(DensityPanel {
            channel: row.channel.clone(),
            prior: roas(&before[c]),
            posterior: roas(&after[c]),
        })
    };
    let chart = Densities {
        key: "c15".to_owned(),
        quantity: "ROAS".to_owned(),
        panels: data.results.iter().filter_map(panel).collect(),
        colors: data.colors.clone(),
    };
    (!chart.panels.is_empty()).then(|| chart.figure())
}

/// C22, when lift tests calibrated the model.
pub(crate) fn calibration(data: &Data) -> Option<Figure> {
    let model = &data.fitted.model;
    let lifts = mixline_model::response::lift_tests(model, &data.fitted.draws);
    let experiment = |lift: &mixline_model::response::LiftResult| {
        let half = 1.645 * lift.measured_sd;
        Experiment {
            name: lift.name.clone(),
            measured: (lift.measured, lift.measured - half, lift.measured + half),
            modelled: (lift.modelled.q50, lift.modelled.q05, lift.modelled.q95),
        }
    };
    let chart = Calibration {
        key: "c22".to_owned(),
        outcome: data.outcome.clone(),
        experiments: lifts.iter().map(experiment).collect(),
    };
    (!chart.experiments.is_empty()).then(|| chart.figure())
}
