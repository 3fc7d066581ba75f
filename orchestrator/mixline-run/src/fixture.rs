//! Plans and projects for tests.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::project::Project;
use mixline_plan::{Plan, PlannedInput, PlannedOutput, PlannedTask, Reason, Source, Verdict};

/// A task of step `step-x` without inputs and outputs that must run.
pub(crate) fn task(name: &str, deps: &[&str]) -> PlannedTask {
    PlannedTask {
        name: name.to_owned(),
        step: "step-x".to_owned(),
        code: "b3:00".to_owned(),
        config: serde_json::json!({}),
        deps: deps.iter().map(|dep| (*dep).to_owned()).collect(),
        inputs: BTreeMap::new(),
        outputs: Vec::new(),
        columns: Vec::new(),
        slot: format!("dag.{name}"),
        window: None,
        seed: 0,
        observed: BTreeMap::new(),
        verdict: Verdict::Run {
            reasons: vec![Reason::NeverRan],
        },
        retries: 0,
        retry_delay: Duration::ZERO,
        timeout: None,
        pool: None,
        tolerated: false,
        image: None,
        resources: mixline_schema::Resources::default(),
    }
}

/// The task with a configuration.
pub(crate) fn with(mut task: PlannedTask, config: serde_json::Value) -> PlannedTask {
    task.config = config;
    task
}

/// The task with an output of the same name as the artifact.
pub(crate) fn writes(mut task: PlannedTask, artifact: &str) -> PlannedTask {
    let artifact = artifact.to_owned();
    task.outputs.push(PlannedOutput {
        port: artifact.clone(),
        artifact,
        optional: false,
    });
    task
}

/// The task with a required input from another task.
pub(crate) fn reads(mut task: PlannedTask, upstream: &str, artifact: &str) -> PlannedTask {
    let from = Source::Task(upstream.to_owned());
    let (port, artifact) = (artifact.to_owned(), artifact.to_owned());
    let input = PlannedInput {
        artifact,
        schema_version: 1,
        optional: false,
        from,
    };
    task.inputs.insert(port, input);
    task
}

pub(crate) fn plan(tasks: Vec<PlannedTask>) -> Plan {
    Plan {
        dag: "dag".to_owned(),
        window: None,
        seed: 0,
        tasks,
    }
}

/// A project in `dir` whose `step-x` is a shell script: `describe` is answered, and `run` does
/// `body` with `$RESULT` (the result file) and `ok` (writes a result without outputs) at hand.
pub(crate) fn project(dir: &Path, body: &str) -> Project {
    let steps = dir.join("bin");
    std::fs::create_dir_all(&steps).unwrap();
    let script = format!(
        r#"#!/bin/sh
if [ "$1" = describe ]; then
  echo '{{"name":"step-x","about":"x","code_version":"1","inputs":[],"outputs":[],"config_schema":{{}},"exit_codes":{{}}}}'
  exit 0
fi
RESULT="$3"
ok() {{
  echo '{{"status":"succeeded","step":"step-x","outputs":[],"fingerprint":null,"seconds":0,"peak_rss_mib":0}}' > "$RESULT"
}}
{body}
"#
    );
    let path = steps.join("step-x");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut project = Project::load(dir, Some(&steps)).unwrap();
    project.parallelism = 4;
    project
}
