//! `mixline artifact alias`.

use mixline_artifact::Store;
use mixline_schema::ArtifactRef;
use serde_json::json;

use crate::app::App;
use crate::failure::Outcome;

/// Give a version a movable name, for example `champion`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Artifact: `name`, `name@3` or `name@alias`
    #[arg(value_name = "NAME[@V]")]
    artifact: ArtifactRef,
    /// The name
    alias: String,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let (log, version) = store.resolve(&args.artifact).await?;
    let before = log.alias(&args.alias).await?;
    log.set_alias(&args.alias, version).await?;
    if app.json() {
        let name = log.name();
        let document =
            json!({ "name": name, "alias": args.alias, "version": version, "before": before });
        return app.document(&document);
    }
    let moved = match before {
        Some(before) if before != version => format!(" (was {}@{before})", log.name()),
        _ => String::new(),
    };
    app.note(format!(
        "{}@{} is {}@{version}{moved}",
        log.name(),
        args.alias,
        log.name()
    ))
}
