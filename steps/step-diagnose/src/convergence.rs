//! Did the chains meet, and are there enough draws?

use std::collections::BTreeMap;

use mixline_numerics::diagnostics::e_bfmi;
use mixline_schema::catalog::{PosteriorSummary, SamplerStats};

use crate::config::Config;
use crate::finding::{Finding, Verdict};

/// Parameters named one by one; the rest is counted.
const NAMED: usize = 10;

pub(crate) fn check(
    config: &Config,
    summary: &[PosteriorSummary],
    sampler: &[SamplerStats],
    findings: &mut Vec<Finding>,
) {
    r_hat(config, summary, findings);
    let bulk = |row: &PosteriorSummary| row.ess_bulk;
    let tail = |row: &PosteriorSummary| row.ess_tail;
    ess(config, "convergence.ess_bulk", summary, bulk, findings);
    ess(config, "convergence.ess_tail", summary, tail, findings);
    if !sampler.is_empty() {
        divergences(config, sampler, findings);
        energy(config, sampler, findings);
        depth(config, sampler, findings);
    }
}

/// The worst value of all parameters as one finding, and the ones beyond the limit by name.
#[expect(clippy::too_many_arguments, reason = "one check's facts, used twice")]
fn worst(
    check: &'static str,
    mut values: Vec<(f64, &str)>,
    badness: fn(f64) -> f64,
    judge: impl Fn(f64) -> Verdict,
    limit: f64,
    what: &str,
    advice: &'static str,
    findings: &mut Vec<Finding>,
) {
    values.sort_by(|a, b| badness(b.0).total_cmp(&badness(a.0)));
    let Some(&(value, name)) = values.first() else {
        return;
    };
    let message = format!("{what} is {value:.4} at worst, of `{name}`");
    findings.push(Finding::measured(
        check,
        "",
        judge(value),
        (value, limit),
        message,
        advice,
    ));
    for (value, name) in values
        .into_iter()
        .filter(|(value, _)| judge(*value) != Verdict::Pass)
        .take(NAMED)
    {
        let message = format!("{what} is {value:.4}");
        findings.push(Finding::measured(
            check,
            name,
            judge(value),
            (value, limit),
            message,
            advice,
        ));
    }
}

fn r_hat(config: &Config, summary: &[PosteriorSummary], findings: &mut Vec<Finding>) {
    let values = summary
        .iter()
        .filter_map(|row| Some((row.r_hat?, row.parameter.as_str())));
    worst(
        "convergence.r_hat",
        values.collect(),
        |value| value,
        |value| Verdict::at_most(value, config.r_hat, config.fail_r_hat),
        config.r_hat,
        "R-hat",
        "the chains do not agree: raise `tune` and `draws` of step-fit, or tell apart collinear \
         channels",
        findings,
    );
}

fn ess(
    config: &Config,
    check: &'static str,
    summary: &[PosteriorSummary],
    of: fn(&PosteriorSummary) -> Option<f64>,
    findings: &mut Vec<Finding>,
) {
    let values = summary
        .iter()
        .filter_map(|row| Some((of(row)?, row.parameter.as_str())));
    worst(
        check,
        values.collect(),
        |value| -value,
        |value| Verdict::at_least(value, config.ess, config.fail_ess),
        config.ess,
        "the effective sample size",
        "raise `draws` of step-fit",
        findings,
    );
}

fn divergences(config: &Config, sampler: &[SamplerStats], findings: &mut Vec<Finding>) {
    let count = sampler.iter().filter(|row| row.diverging).count();
    let share = count as f64 / sampler.len() as f64;
    findings.push(Finding::measured(
        "convergence.divergences",
        "",
        Verdict::at_most(share, 0.0, config.fail_divergences),
        (count as f64, 0.0),
        format!("{count} of {} trajectories diverged", sampler.len()),
        "raise `target_accept` of step-fit to 0.95; where it helps little, tighten the priors",
    ));
}

fn energy(config: &Config, sampler: &[SamplerStats], findings: &mut Vec<Finding>) {
    let mut chains: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for row in sampler {
        chains.entry(row.chain).or_default().push(row.energy);
    }
    let lowest = chains
        .values()
        .map(|energy| e_bfmi(energy))
        .fold(f64::INFINITY, f64::min);
    findings.push(Finding::measured(
        "convergence.e_bfmi",
        "",
        Verdict::at_least(lowest, config.e_bfmi, 0.1),
        (lowest, config.e_bfmi),
        format!("E-BFMI is {lowest:.3} in the worst chain"),
        "the tails are hard to reach: tighten the priors of scales, or pool fewer geos",
    ));
}

fn depth(config: &Config, sampler: &[SamplerStats], findings: &mut Vec<Finding>) {
    let share =
        sampler.iter().filter(|row| row.depth_reached).count() as f64 / sampler.len() as f64;
    findings.push(Finding::measured(
        "convergence.depth",
        "",
        Verdict::at_most(share, config.depth_share, 1.0),
        (share, config.depth_share),
        format!(
            "{:.1} % of the trajectories were cut at the greatest depth",
            100.0 * share
        ),
        "the draws are right but few: raise `max_depth` of step-fit",
    ));
}
