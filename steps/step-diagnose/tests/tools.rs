//! `step-diagnose stats` as a user calls it, against ArviZ's numbers.

use std::process::Command;

use mixline_panels::shared::golden;
use serde_json::Value;

#[test]
fn stats_prints_arvizs_numbers() {
    let Some(golden) = golden("diagnostics.json") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("draws.json");
    std::fs::write(&path, golden["draws"].to_string()).expect("writes");
    let output = Command::new(env!("CARGO_BIN_EXE_step-diagnose"))
        .args(["stats", "--draws"])
        .arg(&path)
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: Value = serde_json::from_slice(&output.stdout).expect("a JSON document");
    let expected = golden["expected"].as_object().expect("processes");
    assert_eq!(expected.len(), 9);
    for (name, want) in expected {
        let own = &found["parameters"][name];
        for (key, theirs) in [
            ("r_hat", "rhat_rank"),
            ("ess_bulk", "ess_bulk"),
            ("ess_tail", "ess_tail"),
            ("ess_mean", "ess_mean"),
            ("ess_sd", "ess_sd"),
            ("mcse_mean", "mcse_mean"),
            ("mean", "mean"),
        ] {
            let (got, want) = (own[key].as_f64(), want[theirs].as_f64());
            let (Some(got), Some(want)) = (got, want) else {
                assert_eq!(got, want, "{name} {key}");
                continue;
            };
            assert!(
                (got - want).abs() <= 1e-8 * want.abs().max(1e-3),
                "{name} {key}: {got} {want}"
            );
        }
    }
}
