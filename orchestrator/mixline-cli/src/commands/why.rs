//! `mixline why`.

use std::process::ExitCode;

use mixline_plan::{PlannedTask, Reason, Verdict};
use mixline_run::store::RunFilter;
use mixline_run::{Engine, RunState, TaskState, TaskStatus};
use mixline_schema::OutputResult;
use serde_json::{Value, json};

use super::{artifact, runs};
use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::ui::words;

/// Runs looked through for a task that was named without its DAG.
const LOOK_BACK: u32 = 100;

/// Explain what the last run did with a task: why it ran, or why it did not have to
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline why daily_ingest            every task of its last run
  mixline why daily_ingest.measure    one task
  mixline why measure                 the same, when only one DAG has such a task")]
pub(crate) struct Args {
    /// DAG, DAG.TASK or TASK
    target: String,
    /// Run id or the beginning of one instead of the last run
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

/// The explanation of one task.
struct Answer {
    task: String,
    state: TaskState,
    because: Vec<String>,
    read: Vec<String>,
    wrote: Vec<String>,
}

/// Carries out `mixline why`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let (state, only) = find(&engine, args).await?;
    let mut answers = Vec::new();
    for (name, status) in state.tasks() {
        if only.as_deref().is_none_or(|only| only == name)
            && let Some(planned) = planned(&state, name)
        {
            answers.push(answer(&engine, planned, status).await?);
        }
    }
    if app.json() {
        let tasks: Vec<Value> = answers.iter().map(document).collect();
        app.document(&json!({ "run_id": state.run_id(), "tasks": tasks }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let dag = state
        .plan()
        .map(|plan| plan.dag.clone())
        .unwrap_or_default();
    let when = state
        .started()
        .map(|at| words::ago(at, app::now()))
        .unwrap_or_default();
    app.note(
        app.style()
            .dim(&format!("{dag}, run {}, {when}", state.run_id())),
    )?;
    for answer in &answers {
        print(app, answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The run that is meant, and the task within it.
async fn find(engine: &Engine, args: &Args) -> Outcome<(RunState, Option<String>)> {
    let dags = engine.dags()?;
    let (dag, task) = match args.target.split_once('.') {
        Some((dag, task)) => (Some(dag.to_owned()), Some(task.to_owned())),
        None if dags.contains(&args.target) => (Some(args.target.clone()), None),
        None => (None, Some(args.target.clone())),
    };
    if let Some(run) = &args.run {
        let run_id = runs::find(engine, run).await?.run_id;
        let state = engine.state().run_state(&run_id).await?;
        return has(&state, task.as_deref())
            .then_some((state, task))
            .ok_or_else(|| Failure::usage(format!("run {run_id} has no task `{}`", args.target)));
    }
    let limit = if dag.is_some() { 1 } else { LOOK_BACK };
    let filter = RunFilter {
        dag: dag.clone(),
        limit,
        ..RunFilter::default()
    };
    for row in engine.state().runs(&filter).await? {
        let state = engine.state().run_state(&row.run_id).await?;
        if has(&state, task.as_deref()) {
            return Ok((state, task));
        }
    }
    let known = if dags.is_empty() {
        "there are no DAGs".into()
    } else {
        dags.join(", ")
    };
    let failure = match (&dag, &task) {
        (Some(dag), None) => Failure::usage(format!("`{dag}` has not been run yet"))
            .hint(format!("mixline plan {dag} says what would run, and why")),
        _ => Failure::usage(format!("no run has a task `{}`", args.target))
            .hint(format!("name a DAG ({known}), or a task as DAG.TASK")),
    };
    Err(failure)
}

fn has(state: &RunState, task: Option<&str>) -> bool {
    task.is_none_or(|task| state.task(task).is_some())
}

fn planned<'a>(state: &'a RunState, name: &str) -> Option<&'a PlannedTask> {
    state.plan()?.tasks.iter().find(|task| task.name == name)
}

async fn answer(engine: &Engine, planned: &PlannedTask, status: &TaskStatus) -> Outcome<Answer> {
    let because = match status.state {
        TaskState::Reused => reused(engine, planned, status).await?,
        TaskState::Skipped | TaskState::UpstreamFailed => status.message.iter().cloned().collect(),
        _ => ran(planned, status),
    };
    let mut read = Vec::new();
    for (port, input) in &status.inputs {
        let by = made_by(engine, &input.artifact, input.version).await?;
        read.push(format!("{port}: {}@{}{by}", input.artifact, input.version));
    }
    let mut wrote = Vec::new();
    if status.attempt > 0 {
        for output in &status.outputs {
            wrote.push(format!(
                "{}@{} {}",
                output.artifact,
                output.version,
                effect(engine, output).await?
            ));
        }
    }
    Ok(Answer {
        task: planned.name.clone(),
        state: status.state,
        because,
        read,
        wrote,
    })
}

fn ran(planned: &PlannedTask, status: &TaskStatus) -> Vec<String> {
    let mut because = status.reasons.clone();
    if because.is_empty()
        && let Verdict::Run { reasons } = &planned.verdict
    {
        because = reasons.iter().map(ToString::to_string).collect();
    }
    if status.attempt > 1 {
        because.push(format!("{} attempts were made", status.attempt));
    }
    because.extend(
        status
            .message
            .iter()
            .map(|message| words::first_lines(message, 5)),
    );
    because
}

async fn reused(
    engine: &Engine,
    planned: &PlannedTask,
    status: &TaskStatus,
) -> Outcome<Vec<String>> {
    let mut because = Vec::new();
    if let Verdict::Run { reasons } = &planned.verdict {
        for reason in reasons {
            if let Reason::UpstreamRuns { task } = reason {
                because.push(format!(
                    "`{task}` ran, but the rows it reads came out the same"
                ));
            }
        }
    }
    because.push("code, configuration, inputs and watched files are what they were".to_owned());
    if let Some(output) = status.outputs.first() {
        let by = made_by(engine, &output.artifact, output.version).await?;
        because.push(format!("{}@{} stands{by}", output.artifact, output.version));
    }
    Ok(because)
}

/// ` (ingest, 3 h ago)`; nothing when the version cannot be read any more.
async fn made_by(engine: &Engine, name: &str, version: u64) -> Outcome<String> {
    let Ok(record) = engine.store().log(name)?.commit_info(version).await else {
        return Ok(String::new());
    };
    let by = artifact::maker(record.provenance.as_ref());
    Ok(format!(
        " (by {by}, {})",
        words::ago(record.timestamp, app::now())
    ))
}

/// Whether a version has other rows than the one before.
async fn effect(engine: &Engine, output: &OutputResult) -> Outcome<String> {
    let rows = words::counted(output.rows, "row");
    let Some(before) = output.version.checked_sub(1) else {
        return Ok(format!("({rows}, the first version)"));
    };
    let log = engine.store().log(&output.artifact)?;
    Ok(match log.commit_info(before).await {
        Ok(before) if before.digest == output.digest => {
            format!("({rows}, the same as before: what reads it need not run)")
        }
        _ => format!("({rows}, changed)"),
    })
}

fn document(answer: &Answer) -> Value {
    json!({
        "task": answer.task, "state": answer.state, "because": answer.because,
        "read": answer.read, "wrote": answer.wrote,
    })
}

fn print(app: &App, answer: &Answer) -> Outcome<()> {
    let style = app.style();
    let state = answer.state.as_str();
    app.line(format!(
        "\n{}  {}",
        style.bold(&answer.task),
        style.state(state, state)
    ))?;
    for (label, lines) in [
        ("because", &answer.because),
        ("read", &answer.read),
        ("wrote", &answer.wrote),
    ] {
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            app.line(format!("  {label:8} {line}"))?;
        }
    }
    Ok(())
}
