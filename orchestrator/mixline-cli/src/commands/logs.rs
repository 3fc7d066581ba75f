//! `mixline logs`.

use std::process::ExitCode;

use mixline_run::Engine;
use serde_json::{Value, json};

use super::runs;
use crate::app::App;
use crate::failure::{Failure, Outcome};

/// Show what the tasks of a run said
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run id or the beginning of one, or `latest`
    #[arg(default_value = "latest")]
    run: String,
    /// Only this task
    task: Option<String>,
    /// Which attempt; by default the last
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
}

/// One captured log.
struct Log {
    task: String,
    attempt: u32,
    text: String,
}

/// Carries out `mixline logs`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let logs = collect(&engine, args).await?;
    if app.json() {
        let one = |log: &Log| json!({ "task": log.task, "attempt": log.attempt, "text": log.text });
        let documents: Vec<Value> = logs.iter().map(one).collect();
        app.document(&json!({ "logs": documents }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if logs.is_empty() {
        app.note("no task of this run was started: everything was reused or skipped")?;
    }
    let heads = args.task.is_none();
    for log in &logs {
        if heads {
            app.line(
                app.style()
                    .bold(&format!("── {}, attempt {}", log.task, log.attempt)),
            )?;
        }
        app.line(log.text.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn collect(engine: &Engine, args: &Args) -> Outcome<Vec<Log>> {
    let run_id = runs::find(engine, &args.run).await?.run_id;
    let state = engine.state().run_state(&run_id).await?;
    let mut logs = Vec::new();
    for (task, status) in state.tasks() {
        if status.attempt == 0 || args.task.as_deref().is_some_and(|wanted| wanted != task) {
            continue;
        }
        let attempt = args.attempt.unwrap_or(status.attempt);
        if let Some(text) = engine.task_log(&run_id, task, attempt).await? {
            logs.push(Log {
                task: task.to_owned(),
                attempt,
                text,
            });
        }
    }
    if let Some(task) = args.task.as_deref().filter(|_| logs.is_empty()) {
        let names: Vec<&str> = state.tasks().map(|(name, _)| name).collect();
        let message = match state.task(task) {
            Some(status) if status.attempt == 0 => {
                format!(
                    "`{task}` was {} in run {run_id}, so it has no log",
                    status.state.as_str()
                )
            }
            Some(_) => format!("there is no such attempt of `{task}` in run {run_id}"),
            None => format!("run {run_id} has no task `{task}`"),
        };
        return Err(Failure::usage(message).hint(format!("its tasks are {}", names.join(", "))));
    }
    Ok(logs)
}
