//! The planner's values: what goes in, what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mixline_schema::{
    ColumnLineage, Digest, FingerprintInputs, OutputResult, Resources, StepDescriptor, Window,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::reason::Reason;

/// The steps that exist.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// Steps by name.
    pub steps: BTreeMap<String, StepEntry>,
    /// Task → its step, for tasks that run in an image of their own.
    pub tasks: BTreeMap<String, StepEntry>,
}

impl Catalogue {
    /// The step of a task.
    #[must_use]
    pub fn entry(&self, task: &str, step: &str) -> Option<&StepEntry> {
        self.tasks.get(task).or_else(|| self.steps.get(step))
    }
}

/// One step that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEntry {
    /// What it says of itself.
    pub descriptor: StepDescriptor,
    /// Digest of its binary or image.
    pub code: String,
    /// The image it is in; a binary when absent.
    pub image: Option<String>,
}

/// Which tasks run although nothing changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Force {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// These.
    Tasks(BTreeSet<String>),
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Data interval; `None` means everything there is.
    pub window: Option<Window>,
    /// Random seed.
    pub seed: u64,
    /// Only these tasks; all when empty.
    pub select: Vec<String>,
    /// Tasks that run although nothing changed.
    pub force: Force,
    /// Task → observed file → digest.
    pub observed: BTreeMap<String, BTreeMap<String, Digest>>,
}

/// The newest version of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Version.
    pub version: u64,
    /// Content digest.
    pub digest: Digest,
}

/// The newest commit of a slot in an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotCommit {
    /// Version.
    pub version: u64,
    /// Fingerprint of the execution.
    pub fingerprint: Digest,
    /// Content digest.
    pub digest: Digest,
    /// Rows in the whole table.
    pub rows: u64,
}

/// What is known of the past.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Artifact → newest version.
    pub heads: BTreeMap<String, Head>,
    /// (slot, artifact) → newest commit.
    pub slots: BTreeMap<(String, String), SlotCommit>,
    /// Slot → what its last execution was fingerprinted from; only for explanations.
    pub last: BTreeMap<String, FingerprintInputs>,
}

/// What would run, in an order that can be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// DAG name.
    pub dag: String,
    /// Data interval.
    pub window: Option<Window>,
    /// Random seed.
    pub seed: u64,
    /// Tasks, each after those it depends on; ties by name.
    pub tasks: Vec<PlannedTask>,
}

/// One task of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// Task name.
    pub name: String,
    /// Step name.
    pub step: String,
    /// Digest of the step's binary or image.
    pub code: String,
    /// Configuration as given.
    pub config: Value,
    /// Tasks it waits for.
    pub deps: Vec<String>,
    /// Port → where its rows come from.
    pub inputs: BTreeMap<String, PlannedInput>,
    /// What it writes.
    pub outputs: Vec<PlannedOutput>,
    /// Which input columns its output columns are made from, as far as the step declares it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnLineage>,
    /// What an execution of it is an execution of.
    pub slot: String,
    /// Data interval, when the step uses one.
    pub window: Option<Window>,
    /// Random seed.
    pub seed: u64,
    /// Observed file → digest.
    pub observed: BTreeMap<String, Digest>,
    /// Whether it runs, and why.
    pub verdict: Verdict,
    /// Tries after the first, for transient failures.
    pub retries: u32,
    /// Wait before the first retry.
    pub retry_delay: Duration,
    /// Longest time of one try.
    pub timeout: Option<Duration>,
    /// Pool whose slots it takes.
    pub pool: Option<String>,
    /// Whether its failure leaves the run successful.
    pub tolerated: bool,
    /// The image it runs in, of which `code` is the digest; a process when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What its container may use.
    #[serde(default)]
    pub resources: Resources,
}

impl PlannedTask {
    /// Whether an input is what the task itself writes: its memory of earlier runs.
    #[must_use]
    pub fn remembers(&self, port: &str) -> bool {
        let input = self.inputs.get(port);
        let written = |artifact: &str| self.outputs.iter().any(|o| o.artifact == artifact);
        input.is_some_and(|input| written(&input.artifact))
    }
}

/// Where a port's rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedInput {
    /// Artifact name.
    pub artifact: String,
    /// Schema version the port carries.
    pub schema_version: u32,
    /// Whether the step does without.
    pub optional: bool,
    /// Where from.
    pub from: Source,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What this task will have written.
    Task(String),
    /// A version that exists.
    Store {
        /// Version.
        version: u64,
        /// Content digest.
        digest: Digest,
    },
    /// Nothing: an optional input whose artifact does not exist.
    Absent,
}

/// One output of a planned task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOutput {
    /// Port name.
    pub port: String,
    /// Artifact written.
    pub artifact: String,
    /// Whether the step may leave it unwritten.
    pub optional: bool,
}

/// Whether a task runs, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// An earlier execution did the same work.
    Reuse {
        /// Its fingerprint.
        fingerprint: Digest,
        /// What it wrote.
        outputs: Vec<OutputResult>,
    },
    /// It runs.
    Run {
        /// Why.
        reasons: Vec<Reason>,
    },
}

impl Verdict {
    /// Whether the task runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        matches!(self, Self::Run { .. })
    }

    /// Whether the task runs because it was asked for.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        matches!(self, Self::Run { reasons } if reasons.contains(&Reason::Forced))
    }
}
