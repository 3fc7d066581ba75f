//! The fold: which of our events open and close which OpenLineage runs.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use mixline_schema::{Assertion, ColumnLineage, ErrorClass, OutputResult, Window};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::columns::Columns;
use super::dataset::DatasetNames;
use super::facets;
use crate::event::{Origin, ParentRun, RecordedEvent, ResolvedInput, RunEnd, RunEvent};

const SCHEMA_URL: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// Turns the events of runs into OpenLineage events. Feed it every event of a run from the first.
#[derive(Debug)]
pub struct Lineage {
    namespace: String,
    names: DatasetNames,
    runs: BTreeMap<String, OpenRun>,
}

/// What must be remembered of a run until it ends.
#[derive(Debug)]
struct OpenRun {
    dag: String,
    window: Option<Window>,
    origin: Origin,
    /// Task → what its step declares of its columns.
    columns: BTreeMap<String, Vec<ColumnLineage>>,
    /// Task → port → version it reads.
    inputs: BTreeMap<String, BTreeMap<String, ResolvedInput>>,
    attempts: BTreeMap<String, u32>,
    first_error: Option<String>,
}

/// How an OpenLineage run ends.
#[derive(Debug, Clone)]
enum End<'a> {
    Complete(&'a [OutputResult], Vec<Assertion>),
    Fail(&'a str, &'a [Assertion]),
    Abort(&'a str),
}

impl<'a> End<'a> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Complete(..) => "COMPLETE",
            Self::Fail(..) => "FAIL",
            Self::Abort(_) => "ABORT",
        }
    }

    fn error(&self) -> Option<&'a str> {
        match self {
            Self::Complete(..) => None,
            Self::Fail(error, _) | Self::Abort(error) => Some(error),
        }
    }

    fn outputs(&self) -> &'a [OutputResult] {
        match self {
            Self::Complete(outputs, _) => outputs,
            Self::Fail(..) | Self::Abort(_) => &[],
        }
    }

    fn checked(&self) -> &[Assertion] {
        match self {
            Self::Complete(_, checked) => checked,
            Self::Fail(_, checked) => checked,
            Self::Abort(_) => &[],
        }
    }
}

