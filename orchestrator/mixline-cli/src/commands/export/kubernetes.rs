//! A CronJob for a cluster with no orchestrator: the tasks as init containers of one pod, one after
//! the other. What a task has committed before a later one fails is reused by the next try.

use mixline_schema::ExitCode;
use serde_json::{Value, json};

use super::pipeline::{Pipeline, Task};
use super::pod::{self, Cluster};

/// The variable that holds the pod's name.
const POD: &str = "MIXLINE_POD";

/// The file: YAML, of which JSON is a part.
pub(super) fn file(pipeline: &Pipeline, cluster: &Cluster) -> String {
    // The pod's own name is the run's.
    let name =
        json!({ "name": POD, "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } });
    let run_id = format!("$({POD})");
    let container = |task| cluster.container(pipeline, task, &run_id, std::slice::from_ref(&name));
    let mut containers: Vec<Value> = pipeline.tasks.iter().map(container).collect();
    let last = containers.pop();
    let name = format!("mixline-{}", pipeline.name.replace('_', "-"));
    let pod = json!({
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 10,
        "initContainers": containers,
        "containers": last.into_iter().collect::<Vec<_>>(),
        "volumes": cluster.volumes(),
    });
    let codes = json!({ "operator": "In", "values": ExitCode::permanent() });
    let mut job = json!({
        "backoffLimit": pipeline.tasks.iter().map(|task| task.retries).max(),
        "podFailurePolicy": { "rules": [{ "action": "FailJob", "onExitCodes": codes }] },
        "template": { "spec": pod },
    });
    if let Some(seconds) = deadline(&pipeline.tasks) {
        job["activeDeadlineSeconds"] = json!(seconds);
    }
    let document = match &pipeline.schedule {
        Some(schedule) => json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": { "name": name },
            "spec": {
                "schedule": schedule.cron,
                "timeZone": schedule.zone.name(),
                "concurrencyPolicy": "Forbid",
                "jobTemplate": { "spec": job },
            },
        }),
        None => json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": { "name": name },
            "spec": job,
        }),
    };
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// The longest time of all tries of all tasks in seconds, when every task has a limit.
fn deadline(tasks: &[Task]) -> Option<u64> {
    tasks.iter().try_fold(0_u64, |sum, task| {
        let tries = u64::from(task.retries) + 1;
        let seconds = pod::whole_seconds(task.timeout?).saturating_mul(tries);
        Some(sum.saturating_add(seconds))
    })
}
