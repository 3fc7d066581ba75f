//! Lineage of the three pipelines: every event conforms, servers miss nothing, columns lead back.

use std::collections::BTreeSet;
use std::time::Duration;

use mixline_conformance::{Answer, Receiver, Spec, cycle_problems};
use serde_json::Value;

use crate::support::Project;

const PARENT: &str = "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f";

/// `mixline` with lineage to a file.
fn told(project: &Project, args: &[&str]) -> std::process::Output {
    project
        .mixline(args)
        .env("OPENLINEAGE__TRANSPORT__TYPE", "file")
        .env("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", "events.ndjson")
        .env("OPENLINEAGE_NAMESPACE", "mixline-it")
        .env(
            "OPENLINEAGE_PARENT_ID",
            format!("airflow/prod/morning/{PARENT}"),
        )
        .output()
        .expect("mixline starts")
}

fn events(project: &Project) -> Vec<Value> {
    let text = std::fs::read_to_string(project.path().join("events.ndjson")).expect("events");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("one document a line"))
        .collect()
}

fn of_job<'a>(events: &'a [Value], job: &str, kind: &str) -> Vec<&'a Value> {
    let wanted = |event: &&Value| event["job"]["name"] == job && event["eventType"] == kind;
    events.iter().filter(wanted).collect()
}

fn document(project: &Project, args: &[&str]) -> Value {
    serde_json::from_str(project.ok(&[args, &["--json"]].concat()).trim()).expect("a document")
}

/// `artifact.column` of everything in a tree of columns.
fn columns(node: &Value, all: &mut BTreeSet<String>) {
    let text = |key: &str| node[key].as_str().unwrap_or("*").to_owned();
    all.insert(format!("{}.{}", text("artifact"), text("column")));
    for below in node["below"].as_array().into_iter().flatten() {
        columns(below, all);
    }
}

