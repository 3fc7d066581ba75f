//! `mixline run`.

use std::process::ExitCode;
use std::sync::Arc;

use mixline_plan::Plan;
use mixline_run::{RunOptions, RunSummary, Subscriber};

use super::request::{Interval, Request};
use crate::app::App;
use crate::failure::Outcome;
use crate::outside::{self, Outside};
use crate::progress::Progress;
use crate::signals::Stop;
use crate::summary;

/// Run a DAG now; tasks whose work exists already are reused
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline run daily_ingest
  mixline run daily_ingest --window 2026-03-01..2026-03-08
  mixline run daily_ingest --force-task measure

Exit code 1 means that a task failed; `mixline logs latest` shows what it said.")]
pub(crate) struct Args {
    /// DAG name: a file of the folder dags/, without `.toml`
    dag: String,
    #[command(flatten)]
    interval: Interval,
    #[command(flatten)]
    request: Request,
    /// Tasks that may run at once; by default as many as there are cores
    #[arg(long, value_name = "N")]
    max_parallel: Option<usize>,
}

/// Carries out `mixline run`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let options = args.request.options(args.interval.window()?);
    let stop = Stop::listen()?;
    let outside = Outside::open(app.engine().await?)?;
    let plan = outside.engine().plan(&args.dag, &options).await?;
    let run = RunOptions {
        trigger: "cli".to_owned(),
        max_parallel: args.max_parallel,
        origin: outside::origin(),
    };
    let summary = watched(app, &outside, plan, &run, &stop).await;
    let project = outside.engine().project().clone();
    outside.finish().await;
    let summary = summary?;
    summary::print(app, &project, &summary)?;
    Ok(stop.or(summary::exit_code(&summary)))
}

/// Runs a plan with progress on the screen, and tells who wants to know.
pub(crate) async fn watched(
    app: &App,
    outside: &Outside,
    plan: Plan,
    options: &RunOptions,
    stop: &Stop,
) -> Outcome<RunSummary> {
    let progress = Progress::new(app, &plan);
    let mut subscribers = outside.subscribers();
    subscribers.push(Arc::clone(&progress) as Arc<dyn Subscriber>);
    let engine = outside.engine();
    let summary = engine.run(plan, options, subscribers, stop.cancel()).await;
    progress.finish();
    Ok(summary?)
}
