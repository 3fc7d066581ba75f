//! What can happen to a run. The events of a run, in order, are the run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mixline_plan::Plan;
use mixline_schema::{Assertion, Digest, ErrorClass, FingerprintInputs, OutputResult, StepResult};
use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Every task that is not tolerated came to a good end.
    Succeeded,
    /// A task that is not tolerated failed.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl RunEnd {
    /// The word used in the state database and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A run of a job elsewhere, as OpenLineage names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentRun {
    /// Namespace of the job.
    pub namespace: String,
    /// Job name.
    pub job: String,
    /// Run id, a UUID.
    pub run_id: String,
}

impl ParentRun {
    /// Reads `namespace/job/run-id`. Namespaces contain slashes, so it is split from the right;
    /// `None` when a part is empty or the id is no UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '/');
        let (run_id, job, namespace) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = !job.is_empty() && !namespace.is_empty();
        (whole && uuid::Uuid::parse_str(run_id).is_ok()).then(|| Self {
            namespace: namespace.to_owned(),
            job: job.to_owned(),
            run_id: run_id.to_owned(),
        })
    }
}

/// What a run is a part of: who started the orchestrator, as far as it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The run that started this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentRun>,
    /// The run at the top, when it is not the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<ParentRun>,
    /// W3C trace context of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// An input port bound to one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedInput {
    /// Artifact name.
    pub artifact: String,
    /// Version read.
    pub version: u64,
    /// Content digest of that version.
    pub digest: Digest,
}

/// One thing that happened to a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run exists; nothing has been decided.
    RunCreated {
        /// What is to be done.
        plan: Box<Plan>,
        /// Who asked: `cli`, `schedule`, `api`.
        trigger: String,
        /// Attempts that may run at once.
        max_parallel: usize,
        /// Pool name → slots.
        pools: BTreeMap<String, usize>,
        /// What the run is a part of.
        #[serde(default)]
        origin: Box<Origin>,
    },
    /// The inputs of a task are bound and it must run.
    TaskQueued {
        /// Task.
        task: String,
        /// Port → version to read; ports without a version are absent.
        inputs: BTreeMap<String, ResolvedInput>,
        /// What decides reuse.
        fingerprint: Digest,
        /// The document behind the fingerprint.
        document: Box<FingerprintInputs>,
        /// Why it runs, for people.
        reasons: Vec<String>,
    },
    /// An attempt is about to start. Recorded before the process exists, so that no process can
    /// exist without a record.
    AttemptStarted {
        /// Task.
        task: String,
        /// Try number, from 1.
        attempt: u32,
    },
    /// The outputs already exist under the same fingerprint.
    TaskReused {
        /// Task.
        task: String,
        /// What is reused.
        fingerprint: Digest,
        /// The outputs of the earlier execution.
        outputs: Vec<OutputResult>,
    },
    /// The attempt committed its outputs.
    AttemptSucceeded {
        /// Task.
        task: String,
        /// Try number.
        attempt: u32,
        /// What the step said.
        result: Box<StepResult>,
    },
    /// The attempt ended without success.
    AttemptFailed {
        /// Task.
        task: String,
        /// Try number.
        attempt: u32,
        /// What it means for retries.
        class: ErrorClass,
        /// Exit code of the process, when it had one.
        exit_code: Option<i32>,
        /// What the step or the executor said.
        error: String,
        /// The rules that the step had checked before it failed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assertions: Vec<Assertion>,
    },
    /// Nobody knows how the attempt ended: its process is gone and left no result.
    AttemptLost {
        /// Task.
        task: String,
        /// Try number.
        attempt: u32,
    },
    /// The policy grants another attempt.
    TaskRetrying {
        /// Task.
        task: String,
        /// Number of the attempt to come.
        attempt: u32,
        /// Not before this instant.
        due: DateTime<Utc>,
    },
    /// The wait before another attempt is over.
    RetryDue {
        /// Task.
        task: String,
    },
    /// Nothing to do (exit 99), or nothing to do it with.
    TaskSkipped {
        /// Task.
        task: String,
        /// Why, for people.
        reason: String,
    },
    /// The task could not be prepared; no attempt was made.
    TaskFailed {
        /// Task.
        task: String,
        /// Why, for people.
        error: String,
    },
    /// A task it needs failed.
    TaskUpstreamFailed {
        /// Task.
        task: String,
        /// The direct upstream task to blame.
        upstream: String,
    },
    /// Somebody asked to stop the run.
    CancelRequested,
    /// The task was stopped or never started, on request.
    TaskCancelled {
        /// Task.
        task: String,
    },
    /// Nothing is left to do.
    RunFinished {
        /// How it ended.
        state: RunEnd,
    },
}

impl RunEvent {
    /// The task the event is about, if it is about one.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match self {
            Self::RunCreated { .. } | Self::CancelRequested | Self::RunFinished { .. } => None,
            Self::TaskQueued { task, .. }
            | Self::AttemptStarted { task, .. }
            | Self::TaskReused { task, .. }
            | Self::AttemptSucceeded { task, .. }
            | Self::AttemptFailed { task, .. }
            | Self::AttemptLost { task, .. }
            | Self::TaskRetrying { task, .. }
            | Self::RetryDue { task }
            | Self::TaskSkipped { task, .. }
            | Self::TaskFailed { task, .. }
            | Self::TaskUpstreamFailed { task, .. }
            | Self::TaskCancelled { task } => Some(task),
        }
    }
}

/// An event with its place in the log of its run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// Run id (UUIDv7).
    pub run_id: String,
    /// Position in the run, from 0, without gaps.
    pub seq: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: RunEvent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_split_from_the_right() {
        let id = "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f";
        let parent = ParentRun::parse(&format!("https://airflow/prod/dag.task/{id}")).unwrap();
        assert_eq!(parent.namespace, "https://airflow/prod");
        assert_eq!(
            (parent.job.as_str(), parent.run_id.as_str()),
            ("dag.task", id)
        );
        for wrong in [
            "",
            id,
            "/",
            "job/x",
            "ns/job/42",
            &format!("job/{id}"),
            &format!("//{id}"),
        ] {
            assert_eq!(ParentRun::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn runs_recorded_before_origins_were_still_read() {
        let body = r#"{"type":"run_created","plan":{"dag":"d","window":null,"seed":0,"tasks":[]},
            "trigger":"cli","max_parallel":1,"pools":{}}"#;
        let RunEvent::RunCreated { origin, .. } = serde_json::from_str(body).unwrap() else {
            panic!("not a creation");
        };
        assert_eq!(*origin, Origin::default());
    }
}
