//! `mixline artifact gc`.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use mixline_artifact::{Retention, Store};
use mixline_schema::ArtifactRef;
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::ui::table::Table;
use crate::ui::words;

/// Remove data files that no kept version needs; says what it would do unless `--apply`
///
/// Kept: the last N versions of every artifact, every alias, and every version that a kept one was
/// made from. Versions that are removed stay in the history.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Versions of each artifact to keep
    #[arg(long, value_name = "N", default_value_t = 20)]
    keep_last: u64,
    /// Leave younger files alone: a commit under way may need them
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    min_age_hours: u32,
    /// A version to keep, too
    #[arg(long, value_name = "NAME@V")]
    pin: Vec<ArtifactRef>,
    /// Remove the files
    #[arg(long)]
    apply: bool,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    if args.keep_last == 0 {
        return Err(Failure::usage("`--keep-last 0` would keep nothing").hint("keep at least 1"));
    }
    let mut pins = BTreeSet::new();
    for pin in &args.pin {
        let (log, version) = store.resolve(pin).await?;
        pins.insert((log.name().to_owned(), version));
    }
    let min_age = TimeDelta::hours(i64::from(args.min_age_hours));
    let policy = Retention {
        keep_last: args.keep_last,
        min_age,
        pins,
    };
    let mut table = Table::new(&["artifact", ">files", ">size", ">versions kept"]);
    let (mut documents, mut files, mut bytes) = (Vec::<Value>::new(), 0, 0);
    for name in store.artifacts().await? {
        let report = store
            .log(&name)?
            .gc(&policy, app::now(), !args.apply)
            .await?;
        let removed = report.removed.len() as u64;
        (files, bytes) = (files + removed, bytes + report.bytes);
        let kept = report.kept.len() as u64;
        let cells = [
            words::count(removed),
            words::bytes(report.bytes),
            words::count(kept),
        ];
        table.row([name.clone()].into_iter().chain(cells).collect());
        documents.push(json!({
            "name": name, "removed": report.removed, "bytes": report.bytes, "kept": report.kept,
        }));
    }
    if app.json() {
        let document = json!({ "applied": args.apply, "bytes": bytes, "artifacts": documents });
        return app.document(&document);
    }
    if files > 0 {
        app.table(&table)?;
        app.line("")?;
    }
    let (files, bytes) = (words::counted(files, "file"), words::bytes(bytes));
    app.line(match args.apply {
        true => format!("removed {files}, {bytes}"),
        false => format!("would remove {files}, {bytes}; `--apply` does it"),
    })
}
