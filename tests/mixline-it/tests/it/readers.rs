//! Other people's readers see every version: deltalake, polars, DuckDB and pyarrow; ArviZ opens the
//! posterior.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Project, text};

/// The Python with the packages, made by `cargo dev test`.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("MIXLINE_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI runs the reader tests: use `cargo dev test`"
        );
        eprintln!("skipped: MIXLINE_TEST_PYTHON is not set; `cargo dev test` sets it");
    }
    python
}

const READ_ALL: &str = include_str!("read_all.py");

#[test]
fn every_version_of_every_artifact_reads_the_same_everywhere() {
    let Some(python) = python() else { return };
    let project = Project::initialized();
    let synthesize = |days: &str| {
        project.ok(&[
            "step",
            "run",
            "step-synthesize",
            "--",
            "--set",
            days,
            "--seed",
            "3",
        ]);
        project.ok(&["run", "daily_ingest"]);
    };
    synthesize("days=210");
    synthesize("days=212");
    let before = check(&project, &python);
    assert!(
        !before.contains(" 0 versions agree") && !before.contains("1 taken"),
        "{before}"
    );
    for artifact in ["media_daily", "orders", "unified_daily_metrics"] {
        project.ok(&["artifact", "compact", artifact]);
    }
    assert_eq!(
        check(&project, &python),
        before,
        "compaction changes nothing"
    );
    let young = project.ok(&["artifact", "gc", "--keep-last", "1", "--apply"]);
    assert!(
        young.contains("removed 0 files"),
        "a day old at least: {young}"
    );
    project.ok(&[
        "artifact",
        "gc",
        "--keep-last",
        "1",
        "--min-age-hours",
        "0",
        "--apply",
    ]);
    let after = check(&project, &python);
    assert!(
        after.contains("mapping_report: 1 versions agree, 1 taken by gc"),
        "{after}"
    );
}

/// Compares every version that is there; a line for each artifact.
fn check(project: &Project, python: &PathBuf) -> String {
    let mixline = crate::support::bin("mixline");
    let script = project.path().join("read_all.py");
    std::fs::write(&script, READ_ALL).expect("writes");
    let mut command = Command::new(python);
    command.arg(&script).arg(&mixline).arg(project.path());
    let output = command.output().expect("python starts");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "readers disagree\n{out}\n{err}");
    assert!(out.contains("media_daily"), "nothing was read\n{out}");
    out
}

/// What ArviZ makes of the netCDF file: draws, labels, convergence, energy.
const ARVIZ: &str = r#"
import sys, warnings
warnings.filterwarnings("ignore")
import arviz as az
data = az.from_netcdf(sys.argv[1])
assert data.posterior.sizes["chain"] == 4 and data.posterior.sizes["draw"] == 1000
assert "tv" in list(data.posterior.saturation_beta.channel.values)
assert data.observed_data.y.dims == ("geo", "date")
summary = az.summary(data, round_to="none")
assert summary.r_hat.max() < 1.02, summary
assert (az.bfmi(data) > 0.3).all()
print("parameters", len(summary))
"#;

#[test]
fn arviz_opens_the_posterior() {
    let Some(python) = python() else { return };
    let project = Project::initialized();
    let days = ["--set", "days=500", "--seed", "3"];
    project.ok(&[&["step", "run", "step-synthesize", "--"][..], &days].concat());
    project.ok(&["run", "daily_ingest"]);
    project.ok(&["run", "weekly_retrain"]);
    let file = project.path().join("posterior.nc");
    let to = file.display().to_string();
    project.ok(&["artifact", "export", "posterior_netcdf", "--to", &to]);
    let output = Command::new(python).args(["-c", ARVIZ]).arg(&file).output();
    let output = output.expect("python starts");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && out.starts_with("parameters"),
        "{out}\n{err}"
    );
}
