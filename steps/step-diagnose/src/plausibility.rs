//! Can the answer be true?

use mixline_model::fit::draw_prior;
use mixline_model::response::{Interval, channels, negative_baseline};
use mixline_model_tables::{Engine, Fitted};

use crate::config::Config;
use crate::finding::{Finding, Verdict};

/// Prior draws behind the comparison with the posterior.
const PRIOR_DRAWS: usize = 2000;

pub(crate) fn check(config: &Config, fitted: &Fitted, seed: u64, findings: &mut Vec<Finding>) {
    let probability = negative_baseline(&fitted.model, &fitted.draws);
    findings.push(Finding::measured(
        "plausibility.baseline",
        "",
        Verdict::at_most(
            probability,
            config.negative_baseline,
            config.fail_negative_baseline,
        ),
        (probability, config.negative_baseline),
        format!("the baseline is negative with probability {probability:.2}"),
        "media are credited with more than there is: lower the amplitudes' priors, or give the \
         intercept a positive one",
    ));
    returns(config, fitted, findings);
    if fitted.card.engine == Engine::Bayesian {
        learned(config, fitted, seed, findings);
    }
}

/// ROAS only means something where outcome and spend are the same money.
fn returns(config: &Config, fitted: &Fitted, findings: &mut Vec<Finding>) {
    let units = &fitted.units;
    let known = |unit: &str| unit.len() == 3 && unit != "XXX";
    let money = units.outcome == units.spend && known(&units.outcome);
    for result in channels(&fitted.model, &fitted.draws) {
        if result.geo.is_some() {
            continue;
        }
        let name = &fitted.model.panel.channels[result.channel].name;
        let dormant = fitted.model.design.reference[result.channel] <= 0.0;
        if dormant {
            findings.push(Finding::measured(
                "plausibility.media",
                name,
                Verdict::Review,
                (0.0, 0.0),
                "the channel has no media at all: its parameters are those of the prior".into(),
                "leave it out of `channels` of step-prepare",
            ));
        }
        let Some(roas) = result.roas.filter(|_| money && !dormant) else {
            continue;
        };
        let [low, high] = config.roas;
        let inside = low <= roas.q50 && roas.q50 <= high;
        findings.push(Finding::measured(
            "plausibility.roas",
            name,
            if inside {
                Verdict::Pass
            } else {
                Verdict::Review
            },
            (roas.q50, if roas.q50 < low { low } else { high }),
            format!(
                "ROAS is {:.2} (90 %: {:.2} to {:.2})",
                roas.q50, roas.q05, roas.q95
            ),
            "check units and currency first; then calibrate the channel with an experiment",
        ));
    }
}

/// Compares the width of posterior and prior, for amplitudes.
fn learned(config: &Config, fitted: &Fitted, seed: u64, findings: &mut Vec<Finding>) {
    let (model, draws) = (&fitted.model, &fitted.draws);
    let prior = draw_prior(model, PRIOR_DRAWS, seed);
    for (c, slots) in model.layout.channels.iter().enumerate() {
        let at = slots.amplitude.base;
        let width = |mut values: Vec<f64>| {
            let interval = Interval::of(&mut values);
            interval.q95 - interval.q05
        };
        let before = width(prior.iter().map(|row| row[at]).collect());
        let after = width(draws.rows().map(|row| row[at]).collect());
        if !(before.is_finite() && before > 0.0) {
            continue;
        }
        let ratio = after / before;
        findings.push(Finding::measured(
            "plausibility.learned",
            &model.panel.channels[c].name,
            if ratio < config.prior_shift {
                Verdict::Pass
            } else {
                Verdict::Review
            },
            (ratio, config.prior_shift),
            format!(
                "the amplitude's posterior is {:.0} % as wide as its prior",
                100.0 * ratio
            ),
            "the data say little about this channel: its result is mostly the prior's; vary its \
             media, or run an experiment",
        ));
    }
}