impl Lineage {
    /// For one scheduler namespace and one store.
    #[must_use]
    pub fn new(namespace: &str, store_url: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            names: DatasetNames::of_store(store_url),
            runs: BTreeMap::new(),
        }
    }

    /// The OpenLineage events that follow from one of ours, in order.
    pub fn apply(&mut self, recorded: &RecordedEvent) -> Vec<Value> {
        if let RunEvent::RunCreated { plan, origin, .. } = &recorded.event {
            let run = OpenRun {
                dag: plan.dag.clone(),
                window: plan.window,
                origin: (**origin).clone(),
                columns: plan
                    .tasks
                    .iter()
                    .map(|task| (task.name.clone(), task.columns.clone()))
                    .collect(),
                inputs: BTreeMap::new(),
                attempts: BTreeMap::new(),
                first_error: None,
            };
            let event = self.run_event(recorded, &run, "START", None);
            self.runs.insert(recorded.run_id.clone(), run);
            return vec![event];
        }
        // An unknown run began before this fold did; half a story helps nobody.
        let Some(mut run) = self.runs.remove(&recorded.run_id) else {
            return Vec::new();
        };
        let events = self.step(recorded, &mut run);
        if !matches!(recorded.event, RunEvent::RunFinished { .. }) {
            self.runs.insert(recorded.run_id.clone(), run);
        }
        events
    }

    fn step(&self, recorded: &RecordedEvent, run: &mut OpenRun) -> Vec<Value> {
        match &recorded.event {
            RunEvent::TaskQueued { task, inputs, .. } => {
                run.inputs.insert(task.clone(), inputs.clone());
                Vec::new()
            }
            RunEvent::AttemptStarted { task, attempt } => {
                run.attempts.insert(task.clone(), *attempt);
                vec![self.attempt_event(recorded, run, task, *attempt, None)]
            }
            RunEvent::TaskReused { task, outputs, .. } => {
                let end = End::Complete(outputs, Vec::new());
                vec![
                    self.attempt_event(recorded, run, task, 0, None),
                    self.attempt_event(recorded, run, task, 0, Some(end)),
                ]
            }
            RunEvent::AttemptSucceeded { task, result, .. } => {
                let end = End::Complete(&result.outputs, Assertion::among(&result.checks));
                self.close(recorded, run, task, end)
            }
            RunEvent::AttemptFailed {
                task,
                class: ErrorClass::Stopped,
                error,
                ..
            } => self.close(recorded, run, task, End::Abort(error)),
            RunEvent::AttemptFailed {
                task,
                error,
                assertions,
                ..
            } => {
                run.remember(task, error);
                self.close(recorded, run, task, End::Fail(error, assertions))
            }
            RunEvent::TaskFailed { task, error } => {
                run.remember(task, error);
                self.close(recorded, run, task, End::Fail(error, &[]))
            }
            RunEvent::AttemptLost { task, .. } => {
                let end = End::Abort("the process went away and left no result");
                self.close(recorded, run, task, end)
            }
            RunEvent::TaskSkipped { task, .. } => {
                self.close(recorded, run, task, End::Complete(&[], Vec::new()))
            }
            RunEvent::TaskCancelled { task } => {
                self.close(recorded, run, task, End::Abort("stopped on request"))
            }
            RunEvent::RunFinished { state } => self.finish(recorded, run, *state),
            RunEvent::RunCreated { .. }
            | RunEvent::TaskRetrying { .. }
            | RunEvent::RetryDue { .. }
            | RunEvent::TaskUpstreamFailed { .. }
            | RunEvent::CancelRequested => Vec::new(),
        }
    }

    /// Ends the open attempt of a task; nothing when none is open.
    fn close(
        &self,
        recorded: &RecordedEvent,
        run: &mut OpenRun,
        task: &str,
        end: End<'_>,
    ) -> Vec<Value> {
        run.attempts
            .remove(task)
            .map(|attempt| self.attempt_event(recorded, run, task, attempt, Some(end)))
            .into_iter()
            .collect()
    }

    fn finish(&self, recorded: &RecordedEvent, run: &mut OpenRun, state: RunEnd) -> Vec<Value> {
        let open: Vec<String> = run.attempts.keys().cloned().collect();
        let mut events: Vec<Value> = open
            .iter()
            .flat_map(|task| self.close(recorded, run, task, End::Abort("the run ended")))
            .collect();
        let failed = run.first_error.clone();
        let (kind, error) = match state {
            RunEnd::Succeeded => ("COMPLETE", None),
            RunEnd::Failed => (
                "FAIL",
                Some(failed.unwrap_or_else(|| "a task failed".into())),
            ),
            RunEnd::Cancelled => ("ABORT", Some("stopped on request".to_owned())),
        };
        events.push(self.run_event(recorded, run, kind, error.as_deref()));
        events
    }

    fn run_event(
        &self,
        recorded: &RecordedEvent,
        run: &OpenRun,
        kind: &str,
        error: Option<&str>,
    ) -> Value {
        let mut facets = run_facets(run.window, error);
        if let Some(parent) = &run.origin.parent {
            let root = run.origin.root.as_ref().unwrap_or(parent);
            facets.insert("parent".into(), facets::parent(parent, root));
        }
        let job = json!({
            "namespace": self.namespace,
            "name": run.dag,
            "facets": {"jobType": facets::job_type("DAG")},
        });
        envelope(
            recorded,
            kind,
            (&recorded.run_id, facets),
            job,
            (Vec::new(), Vec::new()),
        )
    }

    fn attempt_event(
        &self,
        recorded: &RecordedEvent,
        run: &OpenRun,
        task: &str,
        attempt: u32,
        end: Option<End<'_>>,
    ) -> Value {
        let kind = end.as_ref().map_or("START", End::kind);
        let checked = end.as_ref().map_or(&[][..], End::checked);
        let mut facets = run_facets(run.window, end.as_ref().and_then(End::error));
        let own: Vec<&Assertion> = checked.iter().filter(|a| a.artifact.is_none()).collect();
        if !own.is_empty() {
            facets.insert("test".into(), facets::tests(&own));
        }
        let parent = ParentRun {
            namespace: self.namespace.clone(),
            job: run.dag.clone(),
            run_id: recorded.run_id.clone(),
        };
        let known = run.origin.root.as_ref().or(run.origin.parent.as_ref());
        let root = known.unwrap_or(&parent);
        facets.insert("parent".into(), facets::parent(&parent, root));
        let job = json!({
            "namespace": self.namespace,
            "name": format!("{}.{task}", run.dag),
            "facets": {"jobType": facets::job_type("TASK")},
        });
        let read = run.inputs.get(task);
        let inputs = read.iter().flat_map(|ports| ports.values());
        let inputs = inputs
            .map(|input| self.names.input(input, checked))
            .collect();
        let written = end.as_ref().map_or(&[][..], End::outputs).iter();
        let outputs = written
            .map(|output| {
                let columns = self.column_lineage(run, task, output);
                self.names.output(output, columns)
            })
            .collect();
        let id = attempt_run_id(&recorded.run_id, task, attempt);
        envelope(recorded, kind, (&id, facets), job, (inputs, outputs))
    }
}

