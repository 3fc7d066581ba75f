//! A Python file for Airflow 3 that needs nothing but its Docker provider.

use std::fmt::Write as _;
use std::path::Path;

use mixline_plan::{CatchUp, Schedule};
use mixline_schema::ExitCode;

use super::pipeline::{Pipeline, Task};

/// The file.
pub(super) fn file(pipeline: &Pipeline) -> String {
    let mut text = format!(
        r#"# {name}, as `mixline export airflow {name}` printed it.
import os
from datetime import datetime, timedelta, timezone

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG, CronDataIntervalTimetable
from docker.types import Mount

with DAG(
    dag_id={name_text},
    description={description},
    # A bare cron string would give Airflow 3 empty intervals, which steps refuse.
    schedule={schedule},
    start_date=datetime(2020, 1, 1, tzinfo=timezone.utc),
    catchup={catchup},
    max_active_runs=1,
    tags=["mixline"],
    default_args={{
        "command": ["run"],
        "working_dir": {root},
        "mounts": [{mounts}],
        "auto_remove": "force",
        "mount_tmp_dir": False,
        "skip_on_exit_code": [{skip}],         # nothing to do in this window
        "trigger_rule": "none_failed",     # a skipped task stops nobody
        "retry_exponential_backoff": True,
{more}    }},
) as dag:
"#,
        name = pipeline.name,
        name_text = text(&pipeline.name),
        description = text(&pipeline.description),
        schedule = schedule(pipeline),
        root = text(&pipeline.root),
        mounts = mounts(pipeline),
        skip = ExitCode::NothingToDo.code(),
        catchup = python(pipeline.schedule.as_ref().is_some_and(catches_up)),
        more = more(pipeline),
    );
    for task in &pipeline.tasks {
        operator(&mut text, pipeline, task);
    }
    for task in &pipeline.tasks {
        for before in &task.deps {
            let _ = writeln!(text, "    {before} >> {}", task.name);
        }
    }
    text
}

fn schedule(pipeline: &Pipeline) -> String {
    let schedule = pipeline.schedule.as_ref();
    schedule.map_or("None".to_owned(), |schedule| {
        let (cron, zone) = (text(&schedule.cron), text(schedule.zone.name()));
        format!("CronDataIntervalTimetable({cron}, timezone={zone})")
    })
}

fn catches_up(schedule: &Schedule) -> bool {
    schedule.catch_up == CatchUp::All
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// What `[container]` says of the machine: user, network (none for a store that is a folder), and the
/// names of variables whose values are Airflow's own.
fn more(pipeline: &Pipeline) -> String {
    let settings = &pipeline.container;
    let mut lines = String::new();
    let mut line = |key: &str, value: String| {
        let _ = writeln!(lines, "        {}: {value},", text(key));
    };
    if let Some(user) = &settings.user {
        line("user", text(user));
    }
    let network = settings.network.as_deref();
    if let Some(network) = network.or_else(|| pipeline.has_folder().then_some("none")) {
        line("network_mode", text(network));
    }
    if !settings.env.is_empty() {
        let names = settings.env.iter().map(|name| text(name));
        let names = names.collect::<Vec<_>>().join(", ");
        let values =
            format!("{{name: os.environ[name] for name in [{names}] if name in os.environ}}");
        line("private_environment", values);
    }
    lines
}

/// The project to be read, a store that is a folder to be written, and the folders of `[container]`.
fn mounts(pipeline: &Pipeline) -> String {
    let mut folders = vec![mount(&pipeline.root, true)];
    folders.extend(pipeline.has_folder().then(|| mount(&pipeline.store, false)));
    folders.extend(pipeline.container.mounts.iter().map(|folder| {
        let bare = folder.strip_suffix(":ro");
        let path = Path::new(&pipeline.root).join(bare.unwrap_or(folder));
        mount(&path.display().to_string(), bare.is_some())
    }));
    folders.join(", ")
}

fn mount(path: &str, read_only: bool) -> String {
    let (path, read_only) = (text(path), python(read_only));
    format!("Mount(target={path}, source={path}, type=\"bind\", read_only={read_only})")
}

fn operator(file: &mut String, pipeline: &Pipeline, task: &Task) {
    let Task { name, .. } = task;
    let _ = writeln!(file, "    {name} = DockerOperator(");
    let mut line = |key: &str, value: String| {
        let _ = writeln!(file, "        {key}={value},");
    };
    line("task_id", text(name));
    line("image", text(&task.image));
    line("environment", environment(pipeline, task));
    line("cpus", task.resources.cores.to_string());
    line(
        "mem_limit",
        text(&format!("{}m", task.resources.memory_mib)),
    );
    line("retries", task.retries.to_string());
    line("retry_delay", seconds(task.retry_delay.as_secs_f64()));
    if let Some(timeout) = task.timeout {
        line("execution_timeout", seconds(timeout.as_secs_f64()));
    }
    if let Some(pool) = &task.pool {
        line("pool", text(pool));
    }
    let _ = writeln!(file, "    )");
}

fn seconds(seconds: f64) -> String {
    format!("timedelta(seconds={seconds})")
}

/// The variables of a step; the place in the run is Airflow's to fill in.
fn environment(pipeline: &Pipeline, task: &Task) -> String {
    let run = format!(
        r#"{{"dag": "{}", "task": "{}", "run_id": "{{{{ run_id }}}}", "attempt": {{{{ ti.try_number }}}}}}"#,
        pipeline.name, task.name
    );
    let context = task.document(&run);
    let mut variables = vec![("MIXLINE_CONTEXT", context)];
    if task.windowed {
        variables.push(("MIXLINE_WINDOW_START", bound("data_interval_start")));
        variables.push(("MIXLINE_WINDOW_END", bound("data_interval_end")));
    }
    let pairs = variables
        .iter()
        .map(|(key, value)| format!("{}: {}", text(key), text(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// A bound of the interval. A run without a logical date has none, and its steps no window.
fn bound(name: &str) -> String {
    format!("{{{{ {name} | ts if {name} | default(none) else '' }}}}")
}

/// A Python string: JSON's quoting is Python's.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
