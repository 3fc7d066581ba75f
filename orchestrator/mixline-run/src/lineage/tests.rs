//! Conformance: every event against the core schema, every facet against its own, every run
//! against the run-cycle rules. The schemas are reference data beside the repository.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mixline_conformance::{Spec, cycle_problems};
use mixline_schema::{
    ASSERTIONS, Assertion, ColumnChange, ColumnLineage, Digest, ErrorClass, OutputResult,
    StepResult, StepStatus, Window,
};
use serde_json::{Value, json};

use super::Lineage;
use crate::event::{Origin, ParentRun, RecordedEvent, ResolvedInput, RunEnd, RunEvent};

const RUN: &str = "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f";

fn plan() -> Box<mixline_plan::Plan> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let window = Window::new(at("2026-03-10T05:00:00Z"), at("2026-03-11T05:00:00Z")).unwrap();
    let mut a = crate::fixture::task("a", &[]);
    a.columns = vec![ColumnLineage {
        column: "orders.revenue".into(),
        change: ColumnChange::Aggregation,
        from: vec!["media.spend".into()],
    }];
    Box::new(mixline_plan::Plan {
        dag: "daily_ingest".into(),
        window: Some(window),
        seed: 0,
        tasks: vec![a],
    })
}

fn output() -> OutputResult {
    OutputResult {
        port: "orders".into(),
        artifact: "orders".into(),
        version: 3,
        rows: 12,
        digest: Digest::of_bytes(b"orders"),
    }
}

fn result() -> Box<StepResult> {
    Box::new(StepResult {
        status: StepStatus::Succeeded,
        step: "step-x".into(),
        outputs: vec![output()],
        fingerprint: None,
        seconds: 1.0,
        peak_rss_mib: 1.0,
        checks: BTreeMap::from([(
            ASSERTIONS.to_owned(),
            json!([
                {"artifact": "media_daily", "assertion": "spend.spike", "success": true},
                {"assertion": "r_hat", "success": true, "actual": "1.002"},
            ]),
        )]),
        error: None,
    })
}

fn queued(task: &str) -> RunEvent {
    let digest = Digest::of_bytes(b"media");
    let input = ResolvedInput {
        artifact: "media_daily".into(),
        version: 0,
        digest,
    };
    let document = json!({
        "step": "step-x", "code_version": "1", "config": {}, "inputs": {}, "observed": {}, "seed": 0,
    });
    RunEvent::TaskQueued {
        task: task.into(),
        inputs: BTreeMap::from([("media".to_owned(), input)]),
        fingerprint: Digest::of_bytes(b"fingerprint"),
        document: Box::new(serde_json::from_value(document).unwrap()),
        reasons: vec![],
    }
}

fn started(task: &str, attempt: u32) -> RunEvent {
    RunEvent::AttemptStarted {
        task: task.into(),
        attempt,
    }
}

fn failed(task: &str, attempt: u32) -> RunEvent {
    RunEvent::AttemptFailed {
        task: task.into(),
        attempt,
        class: ErrorClass::Data,
        exit_code: Some(65),
        error: "row 3 has no date".into(),
        assertions: vec![Assertion {
            artifact: Some("media_daily".into()),
            assertion: "spend.negative".into(),
            success: false,
            severity: Some("error".into()),
            actual: Some("3 findings".into()),
        }],
    }
}

fn told(events: Vec<RunEvent>, end: RunEnd) -> Vec<Value> {
    told_of(Origin::default(), events, end)
}

fn told_of(origin: Origin, mut events: Vec<RunEvent>, end: RunEnd) -> Vec<Value> {
    events.insert(
        0,
        RunEvent::RunCreated {
            plan: plan(),
            trigger: "cli".into(),
            max_parallel: 1,
            pools: BTreeMap::new(),
            origin: Box::new(origin),
        },
    );
    events.push(RunEvent::RunFinished { state: end });
    let mut lineage = Lineage::new("mixline-test", "s3://acme/artifacts");
    let start: DateTime<Utc> = "2026-03-11T05:00:00Z".parse().unwrap();
    let recorded = events
        .into_iter()
        .zip(0u64..)
        .map(|(event, seq)| RecordedEvent {
            run_id: RUN.into(),
            seq,
            at: start + chrono::TimeDelta::seconds(i64::try_from(seq).unwrap()),
            event,
        });
    recorded
        .flat_map(|recorded| lineage.apply(&recorded))
        .collect()
}

