//! What a run came to, on the screen.

use std::process::ExitCode;

use mixline_run::{Project, RunEnd, RunSummary, TaskState, TaskSummary};
use serde_json::{Value, json};

use crate::app::App;
use crate::failure::{Outcome, RUN_FAILED};
use crate::ui::table::Table;
use crate::ui::words;

/// Lines of an error that are shown; the log has all of them.
const ERROR_LINES: usize = 30;

/// 0 for a good end, 1 otherwise.
pub(crate) fn exit_code(summary: &RunSummary) -> ExitCode {
    match summary.state {
        RunEnd::Succeeded => ExitCode::SUCCESS,
        RunEnd::Failed | RunEnd::Cancelled => ExitCode::from(RUN_FAILED),
    }
}

/// The run as JSON.
pub(crate) fn document(summary: &RunSummary) -> Value {
    let task = |task: &TaskSummary| {
        json!({
            "name": task.task, "state": task.state, "attempts": task.attempts,
            "seconds": task.seconds, "outputs": task.outputs, "message": task.message,
            "exit_code": task.exit_code,
        })
    };
    let tasks: Vec<Value> = summary.tasks.iter().map(task).collect();
    json!({
        "run_id": summary.run_id, "dag": summary.dag, "state": summary.state,
        "seconds": summary.seconds, "tasks": tasks,
    })
}

/// Prints what became of each task, then what went wrong in full.
pub(crate) fn print(app: &App, project: &Project, summary: &RunSummary) -> Outcome<()> {
    if app.json() {
        return app.document(&document(summary));
    }
    app.table(&table(summary))?;
    for task in summary
        .tasks
        .iter()
        .filter(|task| task.state == TaskState::Failed)
    {
        failure(app, project, summary, task)?;
    }
    app.line("")?;
    app.line(last_line(app, summary))
}

fn table(summary: &RunSummary) -> Table {
    let mut table = Table::new(&["task", "!state", ">time", "outputs"]);
    for task in &summary.tasks {
        let ran = task.attempts > 0;
        let note = match task.state {
            TaskState::Skipped | TaskState::UpstreamFailed => {
                task.message.clone().unwrap_or_default()
            }
            _ => words::outputs(&task.outputs, ran),
        };
        table.row(vec![
            task.task.clone(),
            task.state.as_str().to_owned(),
            if ran {
                words::duration(task.seconds)
            } else {
                String::new()
            },
            note,
        ]);
    }
    table
}

fn failure(app: &App, project: &Project, run: &RunSummary, task: &TaskSummary) -> Outcome<()> {
    let style = app.style();
    let tries = match task.attempts {
        0 | 1 => String::new(),
        many => format!(" after {many} attempts"),
    };
    let code = task.exit_code.and_then(mixline_schema::ExitCode::from_code);
    let meaning = code.map(|code| format!(" (exit {}: {})", code.code(), code.meaning()));
    app.line("")?;
    let head = format!(
        "`{}` failed{tries}{}",
        task.task,
        meaning.unwrap_or_default()
    );
    app.line(style.red(&head))?;
    let message = task.message.as_deref().unwrap_or("it left no message");
    for line in words::first_lines(message, ERROR_LINES).lines() {
        app.line(format!("  {line}"))?;
    }
    let log = project.log_file(&run.run_id, &task.task, task.attempts);
    app.line(style.dim(&format!("  log: {}", log.display())))
}

fn last_line(app: &App, summary: &RunSummary) -> String {
    let count = |state| {
        summary
            .tasks
            .iter()
            .filter(|task| task.state == state)
            .count()
    };
    let (style, time) = (app.style(), words::duration(summary.seconds));
    let id = words::short_id(&summary.run_id);
    let reused = count(TaskState::Reused);
    match summary.state {
        RunEnd::Succeeded if reused == summary.tasks.len() => {
            format!("{} nothing had changed; run {id}, {time}", style.green("✓"))
        }
        RunEnd::Succeeded => {
            let ran = summary.tasks.len() - reused;
            format!(
                "{} {ran} ran, {reused} reused; run {id}, {time}",
                style.green("✓")
            )
        }
        RunEnd::Cancelled => {
            format!("{} stopped; run {id}, {time}", style.yellow("✗"))
        }
        RunEnd::Failed => format!(
            "{} {} failed; run {id}, {time}. Run it again when that is mended: what succeeded is \
             reused",
            style.red("✗"),
            words::counted(count(TaskState::Failed) as u64, "task"),
        ),
    }
}
