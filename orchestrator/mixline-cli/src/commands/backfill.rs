//! `mixline backfill`.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use mixline_run::{RunEnd, RunOptions};
use mixline_schema::Window;
use serde_json::json;

use super::request::Request;
use super::run::watched;
use crate::app::App;
use crate::failure::{Failure, Outcome, RUN_FAILED};
use crate::outside::{self, Outside};
use crate::signals::Stop;
use crate::summary;
use crate::ui::table::Table;
use crate::ui::words;

/// Run a DAG for every interval of its schedule between two days, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline backfill daily_ingest --from 2026-03-01 --to 2026-03-31 --dry-run
  mixline backfill daily_ingest --from 2026-03-01 --to 2026-03-31

Intervals whose work exists already are reused, so a backfill that was interrupted is simply
started again.")]
pub(crate) struct Args {
    /// DAG name: a file of the folder dags/, without `.toml`
    dag: String,
    /// First day or instant (UTC): intervals that start before it are left out
    #[arg(long, value_name = "DAY")]
    from: String,
    /// Last day or instant (UTC): intervals that end after it are left out
    #[arg(long, value_name = "DAY")]
    to: String,
    #[command(flatten)]
    request: Request,
    /// Tasks that may run at once; by default as many as there are cores
    #[arg(long, value_name = "N")]
    max_parallel: Option<usize>,
    /// Go on with the next interval after one that failed
    #[arg(long)]
    keep_going: bool,
    /// List the intervals and run nothing
    #[arg(long)]
    dry_run: bool,
}

/// Carries out `mixline backfill`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let dag = engine.load_dag(&args.dag)?;
    let Some(schedule) = &dag.schedule else {
        let message = format!(
            "`{}` has no schedule, so its intervals are not known",
            args.dag
        );
        let hint = format!("mixline run {} --window START..END", args.dag);
        return Err(Failure::config(message).hint(hint));
    };
    let (from, to) = (Window::parse_bound(&args.from)?, end_of(&args.to)?);
    let windows: Vec<Window> = schedule
        .windows(from, to)
        .filter(|window| window.start >= from)
        .collect();
    if windows.is_empty() {
        let message = format!(
            "no interval of `{}` lies within [{from}, {to}]",
            schedule.cron
        );
        return Err(Failure::usage(message).hint("widen --from and --to"));
    }
    if args.dry_run {
        return list(app, &windows);
    }
    let stop = Stop::listen()?;
    let options = RunOptions {
        trigger: "backfill".to_owned(),
        max_parallel: args.max_parallel,
        origin: outside::origin(),
    };
    let outside = Outside::open(engine.clone())?;
    let mut table = Table::new(&["interval", "!state", ">time", "run"]);
    let (mut documents, mut failed) = (Vec::new(), 0_u64);
    for window in &windows {
        app.note(app.style().bold(&window.to_string()))?;
        let plan = engine
            .plan_dag(&dag, &args.request.options(Some(*window)))
            .await?;
        let run = watched(app, &outside, plan, &options, &stop).await?;
        let id = words::short_id(&run.run_id).to_owned();
        let time = words::duration(run.seconds);
        table.row(vec![
            window.to_string(),
            run.state.as_str().to_owned(),
            time,
            id,
        ]);
        documents.push(summary::document(&run));
        failed += u64::from(run.state != RunEnd::Succeeded);
        if stop.stopped() || failed > 0 && !args.keep_going {
            break;
        }
    }
    outside.finish().await;
    if app.json() {
        app.document(&json!({ "dag": args.dag, "runs": documents }))?;
    } else {
        app.table(&table)?;
        let left = windows.len() - documents.len();
        if left > 0 {
            app.note(format!(
                "… {} not run",
                words::counted(left as u64, "interval")
            ))?;
        }
    }
    let code = if failed > 0 {
        ExitCode::from(RUN_FAILED)
    } else {
        ExitCode::SUCCESS
    };
    Ok(stop.or(code))
}

/// A day means all of it.
fn end_of(text: &str) -> Outcome<DateTime<Utc>> {
    let bound = Window::parse_bound(text)?;
    let day = text.parse::<chrono::NaiveDate>().is_ok();
    let end = if day {
        bound.checked_add_days(chrono::Days::new(1))
    } else {
        Some(bound)
    };
    end.ok_or_else(|| Failure::usage(format!("{text} has no day after it")))
}

fn list(app: &App, windows: &[Window]) -> Outcome<ExitCode> {
    if app.json() {
        app.document(&json!({ "windows": windows }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for window in windows {
        app.line(window.to_string())?;
    }
    app.note(format!(
        "{}; nothing was run",
        words::counted(windows.len() as u64, "interval")
    ))?;
    Ok(ExitCode::SUCCESS)
}
