//! `mixline plan`.

use std::process::ExitCode;

use mixline_plan::{Plan, Verdict};

use super::request::{Interval, Request};
use crate::app::App;
use crate::failure::Outcome;
use crate::ui::table::Table;
use crate::ui::words;

/// Show what would run, and why; runs nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline plan daily_ingest
  mixline plan daily_ingest --window 2026-03-01..2026-03-08
  mixline plan daily_ingest --select measure --json")]
pub(crate) struct Args {
    /// DAG name: a file of the folder dags/, without `.toml`
    dag: String,
    #[command(flatten)]
    interval: Interval,
    #[command(flatten)]
    request: Request,
}

/// Carries out `mixline plan`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let options = args.request.options(args.interval.window()?);
    let plan = app.engine().await?.plan(&args.dag, &options).await?;
    if app.json() {
        app.document(&plan)?;
    } else {
        app.line(headline(&plan))?;
        app.table(&table(&plan))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `daily_ingest [2026-03-01, 2026-03-02): 2 of 4 tasks to run`.
fn headline(plan: &Plan) -> String {
    let window = plan
        .window
        .map(|window| format!(" {window}"))
        .unwrap_or_default();
    let runs = plan.tasks.iter().filter(|task| task.verdict.runs()).count();
    match runs {
        0 => format!("{}{window}: nothing to run, every task is reused", plan.dag),
        _ => format!(
            "{}{window}: {runs} of {} tasks to run",
            plan.dag,
            plan.tasks.len()
        ),
    }
}

fn table(plan: &Plan) -> Table {
    let mut table = Table::new(&["task", "!verdict", "because"]);
    for task in &plan.tasks {
        let (verdict, because) = match &task.verdict {
            Verdict::Reuse { outputs, .. } => (
                "reuse",
                format!("unchanged: {}", words::outputs(outputs, false)),
            ),
            Verdict::Run { reasons } => {
                let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                ("run", reasons.join("; "))
            }
        };
        table.row(vec![task.name.clone(), verdict.to_owned(), because]);
    }
    table
}
