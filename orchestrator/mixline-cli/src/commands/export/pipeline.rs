//! A pipeline as other orchestrators need it: tasks in an order that can be run, each with its
//! image, its context and what it waits for.

use std::time::Duration;

use mixline_plan::{Catalogue, Dag, Head, History, Request, Schedule};
use mixline_run::executor::ContainerSettings;
use mixline_run::{Project, RunError};
use mixline_schema::{Digest, Resources};
use serde_json::{Value, json};

/// See the module.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) schedule: Option<Schedule>,
    /// Folder of the project.
    pub(super) root: String,
    pub(super) store: String,
    /// `[container]` of the project.
    pub(super) container: ContainerSettings,
    /// Each after those it waits for.
    pub(super) tasks: Vec<Task>,
}

/// One task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) image: String,
    /// The context, without window, run and attempt: the other orchestrator knows those.
    pub(super) context: Value,
    pub(super) windowed: bool,
    pub(super) deps: Vec<String>,
    pub(super) retries: u32,
    pub(super) retry_delay: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) pool: Option<String>,
    /// Whether its failure leaves the run successful.
    pub(super) tolerated: bool,
    pub(super) resources: Resources,
}

impl Pipeline {
    /// What a DAG file says, with the edges that follow from it.
    ///
    /// # Errors
    /// [`RunError::Plan`] with everything that is wrong with the DAG.
    pub(super) fn new(
        dag: &Dag,
        catalogue: &Catalogue,
        project: &Project,
        store: String,
    ) -> Result<Self, RunError> {
        let request = Request::default();
        let planned = mixline_plan::plan(dag, catalogue, &request, &everything(dag, catalogue));
        let planned = planned.map_err(|errors| RunError::Plan { errors })?;
        let tasks = planned.tasks.into_iter().filter_map(|planned| {
            let task = dag.tasks.get(&planned.name)?;
            let step = catalogue.entry(&planned.name, &task.step)?;
            let image = task.image.clone();
            let outputs = planned.outputs.iter();
            let outputs: serde_json::Map<String, Value> = outputs
                .map(|output| (output.port.clone(), json!(output.artifact)))
                .collect();
            Some(Task {
                image: image.unwrap_or_else(|| project.container.image_of(&task.step)),
                context: json!({
                    "store": store,
                    "inputs": task.inputs,
                    "outputs": outputs,
                    "config": task.config,
                }),
                windowed: step.descriptor.windowed,
                deps: planned.deps,
                retries: planned.retries,
                retry_delay: planned.retry_delay,
                timeout: planned.timeout,
                pool: planned.pool,
                tolerated: planned.tolerated,
                resources: planned.resources,
                name: planned.name,
            })
        });
        let tasks = tasks.collect();
        Ok(Self {
            name: dag.name.clone(),
            description: dag.description.clone(),
            schedule: dag.schedule.clone(),
            tasks,
            root: project.root.display().to_string(),
            container: project.container.clone(),
            store,
        })
    }

    /// Whether the store is a folder.
    pub(super) fn has_folder(&self) -> bool {
        !self.store.contains("://")
    }
}

impl Task {
    /// The context as text. `run` is the place in a run, in which the other orchestrator fills in what
    /// it alone knows; whatever else looks like one of its templates stays what it is.
    pub(super) fn document(&self, run: &str) -> String {
        let known = literal(&self.context.to_string());
        let open = known.strip_suffix('}').unwrap_or(&known);
        format!("{open}, \"run\": {run}}}")
    }

    /// The name as clusters like it.
    pub(super) fn dashed(&self) -> String {
        self.name.replace('_', "-")
    }
}

/// A past in which every artifact exists: what is there when the other orchestrator runs is not
/// known here, and no edge depends on it.
fn everything(dag: &Dag, catalogue: &Catalogue) -> History {
    let mut history = History::default();
    for (name, task) in &dag.tasks {
        let ports = catalogue
            .entry(name, &task.step)
            .into_iter()
            .flat_map(|entry| entry.descriptor.inputs.iter());
        let declared = ports.map(|port| port.artifact.clone());
        let given = task.inputs.values().map(ToString::to_string);
        for key in declared.chain(given) {
            let digest = Digest::of_bytes(key.as_bytes());
            history.heads.insert(key, Head { version: 0, digest });
        }
    }
    history
}

/// JSON that a template leaves as it is. Outside of its texts a brace is followed by a quote or by
/// another brace that closes, so these pairs are in texts, where a character may be escaped.
fn literal(json: &str) -> String {
    ["{{", "{%", "{#"]
        .iter()
        .fold(json.to_owned(), |text, mark| {
            text.replace(mark, &format!("\\u007b{}", &mark[1..]))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_template_stays_what_it_is() {
        let json = serde_json::json!({"a": {"b": "{{ x }} {% y %} {# z #}"}}).to_string();
        let escaped = literal(&json);
        for mark in ["{{", "{%", "{#"] {
            assert!(!escaped.contains(mark), "{escaped}");
        }
        let back: serde_json::Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back.to_string(), json);
    }
}
