//! What a step says of itself, and what it says when it is done.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::commit::WriteMode;
use crate::digest::Digest;
use crate::lineage::ColumnLineage;

/// A named, typed input or output of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Port name.
    pub name: String,
    /// Artifact it carries.
    pub artifact: String,
    /// Schema version it carries.
    pub schema_version: u32,
    /// An optional input may have no version yet; an optional output may stay unwritten.
    #[serde(default)]
    pub optional: bool,
    /// How an output meets the rows already there; absent on inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<WriteMode>,
    /// One line of meaning.
    #[serde(default)]
    pub doc: String,
}

/// What an execution asks of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Processor cores it can use.
    pub cores: f64,
    /// Memory it needs, in MiB.
    pub memory_mib: u64,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            cores: 1.0,
            memory_mib: 512,
        }
    }
}

/// What `step-x describe` prints: all that a planner needs to know of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDescriptor {
    /// Step name, `step-<verb>`.
    pub name: String,
    /// One line of meaning.
    pub about: String,
    /// Code version: the release, for people. Reuse is decided by the digest of the binary.
    pub code_version: String,
    /// Inputs.
    pub inputs: Vec<Port>,
    /// Outputs.
    pub outputs: Vec<Port>,
    /// Which input columns the output columns are made from, as far as it is declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnLineage>,
    /// JSON Schema of the configuration.
    pub config_schema: serde_json::Value,
    /// Names of configuration keys that hold paths of files or folders the step reads from
    /// outside the store. Their content is part of the fingerprint.
    #[serde(default)]
    pub observes: Vec<String>,
    /// Whether the window changes the result.
    #[serde(default)]
    pub windowed: bool,
    /// What an execution asks of the machine.
    #[serde(default)]
    pub resources: Resources,
    /// Exit code → meaning.
    pub exit_codes: BTreeMap<u8, String>,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Outputs committed (or found unchanged).
    Succeeded,
    /// An earlier execution with the same fingerprint had committed them.
    Reused,
    /// Nothing to do in this window.
    Skipped,
    /// It failed; see the exit code and `error`.
    Failed,
}

/// One committed output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputResult {
    /// Port name.
    pub port: String,
    /// Artifact name.
    pub artifact: String,
    /// Committed version.
    pub version: u64,
    /// Rows in the whole table at that version.
    pub rows: u64,
    /// Content digest of that version.
    #[schemars(with = "String")]
    pub digest: Digest,
}

/// The last line of a step's standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepResult {
    /// How it ended.
    pub status: StepStatus,
    /// Step name.
    pub step: String,
    /// Outputs, in port order.
    pub outputs: Vec<OutputResult>,
    /// Fingerprint of the execution.
    #[schemars(with = "Option<String>")]
    pub fingerprint: Option<Digest>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Peak resident memory in MiB.
    pub peak_rss_mib: f64,
    /// Named numbers worth a line in the run's summary (rows read, findings by severity).
    #[serde(default)]
    pub checks: BTreeMap<String, serde_json::Value>,
    /// The error chain, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
