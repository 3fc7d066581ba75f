//! A pipeline file: tasks, their steps, and when they run.
//!
//! Edges follow from artifact names; `after` adds those that no table asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use mixline_schema::{ArtifactRef, artifact_name_is_valid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;
use crate::error::PlanError;
use crate::schedule::{Schedule, ScheduleFile};

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dag {
    /// File it was read from, for messages.
    pub file: String,
    /// Name; runs, slots and lineage carry it.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// Tasks by name.
    pub tasks: BTreeMap<String, Task>,
}

/// What runs the attempts of a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutorKind {
    /// A local process.
    #[default]
    Process,
    /// A container of a Docker engine.
    Container,
}

/// One use of a step in a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// Step name, `step-<verb>`.
    pub step: String,
    /// The step's configuration.
    pub config: Value,
    /// Tasks that must come before, besides those whose tables are read.
    pub after: Vec<String>,
    /// Port → artifact version to read instead of the declared artifact's newest.
    pub inputs: BTreeMap<String, ArtifactRef>,
    /// Port → artifact to write instead of the declared one.
    pub outputs: BTreeMap<String, String>,
    /// Tries after the first, for transient failures.
    pub retries: u32,
    /// Wait before the first retry; doubles with each.
    pub retry_delay: Duration,
    /// Longest time of one try.
    pub timeout: Option<Duration>,
    /// Pool whose slots it takes.
    pub pool: Option<String>,
    /// Whether its failure leaves the run successful.
    pub tolerated: bool,
    /// What runs it; the project's choice when absent.
    pub executor: Option<ExecutorKind>,
    /// Image to run it in, instead of the project's image of the step.
    pub image: Option<String>,
    /// Processor cores, instead of what the step asks for.
    pub cores: Option<f64>,
    /// Memory in MiB, instead of what the step asks for.
    pub memory_mib: Option<u64>,
}

/// A DAG file (`dags/*.toml`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Dag")]
struct DagFile {
    /// Name of the pipeline: lower-case words joined by `_`.
    name: String,
    /// One line for people.
    #[serde(default)]
    description: String,
    /// When it runs by itself.
    schedule: Option<ScheduleFile>,
    /// What every task takes unless it says otherwise.
    #[serde(default)]
    defaults: Defaults,
    /// Tasks by name.
    #[serde(default)]
    tasks: BTreeMap<String, TaskFile>,
}

/// What every task takes unless it says otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Defaults {
    /// Tries after the first, for transient failures.
    retries: Option<u32>,
    /// Wait before the first retry, for example `10s`; doubles with each.
    #[serde(deserialize_with = "duration::optional")]
    #[schemars(with = "Option<String>")]
    retry_delay: Option<Duration>,
    /// Longest time of one try, for example `10m`.
    #[serde(deserialize_with = "duration::optional")]
    #[schemars(with = "Option<String>")]
    timeout: Option<Duration>,
    /// Pool whose slots it takes.
    pool: Option<String>,
}

/// One use of a step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskFile {
    /// Step name, `step-<verb>`.
    step: String,
    /// The step's configuration; its schema is in `step describe`.
    #[serde(default)]
    config: BTreeMap<String, Value>,
    /// Tasks that must come before, besides those whose tables are read.
    #[serde(default)]
    after: Vec<String>,
    /// Port → artifact to read instead of the declared one: `name`, `name@3`, `name@alias`.
    #[serde(default)]
    inputs: BTreeMap<String, ArtifactRef>,
    /// Port → artifact to write instead of the declared one.
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    /// Tries after the first, for transient failures.
    retries: Option<u32>,
    /// Wait before the first retry, for example `10s`.
    #[serde(default, deserialize_with = "duration::optional")]
    #[schemars(with = "Option<String>")]
    retry_delay: Option<Duration>,
    /// Longest time of one try, for example `10m`.
    #[serde(default, deserialize_with = "duration::optional")]
    #[schemars(with = "Option<String>")]
    timeout: Option<Duration>,
    /// Pool whose slots it takes.
    pool: Option<String>,
    /// Whether its failure leaves the run successful.
    #[serde(default)]
    tolerated: bool,
    /// What runs it, `process` or `container`; the project's choice when absent.
    executor: Option<ExecutorKind>,
    /// Image to run it in, instead of the project's image of the step. Implies `container`.
    image: Option<String>,
    /// Most processor cores of its container, instead of what the step asks for.
    cores: Option<f64>,
    /// Most memory of its container in MiB, instead of what the step asks for.
    memory_mib: Option<u64>,
}

