//! What Mixline adds to a commit: where a version came from.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::RunRef;
use crate::digest::Digest;
use crate::window::Window;

/// How new rows meet the rows already there. Each mode is one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// The new rows become the whole table.
    Replace,
    /// The new rows are added.
    Append,
    /// Rows with the same key are replaced, others added.
    Upsert,
}

/// One input of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRef {
    /// Port name.
    pub port: String,
    /// Artifact name.
    pub artifact: String,
    /// Version read.
    pub version: u64,
    /// Content digest of that version.
    pub digest: Digest,
}

/// Where a version came from; stored in the `commitInfo` of its log entry under `mixline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Step name, or `mixline` for maintenance commits.
    pub step: String,
    /// Digest of the step's code (binary or image), or its declared version.
    pub code_version: String,
    /// Place in a run, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunRef>,
    /// What the execution was an execution of: see [`StepContext::slot`](crate::StepContext::slot).
    pub slot: String,
    /// The hash that decides reuse.
    pub fingerprint: Digest,
    /// Versions read.
    #[serde(default)]
    pub inputs: Vec<InputRef>,
    /// Data interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Random seed.
    #[serde(default)]
    pub seed: u64,
    /// Whether it was made although an earlier execution had done the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// When the commit was made.
    pub committed_at: DateTime<Utc>,
}
