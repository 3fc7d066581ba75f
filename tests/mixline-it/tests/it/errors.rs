//! Mistakes people make: each gets an exit code, the place, and what to do, and changes nothing.

use crate::support::{Project, text};

/// Runs a command that must fail with this code; what it said on standard error.
fn refused(project: &Project, code: i32, args: &[&str]) -> String {
    let output = project.output(args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "mixline {args:?}\n{out}\n{err}"
    );
    assert!(err.starts_with("error: "), "{err}");
    err
}

fn says(said: &str, expected: &[&str]) {
    for expected in expected {
        assert!(said.contains(expected), "`{expected}` is not in:\n{said}");
    }
}

const CHAIN: &str = "name = \"chain\"\n\
    [tasks.a]\nstep = \"step-noop\"\noutputs = { out = \"noop_a\" }\n\
    [tasks.b]\nstep = \"step-noop\"\ninputs = { input = \"noop_a\" }\noutputs = { out = \"noop_b\" }\n";

#[test]
fn every_error_of_a_pipeline_file_is_said_at_once() {
    let project = Project::empty();
    project.dag(
        "bad",
        "name = \"bad\"\n\
         [tasks.a]\nstep = \"step-noop\"\ninputs = { input = \"noop_b\" }\noutputs = { out = \"noop_a\" }\n\
         [tasks.b]\nstep = \"step-noop\"\ninputs = { input = \"noop_a\" }\noutputs = { out = \"noop_b\" }\n\
         [tasks.c]\nstep = \"step-nop\"\n\
         [tasks.d]\nstep = \"step-noop\"\noutputs = { out = \"noop_d\" }\nconfig = { rowz = 3 }\n",
    );
    let said = refused(&project, 78, &["run", "bad"]);
    says(
        &said,
        &[
            "dags/bad.toml",
            "a → b → a",
            "tasks.c.step",
            "did you mean `step-noop`",
            "rowz",
            "did you mean `rows`",
        ],
    );
    assert!(!project.path().join("store/noop_d").exists(), "nothing ran");
}

#[test]
fn names_that_do_not_exist_come_with_those_that_do() {
    let project = Project::empty();
    project.dag("chain", CHAIN);
    says(
        &refused(&project, 2, &["run", "chian"]),
        &["no DAG `chian`", "chain"],
    );
    says(
        &refused(&project, 65, &["artifact", "show", "noop_a"]),
        &["noop_a", "the store is empty"],
    );
    project.ok(&["run", "chain"]);
    says(
        &refused(&project, 65, &["artifact", "show", "noop_x"]),
        &["noop_a, noop_b"],
    );
    says(
        &refused(&project, 65, &["artifact", "show", "noop_a@7"]),
        &["no version 7", "newest is 0"],
    );
    says(
        &refused(&project, 2, &["why", "zebra"]),
        &["zebra", "chain"],
    );
    says(
        &refused(&project, 2, &["runs", "show", "0000"]),
        &["no run `0000`"],
    );
}

#[test]
fn an_empty_or_reversed_window_is_refused_before_anything_runs() {
    let project = Project::empty();
    project.dag("chain", CHAIN);
    let said = refused(
        &project,
        2,
        &["run", "chain", "--window", "2026-03-01..2026-03-01"],
    );
    says(&said, &["the window is empty", "CronDataIntervalTimetable"]);
    let said = refused(
        &project,
        2,
        &["run", "chain", "--window", "2026-03-02..2026-03-01"],
    );
    says(&said, &["before it starts"]);
    assert!(!project.path().join("store/noop_a").exists());
}

#[test]
fn a_store_that_cannot_be_opened_says_where_it_was_looked_for() {
    let project = Project::empty();
    project.dag("chain", CHAIN);
    let settings = std::fs::read_to_string(project.path().join("mixline.toml")).expect("a project");
    let elsewhere = format!("store = \"./dags/chain.toml/store\"\n{settings}");
    std::fs::write(project.path().join("mixline.toml"), elsewhere).expect("writes");
    let said = refused(&project, 74, &["run", "chain"]);
    says(
        &said,
        &["dags/chain.toml/store", "could not open the store"],
    );
    let nowhere = format!("store = \"ftp://nowhere/store\"\n{settings}");
    std::fs::write(project.path().join("mixline.toml"), nowhere).expect("writes");
    says(
        &refused(&project, 78, &["run", "chain"]),
        &["ftp://nowhere/store", "s3://"],
    );
}

#[test]
fn a_table_of_another_schema_version_is_named_with_both_versions() {
    let project = Project::empty();
    project.dag("chain", CHAIN);
    project.ok(&["run", "chain"]);
    let entry = project
        .path()
        .join("store/noop_a/_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&entry).expect("the entry");
    let newer = text.replace(
        "\"mixline.schemaVersion\":\"1\"",
        "\"mixline.schemaVersion\":\"9\"",
    );
    assert_ne!(text, newer);
    std::fs::write(&entry, newer).expect("writes");
    let output = project.output(&["run", "chain", "--force-task", "b"]);
    let said = crate::support::text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    says(&said, &["`noop_a` is stored as v9, this program reads v1"]);
}

#[test]
fn a_damaged_log_entry_is_named_and_nothing_is_written_over_it() {
    let project = Project::empty();
    project.dag("chain", CHAIN);
    project.ok(&["run", "chain"]);
    let entry = project
        .path()
        .join("store/noop_a/_delta_log/00000000000000000000.json");
    std::fs::write(&entry, "{\"add\": {\"path\"").expect("writes");
    let said = refused(&project, 74, &["artifact", "show", "noop_a"]);
    says(
        &said,
        &["noop_a/_delta_log/00000000000000000000.json", "damaged"],
    );
    let output = project.output(&["run", "chain", "--force"]);
    assert!(!output.status.success());
    assert_eq!(
        std::fs::read_to_string(&entry).expect("it is there"),
        "{\"add\": {\"path\""
    );
}

#[test]
fn a_folder_without_a_project_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut mixline = std::process::Command::new(crate::support::bin("mixline"));
    let output = mixline
        .args(["run", "daily_ingest"])
        .current_dir(folder.path())
        .output();
    let output = output.expect("mixline starts");
    assert_eq!(output.status.code(), Some(78));
    says(
        &text(&output.stderr),
        &["there is no project in", "mixline init"],
    );
    let left = std::fs::read_dir(folder.path()).expect("it lists").count();
    assert_eq!(left, 0, "nothing was made");
}

#[test]
fn a_project_file_with_a_wrong_key_is_refused_with_the_key() {
    let project = Project::empty();
    std::fs::write(project.path().join("mixline.toml"), "stroe = \"./store\"\n").expect("writes");
    says(
        &refused(&project, 78, &["runs"]),
        &["mixline.toml", "stroe"],
    );
}
