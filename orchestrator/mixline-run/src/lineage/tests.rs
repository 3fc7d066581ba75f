//! Conformance: every event against the core schema, every facet against its own, every run
//! against the run-cycle rules. The schemas are reference data beside the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use mixline_schema::{Digest, ErrorClass, OutputResult, StepResult, StepStatus, Window};
use serde_json::{Value, json};

use super::Lineage;
use crate::event::{RecordedEvent, ResolvedInput, RunEnd, RunEvent};

const SPEC: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/openlineage-spec"
);
const CORE: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
const RUN: &str = "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f";

/// The schemas, or `None` (with a line that says so) on a machine that has none. CI must have them.
fn spec() -> Option<PathBuf> {
    let path = PathBuf::from(SPEC);
    if path.is_dir() {
        return Some(path);
    }
    let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(
        !ci,
        "{SPEC} is missing, and CI must check OpenLineage conformance"
    );
    eprintln!("skipped: {SPEC} is missing");
    None
}

struct Offline(PathBuf);

impl Offline {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let rest = url
            .split('#')
            .next()
            .and_then(|url| url.strip_prefix("https://openlineage.io/spec/"))
            .ok_or_else(|| format!("{url} is not an OpenLineage schema"))?;
        Ok(serde_json::from_slice(&std::fs::read(
            self.0.join("published").join(rest),
        )?)?)
    }
}

impl jsonschema::Retrieve for Offline {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.load(uri.as_str())
    }
}

fn problems(spec: &Path, schema: &Value, instance: &Value) -> Vec<String> {
    let validator = jsonschema::options()
        .with_retriever(Offline(spec.to_owned()))
        .should_validate_formats(true)
        .build(schema)
        .expect("the schema builds");
    validator
        .iter_errors(instance)
        .map(|error| error.to_string())
        .collect()
}

/// Every `facets`, `inputFacets` and `outputFacets` object of an event.
fn facets(event: &Value) -> Vec<(String, Value)> {
    let mut holders = vec![&event["run"]["facets"], &event["job"]["facets"]];
    for dataset in ["inputs", "outputs"]
        .iter()
        .filter_map(|key| event[key].as_array())
        .flatten()
    {
        holders.extend([
            &dataset["facets"],
            &dataset["inputFacets"],
            &dataset["outputFacets"],
        ]);
    }
    let objects = holders.into_iter().filter_map(Value::as_object).flatten();
    objects
        .map(|(key, facet)| (key.clone(), facet.clone()))
        .collect()
}

fn assert_conforms(spec: &Path, event: &Value) {
    let offline = Offline(spec.to_owned());
    let core = offline.load(CORE).unwrap();
    assert_eq!(
        problems(spec, &core, event),
        Vec::<String>::new(),
        "{event:#}"
    );
    for (key, facet) in facets(event) {
        let url = facet["_schemaURL"]
            .as_str()
            .expect("every facet names its schema");
        let schema = offline.load(url).unwrap();
        let id = schema["$id"].as_str().unwrap();
        assert!(url.starts_with(id), "{key}: {url} is not {id}");
        assert!(
            schema["properties"].get(&key).is_some(),
            "{key} is not the key of {id}"
        );
        let wrapped = json!({ key.clone(): facet });
        assert_eq!(
            problems(spec, &schema, &wrapped),
            Vec::<String>::new(),
            "{key}: {wrapped:#}"
        );
    }
}

/// One START, one terminal event after it, the same job, time never backwards.
fn assert_run_cycles(events: &[Value]) {
    let mut runs: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        runs.entry(event["run"]["runId"].as_str().unwrap())
            .or_default()
            .push(event);
    }
    for (id, events) in runs {
        let kinds: Vec<_> = events
            .iter()
            .map(|e| e["eventType"].as_str().unwrap())
            .collect();
        assert_eq!((kinds.len(), kinds[0]), (2, "START"), "{id}: {kinds:?}");
        assert!(
            ["COMPLETE", "FAIL", "ABORT"].contains(&kinds[1]),
            "{id}: {kinds:?}"
        );
        assert_eq!(events[0]["job"]["name"], events[1]["job"]["name"]);
        assert!(events[0]["eventTime"].as_str() <= events[1]["eventTime"].as_str());
    }
}

fn plan() -> Box<mixline_plan::Plan> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let window = Window::new(at("2026-03-10T05:00:00Z"), at("2026-03-11T05:00:00Z")).unwrap();
    let plan = json!({"dag": "daily_ingest", "window": window, "seed": 0, "tasks": []});
    Box::new(serde_json::from_value(plan).expect("a plan without tasks is a plan"))
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
        checks: BTreeMap::new(),
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
    }
}

fn told(mut events: Vec<RunEvent>, end: RunEnd) -> Vec<Value> {
    events.insert(
        0,
        RunEvent::RunCreated {
            plan: plan(),
            trigger: "cli".into(),
            max_parallel: 1,
            pools: BTreeMap::new(),
            origin: Box::default(),
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
    let Some(spec) = spec() else { return };
    for event in stories().iter().flatten() {
        assert_conforms(&spec, event);
    }
}

#[test]
fn every_run_has_one_start_and_one_end() {
    for story in stories() {
        assert_run_cycles(&story);
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
fn the_checker_itself_refuses_the_upstream_events_that_are_invalid() {
    let Some(spec) = spec() else { return };
    let core = Offline(spec.clone()).load(CORE).unwrap();
    let event = |name: &str| -> Value {
        let path = spec.join("proxy/fluentd/events").join(name);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    assert!(problems(&spec, &core, &event("event_simple.json")).is_empty());
    assert!(!problems(&spec, &core, &event("event_no_run_id.json")).is_empty());
}
