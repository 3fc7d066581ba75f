//! A CronWorkflow for Argo Workflows: one container template per task, and a DAG of them.

use mixline_schema::ExitCode;
use serde_json::{Value, json};

use super::pipeline::{Pipeline, Task};
use super::pod::{self, Cluster};

/// The file: YAML, of which JSON is a part.
pub(super) fn file(pipeline: &Pipeline, cluster: &Cluster) -> String {
    // Also the name of the template that no task has.
    let name = format!("mixline-{}", pipeline.name.replace('_', "-"));
    let tasks: Vec<Value> = pipeline.tasks.iter().map(node).collect();
    let mut templates = vec![json!({ "name": name, "dag": { "tasks": tasks } })];
    let of_tasks = pipeline.tasks.iter();
    templates.extend(of_tasks.map(|task| template(pipeline, task, cluster)));
    let workflow = json!({
        "entrypoint": name,
        "volumes": cluster.volumes(),
        "templates": templates,
    });
    let meta = json!({
        "name": name,
        "annotations": { "workflows.argoproj.io/description": pipeline.description },
    });
    let document = match &pipeline.schedule {
        Some(schedule) => json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "CronWorkflow",
            "metadata": meta,
            "spec": {
                "schedules": [schedule.cron],
                "timezone": schedule.zone.name(),
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "workflowSpec": workflow,
            },
        }),
        None => json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": meta,
            "spec": workflow,
        }),
    };
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn node(task: &Task) -> Value {
    let dashed = |name: &String| name.replace('_', "-");
    let mut node = json!({
        "name": task.dashed(),
        "template": task.dashed(),
        "dependencies": task.deps.iter().map(dashed).collect::<Vec<_>>(),
    });
    if task.tolerated {
        node["continueOn"] = json!({ "failed": true, "error": true });
    }
    node
}

/// When a task is tried again: unless its step says that this does not help. A pod that was evicted
/// has no exit code, which Argo calls -1.
fn retry(task: &Task) -> Value {
    json!({
        "limit": task.retries.to_string(),
        "retryPolicy": "Always",
        "expression": format!("asInt(lastRetry.exitCode) not in {:?}", ExitCode::permanent()),
        "backoff": { "duration": format!("{}s", task.retry_delay.as_secs()), "factor": "2" },
    })
}

fn template(pipeline: &Pipeline, task: &Task, cluster: &Cluster) -> Value {
    let mut template = json!({
        "name": task.dashed(),
        "retryStrategy": retry(task),
        "container": cluster.container(pipeline, task, "{{workflow.uid}}", &[]),
    });
    if let Some(timeout) = task.timeout {
        template["activeDeadlineSeconds"] = json!(pod::whole_seconds(timeout));
    }
    template
}