impl Lineage {
    /// What the columns of an output are made from; `None` when the inputs are not known, as with
    /// outputs that are reused.
    fn column_lineage(&self, run: &OpenRun, task: &str, output: &OutputResult) -> Option<Value> {
        let inputs = run.inputs.get(task)?;
        let artifacts = inputs
            .iter()
            .map(|(port, input)| (port.clone(), input.artifact.clone()))
            .collect();
        let declared = run.columns.get(task).map_or(&[][..], Vec::as_slice);
        let place = (output.port.as_str(), output.artifact.as_str());
        let columns = Columns::of_output(place, declared, &artifacts)?;
        Some(self.names.column_lineage(&columns, inputs))
    }
}

impl OpenRun {
    fn remember(&mut self, task: &str, error: &str) {
        self.first_error
            .get_or_insert_with(|| format!("task `{task}` failed: {error}"));
    }
}

fn run_facets(window: Option<Window>, error: Option<&str>) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("processing_engine".into(), facets::processing_engine());
    if let Some(window) = window {
        all.insert("nominalTime".into(), facets::nominal_time(window));
    }
    if let Some(error) = error {
        all.insert("errorMessage".into(), facets::error_message(error));
    }
    all
}

fn envelope(
    recorded: &RecordedEvent,
    kind: &str,
    (run_id, facets): (&str, Map<String, Value>),
    job: Value,
    (inputs, outputs): (Vec<Value>, Vec<Value>),
) -> Value {
    json!({
        "eventType": kind,
        "eventTime": recorded.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "run": {"runId": run_id, "facets": facets},
        "job": job,
        "inputs": inputs,
        "outputs": outputs,
        "producer": facets::PRODUCER,
        "schemaURL": SCHEMA_URL,
    })
}

/// The id of an attempt: a UUIDv7 with the run's instant and bits that follow from run, task and
/// attempt, so that the same attempt has the same id in every process.
fn attempt_run_id(run_id: &str, task: &str, attempt: u32) -> String {
    let hash = blake3::hash(format!("{run_id}\n{task}\n{attempt}").as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    if let Ok(run) = Uuid::parse_str(run_id) {
        bytes[..6].copy_from_slice(&run.as_bytes()[..6]);
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes).to_string()
}