#[test]
fn every_event_of_the_three_pipelines_conforms_and_columns_lead_back_to_the_exports() {
    let project = Project::initialized();
    let days = ["--set", "days=500", "--seed", "3"];
    project.ok(&[&["step", "run", "step-synthesize", "--"][..], &days].concat());
    for dag in [
        "daily_ingest",
        "weekly_retrain",
        "weekly_optimize",
        "daily_ingest",
    ] {
        assert!(told(&project, &["run", dag]).status.success(), "{dag}");
    }
    let events = events(&project);
    assert_eq!(cycle_problems(&events), Vec::<String>::new());
    for dag in ["daily_ingest", "weekly_retrain", "weekly_optimize"] {
        for run in of_job(&events, dag, "COMPLETE") {
            assert_eq!(run["run"]["facets"]["parent"]["run"]["runId"], PARENT);
            assert_eq!(run["job"]["namespace"], "mixline-it");
        }
    }
    let check = of_job(&events, "daily_ingest.check", "COMPLETE")[0];
    let media = check["inputs"].as_array().expect("inputs").iter();
    let checked: Vec<_> = media
        .filter(|i| i["inputFacets"]["dataQualityAssertions"].is_object())
        .collect();
    assert!(!checked.is_empty(), "{check:#}");
    let diagnose = of_job(&events, "weekly_retrain.diagnose", "COMPLETE")[0];
    assert!(
        diagnose["run"]["facets"]["test"]["tests"]
            .as_array()
            .is_some_and(|t| t.len() > 3)
    );
    let measure = of_job(&events, "daily_ingest.measure", "COMPLETE")[0];
    let roas = &measure["outputs"][0]["facets"]["columnLineage"]["fields"]["roas"]["inputFields"];
    assert_eq!(roas.as_array().map(Vec::len), Some(2), "{roas:#}");
    if let Some(spec) = Spec::open() {
        for event in &events {
            assert_eq!(
                spec.strict_problems(event),
                Vec::<String>::new(),
                "{event:#}"
            );
        }
    }

    let mut up = BTreeSet::new();
    columns(
        &document(&project, &["lineage", "unified_daily_metrics.roas"]),
        &mut up,
    );
    for column in [
        "attribution_events.revenue",
        "media_daily.spend",
        "orders.revenue",
    ] {
        assert!(up.contains(column), "{up:?}");
    }
    let mut down = BTreeSet::new();
    columns(
        &document(&project, &["lineage", "media_daily.spend", "--down"]),
        &mut down,
    );
    for column in [
        "unified_daily_metrics.mer",
        "attribution_events.credit",
        "mmm_results.roas",
    ] {
        assert!(down.contains(column), "{down:?}");
    }
    assert!(!down.contains("unified_daily_metrics.clicks"), "{down:?}");
    let unknown = project.output(&["lineage", "orders.nonsense"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_check_that_stops_a_run_says_which_rule_on_which_table() {
    let project = Project::initialized();
    project.ok(&["step", "run", "step-synthesize", "--", "--set", "days=60"]);
    project.dag(
        "strict",
        "name = \"strict\"\n\
         [tasks.ingest]\nstep = \"step-ingest\"\n\
         [tasks.ingest.config]\nsources = \"sources\"\ndata = \"data/raw\"\n\
         [tasks.check]\nstep = \"step-check\"\n\
         [tasks.check.config]\nfew_days = 90\nseverity = { \"rows.few\" = \"error\" }\n",
    );
    assert_eq!(told(&project, &["run", "strict"]).status.code(), Some(1));
    let events = events(&project);
    assert_eq!(cycle_problems(&events), Vec::<String>::new());
    let failure = of_job(&events, "strict.check", "FAIL")[0];
    let broken = failure["inputs"]
        .as_array()
        .expect("inputs")
        .iter()
        .flat_map(|input| {
            let rules = &input["inputFacets"]["dataQualityAssertions"]["assertions"];
            rules
                .as_array()
                .into_iter()
                .flatten()
                .filter(|rule| rule["success"] == false)
        });
    let broken: Vec<&Value> = broken.collect();
    let few = broken.iter().find(|rule| rule["assertion"] == "rows.few");
    assert_eq!(
        few.expect("the rule that failed")["severity"],
        "error",
        "{broken:?}"
    );
    if let Some(spec) = Spec::open() {
        for event in &events {
            assert_eq!(
                spec.strict_problems(event),
                Vec::<String>::new(),
                "{event:#}"
            );
        }
    }
}

#[test]
fn two_files_are_both_written() {
    let project = Project::empty();
    let file = project.path().join("mixline.toml");
    let config = std::fs::read_to_string(&file).expect("reads");
    let own = format!("openlineage_file = \"own.ndjson\"\n{config}");
    std::fs::write(&file, own).expect("writes");
    project.dag("one", "name = \"one\"\n[tasks.one]\nstep = \"step-noop\"\n");
    let ran = told(&project, &["run", "one"]);
    assert!(ran.status.success(), "{ran:?}");
    let of_variable = events(&project);
    assert_eq!(of_job(&of_variable, "one", "COMPLETE").len(), 1);
    let of_project = std::fs::read_to_string(project.path().join("own.ndjson")).expect("events");
    assert_eq!(of_project.lines().count(), of_variable.len());
}

/// Two steps that take a moment.
const SLOW: &str = "name = \"slow\"\n\
    [tasks.one]\nstep = \"step-noop\"\n[tasks.one.outputs]\nout = \"one\"\n\
    [tasks.one.config]\nsleep_ms = 1500\n\
    [tasks.two]\nstep = \"step-noop\"\nafter = [\"one\"]\n[tasks.two.outputs]\nout = \"two\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_that_is_killed_while_the_server_is_away_loses_no_event() {
    let project = Project::empty();
    project.dag("slow", SLOW);
    let receiver = Receiver::start([Answer::Refuse(503), Answer::Drop]).await;
    // Nobody listens on port 9 while the run begins.
    let mut run = project
        .mixline(&["run", "slow"])
        .env("OPENLINEAGE_URL", "http://127.0.0.1:9")
        .spawn()
        .expect("mixline starts");
    let log = project.path().join(".mixline/logs");
    while !log.is_dir() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    run.kill().expect("a running process");
    run.wait().expect("its end");
    let url = receiver.url();
    let after = tokio::task::spawn_blocking(move || {
        let resume = project
            .mixline(&["resume"])
            .env("OPENLINEAGE_URL", url)
            .output();
        (resume.expect("mixline starts"), project)
    });
    let (resumed, project) = after.await.expect("no panic");
    assert!(resumed.status.success(), "{resumed:?}");
    let told: Vec<Value> = receiver
        .taken()
        .into_iter()
        .map(|(_, event)| event)
        .collect();
    assert_eq!(cycle_problems(&told), Vec::<String>::new());
    assert_eq!(of_job(&told, "slow", "COMPLETE").len(), 1);
    assert_eq!(of_job(&told, "slow.two", "COMPLETE").len(), 1, "{told:#?}");
    let doctor = document(&project, &["doctor"]);
    assert!(
        doctor.to_string().contains("everybody has been told"),
        "{doctor:#}"
    );
}
