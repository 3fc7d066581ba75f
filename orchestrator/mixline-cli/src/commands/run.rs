//! `mixline run`.

use std::process::ExitCode;
use std::sync::Arc;

use mixline_plan::Plan;
use mixline_run::{Engine, RunOptions, RunSummary, Subscriber};

use super::request::{Interval, Request};
use crate::app::App;
use crate::failure::Outcome;
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
    let engine = app.engine().await?;
    let plan = engine.plan(&args.dag, &options).await?;
    let run = RunOptions {
        trigger: "cli".to_owned(),
        max_parallel: args.max_parallel,
    };
    let summary = watched(app, &engine, plan, &run, &stop).await?;
    summary::print(app, engine.project(), &summary)?;
    Ok(stop.or(summary::exit_code(&summary)))
}

/// Runs a plan with progress on the screen and lineage to where the project wants it.
pub(crate) async fn watched(
    app: &App,
    engine: &Engine,
    plan: Plan,
    options: &RunOptions,
    stop: &Stop,
) -> Outcome<RunSummary> {
    let progress = Progress::new(app, &plan);
    let mut subscribers = lineage(engine);
    subscribers.push(Arc::clone(&progress) as Arc<dyn Subscriber>);
    let summary = engine.run(plan, options, subscribers, stop.cancel()).await;
    progress.finish();
    Ok(summary?)
}

/// Who wants OpenLineage events.
pub(crate) fn lineage(engine: &Engine) -> Vec<Arc<dyn Subscriber>> {
    use mixline_run::lineage::{FileSink, Lineage};
    let project = engine.project();
    let sink = |file: &std::path::PathBuf| {
        let lineage = Lineage::new(&project.namespace, &project.store);
        Arc::new(FileSink::new(file, lineage)) as Arc<dyn Subscriber>
    };
    project
        .openlineage_file
        .as_ref()
        .map(sink)
        .into_iter()
        .collect()
}
