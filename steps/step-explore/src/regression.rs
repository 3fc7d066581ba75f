//! A ridge regression without adstock or saturation, to see what the data say by themselves.

use mixline_model::panel::Panel;
use mixline_numerics::linear::{ols, ridge_cv};

use crate::names::OUTCOME;
use crate::notes::{Notes, Severity};

pub(crate) fn look(panel: &Panel, notes: &mut Notes) {
    let cells = (0..panel.geos.len()).flat_map(|g| (0..panel.periods()).map(move |t| (g, t)));
    let kept: Vec<usize> = cells
        .filter(|&(g, t)| panel.fitted(g, t))
        .map(|(g, t)| g * panel.periods() + t)
        .collect();
    let pick = |values: &[f64]| kept.iter().map(|&at| values[at]).collect::<Vec<f64>>();
    let names: Vec<&str> = panel
        .channels
        .iter()
        .map(|own| own.name.as_str())
        .chain(panel.controls.iter().map(|own| own.name.as_str()))
        .collect();
    let columns: Vec<Vec<f64>> = panel
        .channels
        .iter()
        .map(|own| pick(&own.media))
        .chain(panel.controls.iter().map(|own| pick(&own.values)))
        .collect();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let outcome = pick(&panel.outcome);
    let (Ok(plain), Ok(ridge)) = (ols(&slices, &outcome), ridge_cv(&slices, &outcome)) else {
        return;
    };
    notes.number("ols_r2", OUTCOME, "", plain.r_squared);
    notes.number("ridge_r2", OUTCOME, "", ridge.r_squared);
    notes.number("ridge_penalty", OUTCOME, "", ridge.penalty);
    for (index, name) in names.iter().enumerate() {
        let (own, error) = (ridge.coefficients[index], ridge.standard_errors[index]);
        notes.number("ols", name, "", plain.coefficients[index]);
        notes.number("ridge", name, "", own);
        notes.number("ridge_standard_error", name, "", error);
        if index < panel.channels.len() && own < -2.0 * error && error > 0.0 {
            notes.find(
                Severity::Suggestion,
                ("regression.sign", name, ""),
                (own, 0.0),
                format!("in a plain regression more `{name}` goes with less outcome"),
                "something else moves with it: look for a control that explains both",
            );
        }
    }
}
