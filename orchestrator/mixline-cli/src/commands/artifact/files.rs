//! `mixline artifact files`.

use mixline_artifact::Store;
use mixline_schema::ArtifactRef;
use serde_json::{Value, json};

use crate::app::App;
use crate::failure::Outcome;
use crate::ui::table::Table;
use crate::ui::words;

/// List the Parquet files of a version, for other readers
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Artifact: `name`, `name@3` or `name@alias`
    #[arg(value_name = "NAME[@V]")]
    artifact: ArtifactRef,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let (log, version) = store.resolve(&args.artifact).await?;
    let snapshot = log.snapshot(Some(version)).await?;
    let path = |below: &str| {
        format!(
            "{}/{}/{below}",
            store.url().trim_end_matches('/'),
            log.name()
        )
    };
    if app.json() {
        let file = |file: &mixline_artifact::DataFile| json!({ "path": path(&file.path), "rows": file.rows, "bytes": file.size });
        let files: Vec<Value> = snapshot.files.iter().map(file).collect();
        let document = json!({ "name": log.name(), "version": version, "files": files });
        return app.document(&document);
    }
    if app.quiet() {
        return snapshot
            .files
            .iter()
            .try_for_each(|file| app.line(path(&file.path)));
    }
    let mut table = Table::new(&["file", ">rows", ">size"]);
    for file in &snapshot.files {
        table.row(vec![
            path(&file.path),
            words::count(file.rows),
            words::bytes(file.size),
        ]);
    }
    app.table(&table)
}
