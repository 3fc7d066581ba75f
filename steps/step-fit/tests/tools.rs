//! `step-fit transform` and `density` as a user calls them, against PyMC's numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use mixline_panels::reference::{national, national_spec};
use mixline_panels::shared::{golden, numbers};
use serde_json::Value;

fn tool(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_step-fit"))
        .args(args)
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("a JSON document")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("writes");
    path.display().to_string()
}

#[test]
fn transform_prints_pymc_marketings_numbers() {
    let Some(golden) = golden("transforms.json") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let x = write(folder.path(), "x.json", &golden["x"].to_string());
    let at = write(folder.path(), "s.json", &golden["saturation_x"].to_string());
    let adstock = golden["adstock"]
        .as_array()
        .expect("cases")
        .iter()
        .step_by(7);
    for case in adstock.chain(golden["saturation"].as_array().expect("cases")) {
        let kind = case["kind"].as_str().expect("a kind");
        let params = case["params"].to_string();
        let mut args = vec!["transform", "--kind", kind, "--params", &params];
        let (l_max, normalize) = (case["l_max"].to_string(), case["normalize"].to_string());
        let is_adstock = case.get("l_max").is_some();
        if is_adstock {
            args.extend(["--l-max", &l_max, "--normalize", &normalize]);
        }
        args.extend(["--x", if is_adstock { &x } else { &at }]);
        for (got, want) in numbers(&tool(&args)["y"]).iter().zip(numbers(&case["y"])) {
            assert!(
                (got - want).abs() <= 1e-12 * want.abs() + 4e-16,
                "{kind}: {got} {want}"
            );
        }
    }
}

#[test]
fn density_prints_pymcs_log_density_and_gradient() {
    let (Some(golden), Some(panel)) = (golden("density_geometric_logistic.json"), national())
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut design = "date,geo,role,variable,value,unit,split\n".to_owned();
    for (t, date) in panel.dates.iter().enumerate() {
        let mut row = |role: &str, name: &str, value: f64| {
            writeln!(design, "{date},all,{role},{name},{value},,train").expect("a string grows");
        };
        row("outcome", "y", panel.outcome[t]);
        panel
            .channels
            .iter()
            .for_each(|own| row("media", &own.name, own.media[t]));
        panel
            .controls
            .iter()
            .for_each(|own| row("control", &own.name, own.values[t]));
    }
    let cases = golden.as_array().expect("points");
    let points: Vec<&Value> = cases
        .iter()
        .map(|case| &case["point_unconstrained"])
        .collect();
    let spec = serde_json::to_string(&national_spec()).expect("JSON");
    let found = tool(&[
        "density",
        "--spec",
        &write(folder.path(), "spec.json", &spec),
        "--data",
        &write(folder.path(), "design.csv", &design),
        "--points",
        &write(
            folder.path(),
            "points.json",
            &serde_json::to_string(&points).expect("JSON"),
        ),
    ]);
    for (found, want) in found["points"]
        .as_array()
        .expect("points")
        .iter()
        .zip(cases)
    {
        let close = |got: &Value, want: &Value| {
            let (got, want) = (
                got.as_f64().expect("a number"),
                want.as_f64().expect("a number"),
            );
            assert!(
                (got - want).abs() <= 1e-8 * want.abs().max(1.0),
                "{got} against {want}"
            );
        };
        close(&found["log_density"], &want["logp_with_jacobian"]);
        close(
            &found["log_density_without_jacobian"],
            &want["logp_without_jacobian"],
        );
        let gradient: BTreeMap<String, f64> =
            serde_json::from_value(found["gradient"].clone()).expect("numbers by name");
        let sum: f64 = gradient.values().sum();
        let want: f64 = numbers(&want["grad"]).iter().sum();
        assert!(
            (sum - want).abs() <= 1e-7 * want.abs().max(1.0),
            "{sum} against {want}"
        );
        assert_eq!(
            found["sampler"]["coordinates"]
                .as_object()
                .map(serde_json::Map::len),
            Some(15)
        );
    }
}
