//! Does the model make data like those that were seen, and those it did not see?

use mixline_model::response::{
    Prediction, pointwise_log_likelihood, predict, predictive_checks, residual_autocorrelation,
};
use mixline_model_tables::{Fitted, HOLDOUT, TRAIN};
use mixline_numerics::loo::psis_loo;
use mixline_schema::catalog::Predictions;

use crate::config::Config;
use crate::finding::{Finding, Verdict};

/// Where Pareto k makes a leave-one-out estimate unreliable (Vehtari et al. 2024).
const UNRELIABLE: f64 = 0.7;

pub(crate) fn check(
    config: &Config,
    fitted: &Fitted,
    seed: u64,
    findings: &mut Vec<Finding>,
) -> Vec<Prediction> {
    let predictions = predict(&fitted.model, &fitted.draws, seed);
    let (train, held): (Vec<&Prediction>, Vec<&Prediction>) =
        predictions.iter().partition(|cell| !cell.holdout);
    coverage(config, &train, findings);
    for check in predictive_checks(&fitted.model, &fitted.draws, seed) {
        let distance = check.p_value.min(1.0 - check.p_value);
        let (statistic, observed, simulated) = (check.statistic, check.observed, check.simulated);
        findings.push(Finding::measured(
            "prediction.p_value",
            statistic,
            Verdict::at_least(distance, config.p_value, -1.0),
            (check.p_value, config.p_value),
            format!("{statistic}: {observed:.4} observed, {simulated:.4} simulated on average"),
            "the model cannot make data like these: look at `predictions` for outliers, and try \
             `likelihood.family = \"student_t\"` or a log link",
        ));
    }
    let correlation = residual_autocorrelation(&fitted.model, &fitted.draws);
    findings.push(Finding::measured(
        "prediction.autocorrelation",
        "",
        Verdict::at_most(correlation.abs(), config.autocorrelation, 1.0),
        (correlation, config.autocorrelation),
        format!("residuals of neighbouring periods correlate by {correlation:.2}"),
        "something that changes slowly is missing: add knots, a trend, or a control",
    ));
    leave_one_out(config, fitted, findings);
    if !held.is_empty() {
        holdout(config, &held, findings);
    }
    predictions
}

fn coverage(config: &Config, train: &[&Prediction], findings: &mut Vec<Finding>) {
    let inside = |cell: &&&Prediction| {
        cell.predicted.q05 <= cell.observed && cell.observed <= cell.predicted.q95
    };
    let share = train.iter().filter(inside).count() as f64 / train.len().max(1) as f64;
    findings.push(Finding::measured(
        "prediction.coverage",
        "90 %",
        Verdict::at_least(share, config.coverage, config.fail_coverage),
        (share, config.coverage),
        format!(
            "the 90 % interval covers {:.0} % of the fitted outcomes",
            100.0 * share
        ),
        "the scatter is not of the assumed form: try `likelihood.family = \"student_t\"`",
    ));
}

fn leave_one_out(config: &Config, fitted: &Fitted, findings: &mut Vec<Finding>) {
    let likelihood = pointwise_log_likelihood(&fitted.model, &fitted.draws);
    let loo = psis_loo(&likelihood, 1.0);
    let count = loo.pareto_k.iter().filter(|k| **k > UNRELIABLE).count();
    let share = count as f64 / loo.pareto_k.len().max(1) as f64;
    findings.push(Finding::measured(
        "prediction.pareto_k",
        "",
        Verdict::at_most(share, config.pareto_k_share, 1.0),
        (count as f64, config.pareto_k_share),
        format!(
            "{count} of {} observations have Pareto k above {UNRELIABLE}",
            loo.pareto_k.len()
        ),
        "single observations carry the fit: look at them, and give one-off events a term",
    ));
    findings.push(Finding {
        check: "prediction.elpd_loo",
        subject: String::new(),
        verdict: Verdict::Pass,
        value: loo.elpd.is_finite().then_some(loo.elpd),
        threshold: None,
        message: format!(
            "expected log predictive density {:.1} ± {:.1} on the scaled outcome, for comparison \
             between models of the same data",
            loo.elpd, loo.se
        ),
        advice: "",
    });
}

fn holdout(config: &Config, held: &[&Prediction], findings: &mut Vec<Finding>) {
    let error = |cell: &&Prediction| (cell.expected.mean - cell.observed).abs();
    let size: f64 = held.iter().map(|cell| cell.observed.abs()).sum();
    let share = held.iter().map(error).sum::<f64>() / size;
    findings.push(Finding::measured(
        "prediction.holdout",
        "",
        Verdict::at_most(share, config.holdout_error, config.fail_holdout_error),
        (share, config.holdout_error),
        format!(
            "off by {:.1} % on {} held-out outcomes",
            100.0 * share,
            held.len()
        ),
        "the model does not carry over to new periods: simplify it, or shorten knots and trend",
    ));
}

pub(crate) fn rows(fitted: &Fitted, predictions: &[Prediction]) -> Vec<Predictions> {
    let panel = &fitted.model.panel;
    let row = |cell: &Prediction| Predictions {
        date: panel.dates[cell.period],
        geo: panel.geos[cell.geo].clone(),
        split: if cell.holdout { HOLDOUT } else { TRAIN }.to_owned(),
        observed: cell.observed,
        expected: cell.expected.mean,
        expected_q05: cell.expected.q05,
        expected_q95: cell.expected.q95,
        predicted_q05: cell.predicted.q05,
        predicted_q25: cell.predicted.q25,
        predicted_q75: cell.predicted.q75,
        predicted_q95: cell.predicted.q95,
        crps: cell.crps,
    };
    predictions.iter().map(row).collect()
}
