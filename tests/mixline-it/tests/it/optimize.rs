//! `weekly_optimize` end to end: a plan that adds up, decisions, and a page that a browser likes.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::Project;

fn json(project: &Project, args: &[&str]) -> Value {
    let output = project.ok(&[args, &["--json"]].concat());
    serde_json::from_str(output.trim()).expect("a JSON document")
}

pub(crate) fn rows(project: &Project, artifact: &str) -> Vec<Value> {
    let file = project.path().join(format!("{artifact}.json"));
    let to = file.display().to_string();
    project.ok(&["artifact", "export", artifact, "--to", &to]);
    serde_json::from_str(&std::fs::read_to_string(&file).expect("the export")).expect("rows")
}

pub(crate) fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or(f64::NAN)
}

pub(crate) fn report(project: &Project) -> String {
    let file = project.path().join("report.html");
    project.ok(&[
        "artifact",
        "export",
        "report",
        "--to",
        &file.display().to_string(),
    ]);
    std::fs::read_to_string(file).expect("a page")
}

/// A project in which a model was fitted and promoted.
pub(crate) fn fitted() -> Project {
    let project = Project::initialized();
    let days = ["--set", "days=700", "--seed", "3"];
    project.ok(&[&["step", "run", "step-synthesize", "--"][..], &days].concat());
    project.ok(&["run", "daily_ingest"]);
    project.ok(&["run", "weekly_retrain"]);
    project
}

fn best_of(plan: &[Value]) -> Vec<&Value> {
    plan.iter().filter(|row| row["plan"] == "best").collect()
}

#[test]
fn the_plan_adds_up_and_the_second_run_is_all_reuse() {
    let project = fitted();
    project.ok(&["run", "weekly_optimize"]);
    let plan = rows(&project, "budget_plan");
    let outcomes = rows(&project, "plan_outcomes");
    let named = |name: &str| {
        outcomes
            .iter()
            .find(|row| row["plan"] == name)
            .expect("a plan")
    };
    let best = best_of(&plan);
    let sum = |key: &str| best.iter().map(|row| number(row, key)).sum::<f64>();
    assert!(
        (sum("proposed") / sum("current") - 1.0).abs() < 1e-6,
        "the budget stays"
    );
    assert!((sum("response") / number(named("best"), "response") - 1.0).abs() < 1e-9);
    let gain = number(named("best"), "response") - number(named("current"), "response");
    assert!((number(named("best"), "gain") - gain).abs() < 1e-6 * gain.abs().max(1.0));
    assert!(number(named("best"), "bound") >= number(named("best"), "value"));
    for row in &best {
        assert!(number(row, "proposed") >= number(row, "lower") - 1e-6);
        assert!(number(row, "proposed") <= number(row, "upper") + 1e-6);
    }
    let scheduled: f64 = rows(&project, "plan_schedule")
        .iter()
        .map(|row| number(row, "spend"))
        .sum();
    assert!((scheduled / sum("proposed") - 1.0).abs() < 1e-9);

    let page = report(&project);
    let again = json(&project, &["run", "weekly_optimize"]);
    let states: Vec<&Value> = again["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["state"])
        .collect();
    assert!(states.iter().all(|state| **state == "reused"), "{states:?}");
    project.ok(&["run", "weekly_optimize", "--force-task", "report"]);
    assert!(
        page == report(&project),
        "the same data give the same bytes"
    );
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

/// The data behind a figure: rows of numbers and words, without the heading.
pub(crate) fn data_of(page: &str, figure: &str) -> Vec<Vec<String>> {
    use base64::Engine as _;
    let start = format!("<a download=\"{figure}.csv\" href=\"data:text/csv;base64,");
    let coded = page
        .split(&start)
        .nth(1)
        .expect("the figure")
        .split('"')
        .next()
        .expect("a link");
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(coded)
        .expect("base64");
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let cells = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| cells(record.expect("CSV")))
        .collect()
}

pub(crate) fn column(rows: &[Vec<String>], at: usize) -> Vec<f64> {
    rows.iter()
        .map(|row| row[at].parse().unwrap_or(f64::NAN))
        .collect()
}

pub(crate) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}

#[test]
fn what_the_figures_show_adds_up_to_what_the_tables_say() {
    let project = fitted();
    project.ok(&["run", "weekly_optimize"]);
    let page = report(&project);
    let observed: f64 = rows(&project, "predictions")
        .iter()
        .map(|row| number(row, "observed"))
        .sum();
    let outcomes = rows(&project, "plan_outcomes");
    let outcome = |name: &str, key: &str| {
        number(
            outcomes
                .iter()
                .find(|row| row["plan"] == name)
                .expect("a plan"),
            key,
        )
    };
    let waterfall = data_of(&page, "c01");
    let parts = column(&waterfall, 1);
    let (total, parts) = parts.split_last().unwrap();
    assert!(close(*total, observed) && close(parts.iter().sum(), observed));
    for row in data_of(&page, "c02") {
        let values: Vec<f64> = row[1..]
            .iter()
            .map(|cell| cell.parse().unwrap_or(0.0))
            .collect();
        let (observed, parts) = values.split_last().unwrap();
        assert!(close(parts.iter().sum(), *observed), "{row:?}");
    }
    let plan = data_of(&page, "c18");
    assert!(close(
        column(&plan, 2).iter().sum(),
        outcome("best", "budget")
    ));
    let delta = column(&data_of(&page, "c19"), 1);
    let (last, first) = delta.split_last().unwrap();
    assert!(close(first.iter().sum(), *last));
    assert!(
        close(*last, outcome("best", "response"))
            && close(delta[0], outcome("current", "response"))
    );
    for (figure, at) in [("c08", 1), ("c08", 2)] {
        assert!(close(column(&data_of(&page, figure), at).iter().sum(), 1.0));
    }
}

