//! `mixline artifact compact`.

use mixline_artifact::Store;
use mixline_schema::ArtifactRef;
use serde_json::json;

use crate::app::App;
use crate::failure::Outcome;

/// Write one log file that stands for many, so that long logs are read quickly
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Artifact name
    name: String,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let reference: ArtifactRef = args.name.parse()?;
    let (log, _) = store.resolve(&reference).await?;
    let range = log.compact_log().await?;
    if app.json() {
        let document = json!({ "name": log.name(), "compacted": range });
        return app.document(&document);
    }
    app.note(match range {
        Some((first, last)) => {
            format!(
                "{}: versions {first} to {last} now read from one log file",
                log.name()
            )
        }
        None => format!("{}: one version needs no compaction", log.name()),
    })
}
