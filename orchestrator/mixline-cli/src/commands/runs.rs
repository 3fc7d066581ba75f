//! `mixline runs`.

use std::process::ExitCode;

use clap::Subcommand;
use mixline_run::store::{RunFilter, RunRow};
use mixline_run::{Engine, RunSummary};
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::summary;
use crate::ui::table::Table;
use crate::ui::words;

/// List runs, or show one
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Cancel(Cancel),
}

/// List runs, newest first
#[derive(Debug, clap::Args)]
struct List {
    /// Only runs of this DAG
    #[arg(long, value_name = "DAG")]
    dag: Option<String>,
    /// Only runs in this state: running, succeeded, failed or cancelled
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Runs to list; 0 means all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    limit: u32,
}

/// Show one run, task by task
#[derive(Debug, clap::Args)]
struct Show {
    /// Run id or the beginning of one, or `latest`
    run: String,
}

/// Ask a run to stop, wherever it runs
#[derive(Debug, clap::Args)]
struct Cancel {
    /// Run id or the beginning of one, or `latest`
    run: String,
}

/// Carries out `mixline runs …`.
pub(crate) async fn execute(app: &App, args: Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    match args.command {
        None => list(app, &engine, args.list).await,
        Some(Command::List(args)) => list(app, &engine, args).await,
        Some(Command::Show(args)) => show(app, &engine, &args.run).await,
        Some(Command::Cancel(args)) => cancel(app, &engine, &args.run).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The run that a person means.
pub(crate) async fn find(engine: &Engine, run: &str) -> Outcome<RunRow> {
    if run != "latest" {
        return Ok(engine.state().run(run).await?);
    }
    let filter = RunFilter {
        limit: 1,
        ..RunFilter::default()
    };
    let newest = engine.state().runs(&filter).await?.pop();
    newest.ok_or_else(|| Failure::usage("nothing has been run yet").hint("mixline run DAG"))
}

async fn list(app: &App, engine: &Engine, args: List) -> Outcome<()> {
    const STATES: [&str; 4] = ["running", "succeeded", "failed", "cancelled"];
    if let Some(state) = args
        .state
        .as_deref()
        .filter(|state| !STATES.contains(state))
    {
        let message = format!("`{state}` is not a state of a run");
        return Err(Failure::usage(message).hint(STATES.join(", ")));
    }
    let filter = RunFilter {
        dag: args.dag,
        state: args.state,
        limit: args.limit,
    };
    let rows = engine.state().runs(&filter).await?;
    if app.json() {
        let runs: Vec<Value> = rows.iter().map(|row| document(engine, row)).collect();
        return app.document(&json!({ "runs": runs }));
    }
    if rows.is_empty() {
        return app.note("no runs");
    }
    let mut table = Table::new(&[
        "run", "dag", "!state", "started", ">time", "interval", "by", ">tasks",
    ]);
    for row in &rows {
        let time = row
            .ended_at
            .map(|ended| (ended - row.created_at).as_seconds_f64());
        table.row(vec![
            words::short_id(&row.run_id).to_owned(),
            row.dag.clone(),
            state(engine, row).to_owned(),
            words::ago(row.created_at, app::now()),
            time.map(words::duration).unwrap_or_default(),
            row.window
                .map(|window| window.to_string())
                .unwrap_or_default(),
            row.trigger.clone(),
            row.tasks.to_string(),
        ]);
    }
    app.table(&table)
}

/// The state, and `lost` for a run whose orchestrator is gone.
fn state<'a>(engine: &Engine, row: &'a RunRow) -> &'a str {
    if engine.is_orphan(row) {
        "lost"
    } else {
        &row.state
    }
}

fn document(engine: &Engine, row: &RunRow) -> Value {
    json!({
        "run_id": row.run_id, "dag": row.dag, "state": state(engine, row), "trigger": row.trigger,
        "window": row.window, "seed": row.seed, "tasks": row.tasks, "created_at": row.created_at,
        "ended_at": row.ended_at,
    })
}

async fn show(app: &App, engine: &Engine, run: &str) -> Outcome<()> {
    let row = find(engine, run).await?;
    let state = engine.state().run_state(&row.run_id).await?;
    let summary = RunSummary::of(&state);
    if app.json() {
        let mut found = document(engine, &row);
        found["seconds"] = json!(summary.seconds);
        found["tasks"] = summary::document(&summary)["tasks"].clone();
        return app.document(&found);
    }
    let window = row
        .window
        .map(|window| format!(" {window}"))
        .unwrap_or_default();
    let started = words::instant(row.created_at);
    let head = format!(
        "{}{window}  {}  started {started} by {}",
        row.dag, row.run_id, row.trigger
    );
    app.line(app.style().bold(&head))?;
    summary::print(app, engine.project(), &summary)
}

async fn cancel(app: &App, engine: &Engine, run: &str) -> Outcome<()> {
    let row = find(engine, run).await?;
    let asked = engine.state().request_cancel(&row.run_id).await?;
    if app.json() {
        return app.document(&json!({ "run_id": row.run_id, "asked": asked }));
    }
    app.note(match asked {
        true => format!("asked {} to stop", row.run_id),
        false => format!("{} has ended already ({})", row.run_id, row.state),
    })
}