fn stories() -> Vec<Vec<Value>> {
    let succeeded = |task: &str, attempt| RunEvent::AttemptSucceeded {
        task: task.into(),
        attempt,
        result: result(),
    };
    let reused = RunEvent::TaskReused {
        task: "check".into(),
        fingerprint: Digest::of_bytes(b"f"),
        outputs: vec![output()],
    };
    vec![
        told(
            vec![queued("a"), started("a", 1), succeeded("a", 1), reused],
            RunEnd::Succeeded,
        ),
        told(
            vec![
                queued("a"),
                started("a", 1),
                failed("a", 1),
                started("a", 2),
                succeeded("a", 2),
            ],
            RunEnd::Succeeded,
        ),
        told(
            vec![queued("a"), started("a", 1), failed("a", 1)],
            RunEnd::Failed,
        ),
        told(
            vec![
                queued("a"),
                started("a", 1),
                RunEvent::TaskCancelled { task: "a".into() },
            ],
            RunEnd::Cancelled,
        ),
        told(vec![started("a", 1)], RunEnd::Cancelled),
    ]
}

#[test]
fn every_event_and_facet_conforms_to_its_published_schema() {
    let Some(spec) = Spec::open() else { return };
    for event in stories().iter().flatten() {
        assert_eq!(
            spec.strict_problems(event),
            Vec::<String>::new(),
            "{event:#}"
        );
    }
}

#[test]
fn every_run_has_one_start_and_one_end() {
    for story in stories() {
        assert_eq!(cycle_problems(&story), Vec::<String>::new());
    }
}

#[test]
fn attempts_point_to_the_run_of_the_dag_and_failures_say_why() {
    let story = &stories()[2];
    let failure = &story[2];
    assert_eq!(failure["eventType"], "FAIL");
    assert_eq!(failure["job"]["name"], "daily_ingest.a");
    assert_eq!(
        failure["run"]["facets"]["parent"]["root"]["run"]["runId"],
        RUN
    );
    assert_eq!(
        failure["run"]["facets"]["errorMessage"]["message"],
        "row 3 has no date"
    );
    assert_eq!(failure["inputs"][0]["name"], "artifacts/media_daily");
    assert_eq!(story[3]["eventType"], "FAIL");
}

#[test]
fn columns_and_assertions_are_told_where_they_belong() {
    let story = &stories()[0];
    let start = &story[1];
    assert_eq!(start["inputs"][0]["inputFacets"], json!({}));
    let complete = &story[2];
    let columns = &complete["outputs"][0]["facets"]["columnLineage"];
    let from = &columns["fields"]["revenue"]["inputFields"][0];
    assert_eq!(
        (&from["name"], &from["field"]),
        (&json!("artifacts/media_daily"), &json!("spend"))
    );
    assert_eq!(from["transformations"][0]["subtype"], "AGGREGATION");
    assert_eq!(
        columns["dataset"][0]["transformations"][0]["type"],
        "INDIRECT"
    );
    let checked = &complete["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"];
    assert_eq!(checked[0]["assertion"], "spend.spike");
    assert_eq!(
        complete["run"]["facets"]["test"]["tests"][0]["status"],
        "pass"
    );
    let failure = &stories()[2][2];
    let checked = &failure["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"];
    assert_eq!(checked[0]["success"], json!(false));
}

#[test]
fn a_run_that_was_started_by_another_joins_it() {
    let parent = ParentRun {
        namespace: "https://airflow/prod".into(),
        job: "mixline.daily".into(),
        run_id: "0198c0de-0000-7abc-9123-0a1b2c3d4e5f".into(),
    };
    let root = ParentRun {
        job: "mixline".into(),
        run_id: "0198c0de-1111-7abc-9123-0a1b2c3d4e5f".into(),
        ..parent.clone()
    };
    let origin = Origin {
        parent: Some(parent.clone()),
        root: Some(root.clone()),
        traceparent: None,
    };
    let story = told_of(
        origin,
        vec![queued("a"), started("a", 1)],
        RunEnd::Cancelled,
    );
    let of_run = &story[0]["run"]["facets"]["parent"];
    assert_eq!(of_run["run"]["runId"], json!(parent.run_id));
    assert_eq!(of_run["root"]["run"]["runId"], json!(root.run_id));
    let of_attempt = &story[1]["run"]["facets"]["parent"];
    assert_eq!(of_attempt["run"]["runId"], RUN);
    assert_eq!(of_attempt["root"]["run"]["runId"], json!(root.run_id));
    let Some(spec) = Spec::open() else { return };
    for event in &story {
        assert_eq!(
            spec.strict_problems(event),
            Vec::<String>::new(),
            "{event:#}"
        );
    }
}
