//! `mixline resume`.

use std::process::ExitCode;

use mixline_run::{Project, Resumed, RunEnd, chain};
use serde_json::{Value, json};

use crate::app::App;
use crate::failure::{Outcome, RUN_FAILED};
use crate::outside::Outside;
use crate::signals::Stop;
use crate::summary;

/// Bring runs to their end that were left open by a crash
///
/// Steps that are still alive are waited for, outputs that were committed count as done, and what
/// was lost is run again. A scheduler does this by itself.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Carries out `mixline resume`.
pub(crate) async fn execute(app: &App, _: &Args) -> Outcome<ExitCode> {
    let stop = Stop::listen()?;
    let outside = Outside::open(app.engine().await?)?;
    let engine = outside.engine();
    let runs = engine.resume(outside.subscribers(), stop.cancel()).await;
    let project = engine.project().clone();
    outside.finish().await;
    let runs = runs?;
    if app.json() {
        let documents: Vec<_> = runs.iter().map(document).collect();
        app.document(&json!({ "runs": documents }))?;
    } else if runs.is_empty() {
        app.note("no run was left open")?;
    } else {
        for run in &runs {
            print(app, &project, run)?;
        }
    }
    let succeeded = |run: &Resumed| {
        let ended = run.ended.as_ref();
        ended.is_ok_and(|run| run.state == RunEnd::Succeeded)
    };
    Ok(stop.or(if runs.iter().all(succeeded) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(RUN_FAILED)
    }))
}

fn document(run: &Resumed) -> Value {
    match &run.ended {
        Ok(ended) => summary::document(ended),
        Err(error) => json!({
            "run_id": run.row.run_id, "dag": run.row.dag, "state": "running", "error": chain(error),
        }),
    }
}

fn print(app: &App, project: &Project, run: &Resumed) -> Outcome<()> {
    let Resumed { row, ended } = run;
    app.note(app.style().bold(&format!("{} {}", row.dag, row.run_id)))?;
    match ended {
        Ok(ended) => summary::print(app, project, ended),
        Err(error) => {
            let error = app.style().red(&chain(error));
            app.note(format!("cannot be taken over: {error}"))?;
            app.note("`mixline runs cancel` gives it up; then resume once more")
        }
    }
}
