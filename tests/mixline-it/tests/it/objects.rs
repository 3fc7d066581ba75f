//! The whole daily pipeline with its store in a bucket: the same programs, the usual variables.

use std::process::Command;

use mixline_servers::S3;
use serde_json::Value;

use crate::support::{Project, text};

/// Runs `mixline` with the bucket's variables, and nothing of the caller's.
fn ok(project: &Project, server: &S3, args: &[&str]) -> String {
    let mut command: Command = project.mixline(args);
    command.envs(server.variables());
    let output = command.output().expect("mixline starts");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "mixline {args:?} failed\n{out}\n{err}"
    );
    out
}

#[test]
fn the_daily_pipeline_runs_with_its_store_in_a_bucket() {
    let Some(server) = S3::start() else { return };
    let project = Project::initialized();
    let file = project.path().join("mixline.toml");
    let config = std::fs::read_to_string(&file).expect("reads");
    let bucket = format!("store = {:?}", server.store_url());
    let config = config.replace("store = \"./store\"", &bucket);
    assert!(config.contains(&bucket), "the template names the store");
    std::fs::write(&file, config).expect("writes");

    let world = ["--set", "days=60", "--seed", "3"];
    ok(
        &project,
        &server,
        &[&["step", "run", "step-synthesize", "--"][..], &world].concat(),
    );
    let first = ok(&project, &server, &["run", "daily_ingest", "--json"]);
    let states = |document: &str| {
        let document: Value = serde_json::from_str(document).expect("JSON");
        let tasks = document["tasks"].as_array().expect("tasks").clone();
        let states = tasks.iter().map(|task| task["state"].to_string());
        states.collect::<Vec<_>>()
    };
    assert!(
        states(&first).iter().all(|state| state == "\"succeeded\""),
        "{first}"
    );
    let again = ok(&project, &server, &["run", "daily_ingest", "--json"]);
    assert!(
        states(&again).iter().all(|state| state == "\"reused\""),
        "{again}"
    );
    assert!(
        !project.path().join("store").exists(),
        "nothing is kept beside the bucket"
    );

    let shown = ok(
        &project,
        &server,
        &["artifact", "show", "unified_daily_metrics"],
    );
    assert!(shown.contains("roas"), "{shown}");
    let lineage = ok(&project, &server, &["lineage", "unified_daily_metrics"]);
    assert!(lineage.contains("media_daily"), "{lineage}");
    let log = ok(&project, &server, &["logs", "latest"]);
    assert!(!log.is_empty(), "logs are read back from the bucket");
    let doctor = project
        .mixline(&["doctor"])
        .envs(server.variables())
        .output();
    let doctor = text(&doctor.expect("mixline starts").stdout);
    assert!(doctor.contains("one of two creates won"), "{doctor}");
}
