//! `mixline artifact list`.

use mixline_artifact::Store;
use serde_json::json;

use super::{maker, record_json};
use crate::app::{self, App};
use crate::failure::Outcome;
use crate::ui::table::Table;
use crate::ui::words;

/// List the artifacts with their newest versions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(super) async fn execute(app: &App, store: &Store, _: &Args) -> Outcome<()> {
    let mut table = Table::new(&[
        "artifact",
        ">version",
        ">rows",
        "committed",
        "by",
        "aliases",
    ]);
    let mut documents = Vec::new();
    for name in store.artifacts().await? {
        let log = store.log(&name)?;
        let Some(head) = log.head().await? else {
            continue;
        };
        let record = log.commit_info(head).await?;
        let aliases = log.aliases().await?;
        let shown = aliases
            .iter()
            .map(|(alias, version)| format!("{alias}@{version}"));
        table.row(vec![
            name.clone(),
            head.to_string(),
            words::count(record.rows),
            words::ago(record.timestamp, app::now()),
            maker(record.provenance.as_ref()),
            shown.collect::<Vec<_>>().join(", "),
        ]);
        let mut document = record_json(&record);
        document["name"] = json!(name);
        document["aliases"] = json!(aliases);
        documents.push(document);
    }
    if app.json() {
        return app.document(&json!({ "store": store.url(), "artifacts": documents }));
    }
    if documents.is_empty() {
        return app.note(format!(
            "{} holds no artifacts yet; `mixline run DAG` makes some",
            store.url()
        ));
    }
    app.table(&table)
}
