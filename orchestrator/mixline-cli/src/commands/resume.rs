//! `mixline resume`.

use std::process::ExitCode;

use mixline_run::RunEnd;
use serde_json::json;

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
        let documents: Vec<_> = runs.iter().map(summary::document).collect();
        app.document(&json!({ "runs": documents }))?;
    } else if runs.is_empty() {
        app.note("no run was left open")?;
    } else {
        for run in &runs {
            app.note(app.style().bold(&format!("{} {}", run.dag, run.run_id)))?;
            summary::print(app, &project, run)?;
        }
    }
    let good = runs.iter().all(|run| run.state == RunEnd::Succeeded);
    Ok(stop.or(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(RUN_FAILED)
    }))
}
