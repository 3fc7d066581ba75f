//! Each series by itself.

use mixline_model::panel::{Channel, Panel};
use mixline_numerics::diagnostics::quantile;

use crate::config::Config;
use crate::names::OUTCOME;
use crate::notes::{Notes, Severity};

/// Coefficients of variation below this are no variation.
const FLAT: f64 = 1e-4;

pub(crate) fn look(config: &Config, panel: &Panel, notes: &mut Notes) {
    outcome(config, panel, notes);
    for channel in &panel.channels {
        media(config, panel, channel, notes);
    }
    for control in &panel.controls {
        let variation = variation(&control.values);
        notes.number("variation", &control.name, "", variation);
        if variation < FLAT {
            notes.find(
                Severity::Warning,
                ("control.constant", &control.name, ""),
                (variation, FLAT),
                format!("the control `{}` never changes", control.name),
                "leave it out: the intercept says the same",
            );
        }
        outliers(config, panel, &control.name, &control.values, notes);
    }
}

fn outcome(config: &Config, panel: &Panel, notes: &mut Notes) {
    let seen: Vec<f64> = panel
        .outcome
        .iter()
        .copied()
        .filter(|y| y.is_finite())
        .collect();
    let variation = variation(&seen);
    notes.number("variation", OUTCOME, "", variation);
    if variation < FLAT {
        notes.find(
            Severity::Error,
            ("outcome.constant", OUTCOME, ""),
            (variation, FLAT),
            "the outcome never changes: there is nothing to explain".into(),
            "check that the right metric was chosen in step-prepare",
        );
    }
    let missing = panel.outcome.len() - seen.len();
    if missing > 0 {
        notes.number("unobserved", OUTCOME, "", missing as f64);
    }
    if seen.iter().any(|y| *y < 0.0) {
        notes.find(
            Severity::Warning,
            ("outcome.negative", OUTCOME, ""),
            (seen.iter().copied().fold(0.0, f64::min), 0.0),
            "the outcome is below zero in some periods".into(),
            "look for refunds booked apart from their orders",
        );
    }
    outliers(config, panel, OUTCOME, &panel.outcome, notes);
}

fn media(config: &Config, panel: &Panel, channel: &Channel, notes: &mut Notes) {
    let name = &channel.name;
    let total: f64 = channel.media.iter().sum();
    let zeros = channel.media.iter().filter(|x| **x == 0.0).count();
    let share = zeros as f64 / channel.media.len().max(1) as f64;
    notes.number("zero_share", name, "", share);
    notes.number("variation", name, "", variation(&channel.media));
    if total == 0.0 {
        notes.find(
            Severity::Warning,
            ("media.none", name, ""),
            (0.0, 0.0),
            format!("`{name}` has no media in any period: its result will be the prior's"),
            "leave it out of `channels` of step-prepare",
        );
        return;
    }
    if variation(&channel.media) < FLAT {
        notes.find(
            Severity::Warning,
            ("media.constant", name, ""),
            (variation(&channel.media), FLAT),
            format!("`{name}` never changes: its effect cannot be told from the baseline"),
            "vary its spend, or calibrate it with an experiment",
        );
    }
    if let Some(spend) = &channel.spend {
        let cells = channel.media.iter().zip(spend);
        let free = cells
            .clone()
            .filter(|(x, s)| **x > 0.0 && **s <= 0.0)
            .count();
        let idle = cells.filter(|(x, s)| **x == 0.0 && **s > 0.0).count();
        for (count, code, text) in [
            (free, "media.free", "media without spend"),
            (idle, "media.idle", "spend without media"),
        ] {
            if count > 0 {
                notes.find(
                    Severity::Warning,
                    (code, name, ""),
                    (count as f64, 0.0),
                    format!("`{name}` has {text} in {count} cells"),
                    "check that delivery and cost come from the same days",
                );
            }
        }
    }
    outliers(config, panel, name, &channel.media, notes);
}

/// Standard deviation over mean size.
fn variation(values: &[f64]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let size = values.iter().map(|x| x.abs()).sum::<f64>() / n;
    if size > 0.0 { sd / size } else { 0.0 }
}

/// The farthest outlier of a series, if there is one.
fn outliers(config: &Config, panel: &Panel, name: &str, values: &[f64], notes: &mut Notes) {
    let seen: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    if seen.len() < 8 {
        return;
    }
    let (low, high) = (quantile(&seen, 0.25), quantile(&seen, 0.75));
    let range = high - low;
    let distance = |x: f64| (low - x).max(x - high) / range;
    let far = |at: &usize| values[*at].is_finite() && distance(values[*at]) > config.outlier;
    let found: Vec<usize> = (0..values.len()).filter(far).collect();
    // A series that is mostly one value (a dummy) has no outliers.
    if range <= 0.0 || found.is_empty() || found.len() * 20 > seen.len() {
        return;
    }
    let farthest = found
        .iter()
        .copied()
        .max_by(|a, b| distance(values[*a]).total_cmp(&distance(values[*b])));
    let Some(at) = farthest else { return };
    let (geo, date) = (
        &panel.geos[at / panel.periods()],
        panel.dates[at % panel.periods()],
    );
    notes.find(
        Severity::Suggestion,
        ("value.outlier", name, &format!("{geo} {date}")),
        (values[at], if values[at] > high { high } else { low }),
        format!(
            "`{name}` has {} outliers; the farthest is {} in `{geo}` at {date}",
            found.len(),
            values[at]
        ),
        "if it is real, give it an event; a Student-t likelihood pulls less on outliers",
    );
}