/// The JSON Schema of a DAG file.
#[must_use]
pub fn dag_schema() -> Value {
    schemars::schema_for!(DagFile).to_value()
}

impl Dag {
    /// Reads a DAG file. `file` is named in errors.
    ///
    /// # Errors
    /// Everything wrong with the file itself: syntax, unknown keys, names, schedule, `after`.
    pub fn parse(toml: &str, file: &str) -> Result<Self, Vec<PlanError>> {
        let read: DagFile = deserialize(toml, file).map_err(|error| vec![error])?;
        let mut errors = Vec::new();
        let mut bad_name = |path: String, name: &str| {
            if !artifact_name_is_valid(name) {
                let message = format!("`{name}` is not a name: use lower-case words joined by `_`");
                errors.push(PlanError::new(file, path, "dag.name", message));
            }
        };
        bad_name("name".into(), &read.name);
        for (name, task) in &read.tasks {
            bad_name(format!("tasks.{name}"), name);
            for (port, artifact) in &task.outputs {
                bad_name(format!("tasks.{name}.outputs.{port}"), artifact);
            }
        }
        for (name, task) in &read.tasks {
            errors.extend(task.place_errors(name, file));
        }
        if read.tasks.is_empty() {
            errors.push(PlanError::new(file, "tasks", "dag.empty", "has no tasks"));
        }
        let schedule = read
            .schedule
            .map(|schedule| Schedule::from_file(schedule, file));
        let schedule = schedule.transpose().unwrap_or_else(|found| {
            errors.extend(found);
            None
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        let defaults = read.defaults;
        let tasks = read
            .tasks
            .into_iter()
            .map(|(name, task)| (name, task.finish(&defaults)))
            .collect();
        let file = file.to_owned();
        Ok(Self {
            file,
            name: read.name,
            description: read.description,
            schedule,
            tasks,
        })
    }
}

impl TaskFile {
    /// What is wrong with where the task is to run and what it may use there.
    fn place_errors(&self, name: &str, file: &str) -> Vec<PlanError> {
        let error = |key: &str, message: &str| {
            PlanError::new(file, format!("tasks.{name}.{key}"), "task.place", message)
        };
        let mut errors = Vec::new();
        if self.image.is_some() && self.executor == Some(ExecutorKind::Process) {
            errors.push(error("image", "is set, but `executor` says `process`"));
        }
        if self
            .cores
            .is_some_and(|cores| !(cores > 0.0 && cores.is_finite()))
        {
            errors.push(error("cores", "must be above 0"));
        }
        if self.memory_mib.is_some_and(|memory| memory < 16) {
            errors.push(error("memory_mib", "must be at least 16"));
        }
        errors
    }

    fn finish(self, defaults: &Defaults) -> Task {
        Task {
            step: self.step,
            config: Value::Object(self.config.into_iter().collect()),
            after: self.after,
            inputs: self.inputs,
            outputs: self.outputs,
            retries: self.retries.or(defaults.retries).unwrap_or(0),
            retry_delay: self
                .retry_delay
                .or(defaults.retry_delay)
                .unwrap_or(Duration::from_secs(10)),
            timeout: self.timeout.or(defaults.timeout),
            pool: self.pool.or_else(|| defaults.pool.clone()),
            tolerated: self.tolerated,
            executor: self.executor,
            image: self.image,
            cores: self.cores,
            memory_mib: self.memory_mib,
        }
    }
}

fn deserialize(toml: &str, file: &str) -> Result<DagFile, PlanError> {
    let parsed = toml::de::Deserializer::parse(toml)
        .map_err(|e| PlanError::new(file, line_of(toml, e.span()), "dag.syntax", e.message()))?;
    serde_path_to_error::deserialize(parsed).map_err(|e| {
        let path = e.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let error = e.into_inner();
        let line = line_of(toml, error.span());
        let place = [line, path]
            .into_iter()
            .filter(|p| !p.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        PlanError::new(file, place, "dag.field", error.message())
    })
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let Some(before) = span.and_then(|s| text.get(..s.start)) else {
        return String::new();
    };
    format!("line {}", before.matches('\n').count() + 1)
}
