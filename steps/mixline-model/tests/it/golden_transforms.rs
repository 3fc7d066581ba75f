//! Kernels against PyMC-Marketing's numbers.

use mixline_model::kernel::{AdstockKind, SaturationKind, convolve};
use mixline_panels::shared::{golden, numbers};
use serde_json::Value;

/// 1e-12 relative, beside the rounding of a value of order one: PyMC-Marketing's own formulas
/// cancel near zero.
fn assert_close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (t, (got, want)) in got.iter().zip(want).enumerate() {
        let tolerance = 1e-12 * want.abs() + 4e-16;
        assert!(
            (got - want).abs() <= tolerance,
            "{what}[{t}]: {got:e} against {want:e}"
        );
    }
}

fn named<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn parameters(case: &Value, names: &[&str]) -> Vec<f64> {
    names
        .iter()
        .map(|name| case["params"][name].as_f64().unwrap())
        .collect()
}

#[test]
fn adstock_agrees_with_pymc_marketing() {
    let Some(golden) = golden("transforms.json") else {
        return;
    };
    let x = numbers(&golden["x"]);
    let cases = golden["adstock"].as_array().unwrap();
    assert_eq!(cases.len(), 64);
    for case in cases {
        let kind: AdstockKind = named(&case["kind"]);
        let l_max = case["l_max"].as_u64().unwrap() as usize;
        let p = parameters(case, kind.parameter_names());
        let weights = kind.weights(&p, l_max, case["normalize"].as_bool().unwrap());
        let what = format!("{kind:?} {p:?} l_max {l_max}");
        assert_close(&convolve(&x, &weights), &numbers(&case["y"]), &what);
    }
}

#[test]
fn saturation_agrees_with_pymc_marketing() {
    let Some(golden) = golden("transforms.json") else {
        return;
    };
    let x = numbers(&golden["saturation_x"]);
    let cases = golden["saturation"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let kind: SaturationKind = named(&case["kind"]);
        let shape = parameters(case, kind.shape_names());
        let amplitude = parameters(case, &[kind.amplitude_name()])[0];
        let got: Vec<f64> = x
            .iter()
            .map(|x| kind.value(*x, amplitude, &shape))
            .collect();
        assert_close(&got, &numbers(&case["y"]), &format!("{kind:?} {shape:?}"));
    }
}
