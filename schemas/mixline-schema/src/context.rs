//! What a caller tells a step: the context document behind `MIXLINE_CONTEXT`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::artifact_name_is_valid;
use crate::digest::Digest;
use crate::window::Window;

/// Which version of an artifact is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selector {
    /// The newest version.
    Head,
    /// This version.
    Version(u64),
    /// The version an alias points to.
    Alias(String),
}

/// A reference to an artifact version: `name`, `name@3` or `name@champion`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactRef {
    /// Artifact name.
    pub name: String,
    /// Which version.
    pub selector: Selector,
}

/// The text is not an artifact reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an artifact reference; write `name`, `name@3` or `name@alias`")]
pub struct ArtifactRefError(String);

impl ArtifactRef {
    /// A reference to the newest version.
    #[must_use]
    pub fn head(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            selector: Selector::Head,
        }
    }

    /// A reference to one version.
    #[must_use]
    pub fn at(name: &str, version: u64) -> Self {
        Self {
            name: name.to_owned(),
            selector: Selector::Version(version),
        }
    }
}

impl FromStr for ArtifactRef {
    type Err = ArtifactRefError;
    fn from_str(text: &str) -> Result<Self, ArtifactRefError> {
        let (name, selector) = match text.split_once('@') {
            None => (text, Selector::Head),
            Some((name, version)) => match version.parse() {
                Ok(number) => (name, Selector::Version(number)),
                Err(_) if artifact_name_is_valid(version) => {
                    (name, Selector::Alias(version.to_owned()))
                }
                Err(_) => return Err(ArtifactRefError(text.to_owned())),
            },
        };
        if artifact_name_is_valid(name) {
            Ok(Self {
                name: name.to_owned(),
                selector,
            })
        } else {
            Err(ArtifactRefError(text.to_owned()))
        }
    }
}

impl fmt::Display for ArtifactRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            Selector::Head => f.write_str(&self.name),
            Selector::Version(version) => write!(f, "{}@{version}", self.name),
            Selector::Alias(alias) => write!(f, "{}@{alias}", self.name),
        }
    }
}

impl TryFrom<String> for ArtifactRef {
    type Error = ArtifactRefError;
    fn try_from(text: String) -> Result<Self, ArtifactRefError> {
        text.parse()
    }
}

impl From<ArtifactRef> for String {
    fn from(reference: ArtifactRef) -> Self {
        reference.to_string()
    }
}

impl JsonSchema for ArtifactRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ArtifactRef".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`name`, `name@3` or `name@alias`",
            "pattern": "^[a-z][a-z0-9_]*(@[a-z0-9_]+)?$"
        })
    }
}

/// Who is calling: the place of this execution in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// Run id (UUIDv7 from Mixline; Airflow's run id from Airflow).
    pub run_id: String,
    /// DAG name.
    pub dag: String,
    /// Task name.
    pub task: String,
    /// Try number, from 1.
    pub attempt: u32,
}

/// Everything a step needs to run once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepContext {
    /// Store URL: a path, `memory:`, `s3://…`, `gs://…`, `az://…`.
    pub store: String,
    /// Place in a run; absent when a person runs the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunRef>,
    /// Port → artifact version to read.
    #[serde(default)]
    pub inputs: BTreeMap<String, ArtifactRef>,
    /// Port → artifact name to write, where it differs from the declared one.
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    /// The step's configuration.
    #[serde(default)]
    pub config: serde_json::Value,
    /// The data interval; absent means everything there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Random seed.
    #[serde(default)]
    pub seed: u64,
    /// The fingerprint the planner computed; the step computes it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub fingerprint: Option<Digest>,
    /// Run although an earlier execution with this fingerprint has committed its outputs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

impl StepContext {
    /// The slot: what this execution is an execution *of*, whatever the inputs.
    ///
    /// The newest commit of a slot in an artifact's log is the one a fingerprint is compared
    /// with: `dag.task` in a run, the step's name outside, plus the window.
    #[must_use]
    pub fn slot(&self, step: &str) -> String {
        let place = match &self.run {
            Some(run) => format!("{}.{}", run.dag, run.task),
            None => step.to_owned(),
        };
        match self.window {
            Some(window) => format!("{place} {window}"),
            None => place,
        }
    }
}
