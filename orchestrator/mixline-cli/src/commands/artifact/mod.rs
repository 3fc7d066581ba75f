//! `mixline artifact`: looks into the store, and looks after it.

mod alias;
mod compact;
mod diff;
mod export;
mod files;
mod gc;
mod history;
mod list;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use mixline_artifact::{CommitRecord, DataFrame, Store};
use mixline_schema::Provenance;
use serde_json::{Value, json};

use crate::app::App;
use crate::diff::Row;
use crate::failure::Outcome;

/// Look into the store: tables, versions, files
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    History(history::Args),
    Diff(diff::Args),
    Files(files::Args),
    Export(export::Args),
    Alias(alias::Args),
    Compact(compact::Args),
    Gc(gc::Args),
}

/// Carries out `mixline artifact …`.
pub(crate) async fn execute(app: &App, args: Args) -> Outcome<ExitCode> {
    let store = app.store().await?;
    match args.command {
        Command::List(args) => list::execute(app, &store, &args).await,
        Command::Show(args) => show::execute(app, &store, &args).await,
        Command::History(args) => history::execute(app, &store, &args).await,
        Command::Diff(args) => diff::execute(app, &store, &args).await,
        Command::Files(args) => files::execute(app, &store, &args).await,
        Command::Export(args) => export::execute(app, &store, &args).await,
        Command::Alias(args) => alias::execute(app, &store, &args).await,
        Command::Compact(args) => compact::execute(app, &store, &args).await,
        Command::Gc(args) => gc::execute(app, &store, &args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The rows of a version as JSON, and its columns in order.
fn rows_of(frame: &DataFrame) -> Outcome<(Vec<String>, Vec<Row>)> {
    let columns = frame
        .get_column_names()
        .iter()
        .map(ToString::to_string)
        .collect();
    let rows = mixline_artifact::export::rows(frame)?.into_iter();
    let rows = rows.map(|row| {
        if let Value::Object(row) = row {
            row
        } else {
            Row::new()
        }
    });
    Ok((columns, rows.collect()))
}

/// Who made a version: `daily_ingest.measure`, or the step when a person ran it.
pub(crate) fn maker(provenance: Option<&Provenance>) -> String {
    match provenance {
        None => "another program".to_owned(),
        Some(Provenance { run: Some(run), .. }) => format!("{}.{}", run.dag, run.task),
        Some(provenance) => provenance.step.clone(),
    }
}

/// A version as JSON, the same wherever it appears.
fn record_json(record: &CommitRecord) -> Value {
    json!({
        "version": record.version,
        "rows": record.rows,
        "digest": record.digest,
        "operation": record.operation,
        "mode": record.mode,
        "committed_at": record.timestamp,
        "provenance": record.provenance,
    })
}

/// The aliases of one version, sorted.
async fn aliases_at(store: &Store, name: &str, version: u64) -> Outcome<Vec<String>> {
    let aliases = store.log(name)?.aliases().await?;
    Ok(aliases
        .into_iter()
        .filter(|(_, at)| *at == version)
        .map(|(alias, _)| alias)
        .collect())
}
