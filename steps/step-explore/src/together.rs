//! Series beside each other.

use mixline_model::panel::Panel;
use mixline_numerics::linear::variance_inflation;

use crate::config::Config;
use crate::notes::{Notes, Severity};

/// The series that explain: media, then controls.
fn explaining(panel: &Panel) -> Vec<(&str, &[f64])> {
    let media = panel
        .channels
        .iter()
        .map(|own| (own.name.as_str(), own.media.as_slice()));
    let controls = panel
        .controls
        .iter()
        .map(|own| (own.name.as_str(), own.values.as_slice()));
    media.chain(controls).collect()
}

pub(crate) fn look(config: &Config, panel: &Panel, notes: &mut Notes) {
    let series = explaining(panel);
    correlations(config, &series, notes);
    let columns: Vec<&[f64]> = series.iter().map(|(_, values)| *values).collect();
    if let Ok(inflation) = variance_inflation(&columns) {
        for ((name, _), vif) in series.iter().zip(inflation) {
            notes.number("vif", name, "", vif);
            if vif > config.vif {
                notes.find(
                    Severity::Warning,
                    ("collinear.vif", name, ""),
                    (vif, config.vif),
                    format!("`{name}` follows from the other series (variance inflation {vif:.0})"),
                    "join it with the series it follows, or give both tighter priors",
                );
            }
        }
    }
    if panel.geos.len() > 1 {
        for (name, values) in &series {
            groups(config, panel, name, values, notes);
        }
    }
}

fn correlations(config: &Config, series: &[(&str, &[f64])], notes: &mut Notes) {
    for (i, (first, a)) in series.iter().enumerate() {
        for (second, b) in &series[i + 1..] {
            let Some(r) = correlation(a, b) else { continue };
            notes.number("correlation", first, second, r);
            let severity = match r.abs() {
                size if size >= config.same => Severity::Error,
                size if size >= config.correlation => Severity::Warning,
                _ => continue,
            };
            let limit = if severity == Severity::Error {
                config.same
            } else {
                config.correlation
            };
            notes.find(
                severity,
                ("collinear.pair", first, second),
                (r, limit),
                format!("`{first}` and `{second}` move together (correlation {r:.3})"),
                "their effects cannot be told apart: join them, leave one out, or calibrate one \
                 with an experiment",
            );
        }
    }
}

/// Pearson's correlation; `None` when a series does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum()
    };
    let (aa, bb) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    (aa > 0.0 && bb > 0.0).then(|| sum(&|x, y| x * y) / (aa * bb).sqrt())
}

/// How much of a series is the same in all periods of a geo, or in all geos of a period.
fn groups(config: &Config, panel: &Panel, name: &str, values: &[f64], notes: &mut Notes) {
    let periods = panel.periods();
    for (statistic, code, group, advice) in [
        (
            "geo_r2",
            "collinear.geo",
            true,
            "intercepts by geo say the same: it only helps without them",
        ),
        (
            "time_r2",
            "collinear.time",
            false,
            "it is a national series: knots or season may say the same",
        ),
    ] {
        let key = |at: usize| if group { at / periods } else { at % periods };
        let Some(share) = explained(values, key, if group { panel.geos.len() } else { periods })
        else {
            continue;
        };
        notes.number(statistic, name, "", share);
        if share > config.collinear {
            notes.find(
                Severity::Suggestion,
                (code, name, ""),
                (share, config.collinear),
                format!(
                    "{:.0} % of `{name}` follow from the {} alone",
                    100.0 * share,
                    if group { "geo" } else { "period" }
                ),
                advice,
            );
        }
    }
}

/// Share of the variance that lies between groups.
fn explained(values: &[f64], key: impl Fn(usize) -> usize, groups: usize) -> Option<f64> {
    let mut sums = vec![(0.0, 0.0); groups];
    for (at, value) in values.iter().enumerate() {
        let sum = &mut sums[key(at)];
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let total: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let between: f64 = sums
        .iter()
        .filter(|(_, n)| *n > 0.0)
        .map(|(sum, n)| n * (sum / n - mean).powi(2))
        .sum();
    (total > 0.0).then(|| between / total)
}