#[test]
fn questions_are_answered_without_committing() {
    let project = fitted();
    let before = json(&project, &["artifact", "list"]);
    let answer = json(&project, &["simulate", "meta=+20%", "google=-10%"]);
    let all = answer
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["channel"] == "all")
        .unwrap();
    assert!(number(all, "effect_q05") <= number(all, "effect") && number(all, "spend_after") > 0.0);
    let budget = 0.9 * number(all, "spend_before");
    let plan = json(
        &project,
        &[
            "optimize",
            "--budget",
            &format!("{budget:.2}"),
            "--max-change",
            "0.3",
        ],
    );
    let spent: f64 = best_of(plan["plan"].as_array().unwrap())
        .iter()
        .map(|row| number(row, "proposed"))
        .sum();
    assert!((spent / budget - 1.0).abs() < 1e-6);
    assert_eq!(before, json(&project, &["artifact", "list"]));
    let wrong = project.output(&["simulate", "radio=+20%"]);
    assert!(!wrong.status.success());
    assert!(
        crate::support::text(&wrong.stderr).contains("`radio`, which is no channel with spend")
    );
    let impossible = project.output(&["optimize", "--budget", "1e12"]);
    assert_eq!(impossible.status.code(), Some(78));
    assert!(crate::support::text(&impossible.stderr).contains("can take at most"));
}

#[test]
fn decisions_are_answered_once_and_stay_answered() {
    let project = fitted();
    project.ok(&["run", "weekly_optimize"]);
    let open = json(&project, &["decisions", "list"]);
    let id = open[0]["decision_id"]
        .as_str()
        .expect("something is recommended")
        .to_owned();
    project.ok(&["decisions", "accept", &id, "--by", "ada"]);
    let shown = json(&project, &["decisions", "show", &id]);
    assert_eq!(
        (&shown["status"], &shown["decided_by"]),
        (&"accepted".into(), &"ada".into())
    );
    assert!(
        !project
            .output(&["decisions", "reject", &id])
            .status
            .success()
    );
    project.ok(&["run", "weekly_optimize", "--force-task", "decide"]);
    assert_eq!(
        json(&project, &["decisions", "show", &id])["status"],
        "accepted"
    );
    project.ok(&["decisions", "measure", &id, "1234.5"]);
    assert_eq!(
        json(&project, &["decisions", "show", &id])["measured_gain"],
        1234.5
    );
}

#[test]
fn a_failed_model_gets_no_plan_and_the_first_line_says_so() {
    let project = fitted();
    project.ok(&["run", "weekly_optimize"]);
    let dag = project.path().join("dags/weekly_retrain.toml");
    let text = std::fs::read_to_string(&dag).unwrap();
    let strict = "[tasks.diagnose]\nstep = \"step-diagnose\"\n[tasks.diagnose.config]\nr_hat = 1.0\nfail_r_hat = 1.0\n";
    std::fs::write(
        &dag,
        text.replace("[tasks.diagnose]\nstep = \"step-diagnose\"\n", strict),
    )
    .unwrap();
    project.ok(&["run", "weekly_retrain"]);
    project.ok(&["run", "weekly_optimize"]);
    assert!(rows(&project, "budget_plan").is_empty());
    let page = report(&project);
    let body = page.split("<body>").nth(1).unwrap();
    let first =
        "<p class=\"verdict error\">There is no budget plan: the newest model failed its checks.";
    assert!(
        body.trim_start()
            .strip_prefix("<header class=\"top\">")
            .unwrap()
            .starts_with(first),
        "{}",
        &body[..300]
    );
    let briefing = rows(&project, "briefing");
    let verdict = briefing
        .iter()
        .find(|row| row["kind"] == "verdict")
        .unwrap();
    assert_eq!(verdict["level"], "error");
}

/// Node modules and Chromium for [`a_browser_opens_the_report`]; `cargo dev test` provides them.
fn browser() -> Option<(PathBuf, PathBuf)> {
    let modules = std::env::var_os("MIXLINE_TEST_NODE").map(PathBuf::from);
    let chromium = std::env::var_os("MIXLINE_TEST_CHROMIUM").map(PathBuf::from);
    let found = modules.zip(chromium);
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must open the report in a browser"
        );
        eprintln!("skipped: no Chromium or no node; `cargo dev test` looks for them");
    }
    found
}

#[tokio::test]
async fn a_browser_opens_the_report() {
    let Some((modules, chromium)) = browser() else {
        return;
    };
    let project = fitted();
    crate::attribution::by_hand(&project).await;
    project.ok(&["run", "weekly_optimize"]);
    report(&project);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/page.mjs");
    let output = Command::new("node")
        .arg(script)
        .args([
            &modules,
            &chromium,
            &project.path().join("report.html"),
            &project.path().join("report.pdf"),
        ])
        .output()
        .expect("node runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let seen: Value = serde_json::from_str(text.trim())
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    for nothing in ["requests", "errors", "violations"] {
        assert_eq!(seen[nothing], serde_json::json!([]), "{nothing}: {seen}");
    }
    assert!(seen["figures"].as_u64() >= Some(21), "{seen}");
    assert_eq!(
        (&seen["wide"], &seen["narrow"]),
        (&1200.into(), &390.into()),
        "nothing sticks out"
    );
    let pages = seen["pages"].as_u64().unwrap_or(0);
    assert!((3..=25).contains(&pages), "{pages} printed pages");
}
