//! What Argo and Kubernetes have in common: a step's container in a pod, and the volumes around it.

use std::time::Duration;

use serde_json::{Value, json};

use super::pipeline::{Pipeline, Task};

/// The Secret whose keys become variables of every container: credentials of the store, addresses
/// of webhooks.
const SECRET: &str = "mixline";

/// Stands for the run's name until it is known that nothing else is a template.
const RUN_ID: &str = "the run's name";

/// A duration in whole seconds, for limits: never shorter than it is.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}

/// What a cluster knows and the project does not.
#[derive(Debug, clap::Args)]
pub(super) struct Cluster {
    /// Claim of a volume that holds the project, mounted at the same path to be read; without one,
    /// steps find no files of the project
    #[arg(long, value_name = "CLAIM")]
    claim: Option<String>,
}

impl Cluster {
    /// The volumes of a pod.
    pub(super) fn volumes(&self) -> Vec<Value> {
        let claim = |claim: &String| json!({ "name": "project", "persistentVolumeClaim": { "claimName": claim, "readOnly": true } });
        let scratch = json!({ "name": "tmp", "emptyDir": {} });
        std::iter::once(scratch)
            .chain(self.claim.iter().map(claim))
            .collect()
    }

    /// The container of a task. `run_id` is the cluster's name of the run; `before` are variables that
    /// it refers to.
    pub(super) fn container(
        &self,
        pipeline: &Pipeline,
        task: &Task,
        run_id: &str,
        before: &[Value],
    ) -> Value {
        let run = json!({
            "run_id": RUN_ID, "dag": pipeline.name, "task": task.name, "attempt": 1,
        });
        // Kubernetes would put variables in, too.
        let context = task.document(&run.to_string()).replace("$(", "$$(");
        let context = context.replace(RUN_ID, run_id);
        let context = json!({ "name": "MIXLINE_CONTEXT", "value": context });
        // To a cluster any code but 0 is a failure, and nothing to do is none.
        let skip = json!({ "name": "MIXLINE_SKIP_EXIT_CODE", "value": "0" });
        let env: Vec<&Value> = before.iter().chain([&context, &skip]).collect();
        let limits = json!({
            "cpu": task.resources.cores.to_string(),
            "memory": format!("{}Mi", task.resources.memory_mib),
        });
        let mut mounts = vec![json!({ "name": "tmp", "mountPath": "/tmp" })];
        let mut container = json!({
            "name": task.dashed(),
            "image": task.image,
            "args": ["run", "--log-format", "json"],
            "env": env,
            "envFrom": [{ "secretRef": { "name": SECRET, "optional": true } }],
            "resources": { "limits": limits, "requests": limits },
            "securityContext": {
                "runAsNonRoot": true,
                "readOnlyRootFilesystem": true,
                "allowPrivilegeEscalation": false,
                "capabilities": { "drop": ["ALL"] },
            },
        });
        if self.claim.is_some() {
            mounts.push(json!({ "name": "project", "mountPath": pipeline.root, "readOnly": true }));
            container["workingDir"] = json!(pipeline.root);
        }
        container["volumeMounts"] = json!(mounts);
        container
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_shorter_than_what_it_limits() {
        let seconds = |millis| whole_seconds(Duration::from_millis(millis));
        assert_eq!([seconds(500), seconds(2000), seconds(2001)], [1, 2, 3]);
    }
}
