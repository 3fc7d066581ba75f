//! `daily_ingest` end to end on a synthetic world.

use crate::support::{Project, text};

fn world(project: &Project) {
    project.ok(&[
        "step",
        "run",
        "step-synthesize",
        "--",
        "--set",
        "days=200",
        "--seed",
        "3",
    ]);
}

/// Task → state of the newest run.
fn states(project: &Project, args: &[&str]) -> Vec<(String, String)> {
    let output = project.ok(&[args, &["--json"]].concat());
    let summary: serde_json::Value = serde_json::from_str(output.trim()).expect("a JSON summary");
    let tasks = summary["tasks"].as_array().expect("tasks").clone();
    let word = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    tasks
        .iter()
        .map(|t| (word(&t["name"]), word(&t["state"])))
        .collect()
}

fn all_in(states: &[(String, String)], state: &str) -> bool {
    states.iter().all(|(_, s)| s == state)
}

#[tokio::test]
async fn the_second_run_reuses_everything_and_a_changed_row_reruns_what_depends_on_it() {
    let project = Project::initialized();
    world(&project);
    let first = states(&project, &["run", "daily_ingest"]);
    assert!(all_in(&first, "succeeded"), "{first:?}");
    let second = states(&project, &["run", "daily_ingest"]);
    assert!(all_in(&second, "reused"), "{second:?}");

    let file = project.path().join("data/raw/tiktok_ads.csv");
    let before = project
        .history("orders")
        .await
        .last()
        .expect("orders")
        .digest
        .clone();
    let old = std::fs::read_to_string(&file).expect("the export");
    std::fs::write(&file, old.replacen("Active", "Paused", 1)).expect("writes");
    let third = states(&project, &["run", "daily_ingest"]);
    let state = |task: &str| {
        third
            .iter()
            .find(|(name, _)| name == task)
            .map(|(_, s)| s.clone())
    };
    assert_eq!(state("ingest").as_deref(), Some("succeeded"), "{third:?}");
    assert_eq!(
        state("measure").as_deref(),
        Some("reused"),
        "the column is not read: {third:?}"
    );
    let after = project
        .history("orders")
        .await
        .last()
        .expect("orders")
        .digest
        .clone();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_forced_task_really_runs_and_commits_again() {
    let project = Project::empty();
    project.dag("one", "name = \"one\"\n[tasks.a]\nstep = \"step-noop\"\n");
    states(&project, &["run", "one"]);
    let forced = states(&project, &["run", "one", "--force"]);
    assert!(all_in(&forced, "succeeded"), "{forced:?}");
    let history = project.history("noop").await;
    assert_eq!(history.len(), 2);
    assert_eq!(
        history[0].digest, history[1].digest,
        "the same work, the same rows"
    );
    assert!(
        history[1]
            .provenance
            .as_ref()
            .is_some_and(|provenance| provenance.forced)
    );
    let after = states(&project, &["run", "one"]);
    assert!(all_in(&after, "reused"), "{after:?}");
}

#[test]
fn a_broken_export_names_file_row_and_column_and_leaves_the_store_as_it_was() {
    let project = Project::initialized();
    world(&project);
    let file = project.path().join("data/raw/google_ads.csv");
    let old = std::fs::read_to_string(&file).expect("the export");
    let broken: Vec<String> = old
        .lines()
        .enumerate()
        .map(|(i, line)| {
            if i == 5 {
                line.replace("EUR,", "EUR,x").replace("20", "2O")
            } else {
                line.into()
            }
        })
        .collect();
    std::fs::write(&file, broken.join("\n")).expect("writes");
    let output = project.output(&["run", "daily_ingest"]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("google_ads.csv"), "{said}");
    assert!(said.contains('6'), "the row is named: {said}");
    assert!(
        !project.path().join("store/media_daily/_delta_log").exists(),
        "nothing was committed"
    );
}

#[tokio::test]
async fn a_file_artifact_comes_out_as_the_file_that_went_in() {
    use mixline_artifact::{Table, testing::provenance};
    use mixline_schema::WriteMode;
    use mixline_schema::catalog::File;
    let project = Project::empty();
    let bytes = b"<h1>What TV brought in</h1>\n".to_vec();
    let report = File {
        name: "report.html".into(),
        media_type: "text/html".into(),
        bytes: bytes.clone(),
    };
    let table = Table::from_rows(vec![report]).expect("a legal row");
    let log = project
        .store()
        .await
        .log("weekly_report")
        .expect("a legal name");
    let committed = log
        .commit(table, WriteMode::Replace, provenance("report", 1))
        .await;
    committed.expect("commits");
    std::fs::create_dir(project.path().join("out")).expect("a folder");
    project.ok(&["artifact", "export", "weekly_report", "--to", "out"]);
    let file = project.path().join("out/report.html");
    assert_eq!(std::fs::read(file).expect("the file"), bytes);
}
