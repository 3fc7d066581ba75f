//! `mixline artifact history`.

use mixline_artifact::Store;
use mixline_schema::ArtifactRef;
use serde_json::{Value, json};

use super::{maker, record_json};
use crate::app::App;
use crate::failure::Outcome;
use crate::ui::table::Table;
use crate::ui::words;

/// List the versions of an artifact, newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Artifact name
    name: String,
    /// Versions to list; 0 means all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let reference: ArtifactRef = args.name.parse()?;
    let (log, head) = store.resolve(&reference).await?;
    let mut records = log.history(None).await?;
    records.retain(|record| record.version <= head);
    records.reverse();
    let total = records.len();
    if args.limit > 0 {
        records.truncate(args.limit);
    }
    let aliases = log.aliases().await?;
    if app.json() {
        let versions: Vec<Value> = records.iter().map(record_json).collect();
        let document = json!({ "name": log.name(), "aliases": aliases, "versions": versions });
        return app.document(&document);
    }
    let mut table = Table::new(&[
        ">version",
        "committed",
        "change",
        ">rows",
        "digest",
        "by",
        "from",
        "aliases",
    ]);
    for (at, record) in records.iter().enumerate() {
        let same = records
            .get(at + 1)
            .is_some_and(|before| before.digest == record.digest);
        let mode = record.mode.map_or(record.operation.clone(), |m| {
            format!("{m:?}").to_lowercase()
        });
        let inputs = record.provenance.iter().flat_map(|p| &p.inputs);
        let inputs = inputs.map(|input| format!("{}@{}", input.artifact, input.version));
        let here = aliases
            .iter()
            .filter(|(_, v)| **v == record.version)
            .map(|(a, _)| a.as_str());
        table.row(vec![
            record.version.to_string(),
            words::instant(record.timestamp),
            if same { "none".to_owned() } else { mode },
            words::count(record.rows),
            record.digest.short().to_owned(),
            maker(record.provenance.as_ref()),
            inputs.collect::<Vec<_>>().join(", "),
            here.collect::<Vec<_>>().join(", "),
        ]);
    }
    app.table(&table)?;
    if total > records.len() {
        let older = words::counted((total - records.len()) as u64, "older version");
        app.note(
            app.style()
                .dim(&format!("… {older}; `--limit 0` lists them")),
        )?;
    }
    Ok(())
}
