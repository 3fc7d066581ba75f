//! `weekly_retrain` end to end: from exports to a champion, and back.

use serde_json::Value;

use crate::support::Project;

fn json(project: &Project, args: &[&str]) -> Value {
    let output = project.ok(&[args, &["--json"]].concat());
    serde_json::from_str(output.trim()).expect("a JSON document")
}

/// Task → state of a run.
fn states(project: &Project, dag: &str) -> Vec<(String, String)> {
    let summary = json(project, &["run", dag]);
    let tasks = summary["tasks"].as_array().expect("tasks").clone();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tasks
        .iter()
        .map(|task| (word(&task["name"]), word(&task["state"])))
        .collect()
}

fn world(project: &Project) {
    let days = ["--set", "days=700", "--seed", "3"];
    project.ok(&[&["step", "run", "step-synthesize", "--"][..], &days].concat());
    states(project, "daily_ingest");
}

fn rows(project: &Project, artifact: &str) -> Vec<Value> {
    let file = project.path().join(format!("{artifact}.json"));
    let to = file.display().to_string();
    project.ok(&["artifact", "export", artifact, "--to", &to]);
    serde_json::from_str(&std::fs::read_to_string(&file).expect("the export")).expect("rows")
}

#[test]
fn a_retrain_ends_with_a_champion_and_the_second_one_reuses_it() {
    let project = Project::initialized();
    world(&project);
    let first = states(&project, "weekly_retrain");
    assert!(
        first.iter().all(|(_, state)| state == "succeeded"),
        "{first:?}"
    );

    // The parts of every week add up to what was observed.
    let mut weeks: std::collections::BTreeMap<String, f64> = Default::default();
    for row in rows(&project, "contributions") {
        *weeks
            .entry(row["date"].as_str().unwrap().to_owned())
            .or_default() += row["mean"].as_f64().unwrap();
    }
    let predictions = rows(&project, "predictions");
    assert_eq!(weeks.len(), predictions.len());
    for row in &predictions {
        let observed = row["observed"].as_f64().unwrap();
        let sum = weeks[row["date"].as_str().unwrap()];
        assert!(
            (sum - observed).abs() < 1e-6 * observed.abs(),
            "{sum} against {observed}"
        );
    }
    assert_eq!(
        predictions
            .iter()
            .filter(|row| row["split"] == "holdout")
            .count(),
        4
    );

    let verdict = rows(&project, "model_checks")
        .into_iter()
        .find(|row| row["check"] == "verdict");
    assert_ne!(verdict.expect("an overall verdict")["verdict"], "fail");
    let models = json(&project, &["model", "list"]);
    assert_eq!(models[0]["status"], "champion", "{models}");

    // The champion exists now, so the promotion looks again; everything else is reused.
    let second = states(&project, "weekly_retrain");
    let fresh: Vec<&str> = second
        .iter()
        .filter(|(_, state)| state != "reused")
        .map(|(task, _)| task.as_str())
        .collect();
    assert!(fresh.is_empty() || fresh == ["promote"], "{second:?}");
    let third = states(&project, "weekly_retrain");
    assert!(
        third.iter().all(|(_, state)| state == "reused"),
        "{third:?}"
    );
}

#[test]
fn a_person_may_promote_another_model_and_roll_back() {
    let project = Project::initialized();
    world(&project);
    states(&project, "weekly_retrain");
    let first = json(&project, &["model", "list"])[0]["model_id"]
        .as_str()
        .unwrap()
        .to_owned();

    let dag = project.path().join("dags/weekly_retrain.toml");
    let text = std::fs::read_to_string(&dag).unwrap();
    std::fs::write(
        &dag,
        text.replace(
            "saturation = \"logistic\"",
            "saturation = \"michaelis_menten\"",
        ),
    )
    .unwrap();
    states(&project, "weekly_retrain");
    let models = json(&project, &["model", "list"]);
    let second = models[0]["model_id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(models[0]["champion_score"].is_number(), "{models}");

    project.ok(&["model", "promote", &second, "--reason", "the team agreed"]);
    let shown = json(&project, &["model", "show"]);
    assert_eq!(shown["model_id"].as_str(), Some(second.as_str()));
    project.ok(&["model", "rollback"]);
    let shown = json(&project, &["model", "show"]);
    assert_eq!(shown["model_id"].as_str(), Some(first.as_str()));
    let statuses = json(&project, &["model", "list"]);
    let champions = statuses
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["status"] == "champion");
    assert_eq!(champions.count(), 1, "{statuses}");
}
