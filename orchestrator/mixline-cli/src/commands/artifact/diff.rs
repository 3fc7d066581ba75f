//! `mixline artifact diff`.

use mixline_artifact::Store;
use mixline_schema::{ArtifactRef, catalog};
use serde_json::json;

use super::{rows_of, show};
use crate::app::App;
use crate::diff::{self, Change, Difference, Row};
use crate::failure::Outcome;
use crate::ui::words;

/// Compare two versions: rows added, removed and changed, by key
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// First version: `name@3`
    #[arg(value_name = "NAME@A")]
    old: ArtifactRef,
    /// Second version: `name@4`
    #[arg(value_name = "NAME@B")]
    new: ArtifactRef,
    /// Rows of each kind to show
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    rows: usize,
    /// Columns that identify a row; by default the declared key
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    key: Vec<String>,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let (old_log, old_version) = store.resolve(&args.old).await?;
    let (new_log, new_version) = store.resolve(&args.new).await?;
    let (old_columns, old) = rows_of(&old_log.read(Some(old_version)).await?)?;
    let (new_columns, new) = rows_of(&new_log.read(Some(new_version)).await?)?;
    let declared = || catalog::find(new_log.name()).map_or(&[][..], |spec| spec.key);
    let key: Vec<&str> = if args.key.is_empty() {
        declared().to_vec()
    } else {
        args.key.iter().map(String::as_str).collect()
    };
    let unknown = key
        .iter()
        .find(|k| !new_columns.iter().chain(&old_columns).any(|c| c == *k));
    if let Some(unknown) = unknown {
        let message = format!("`{}` has no column `{unknown}`", new_log.name());
        let hint = format!("its columns are {}", new_columns.join(", "));
        return Err(crate::failure::Failure::usage(message).hint(hint));
    }
    let difference = diff::difference(old, new, &key);
    let (from, to) = (
        format!("{}@{old_version}", old_log.name()),
        format!("{}@{new_version}", new_log.name()),
    );
    if app.json() {
        let document = json!({ "old": from, "new": to, "key": key, "difference": difference });
        return app.document(&document);
    }
    print(
        app,
        args.rows,
        &format!("{from} → {to}"),
        &new_columns,
        &difference,
    )
}

fn print(
    app: &App,
    most: usize,
    title: &str,
    columns: &[String],
    found: &Difference,
) -> Outcome<()> {
    let style = app.style();
    let number = |n: usize| words::count(n as u64);
    app.line(format!(
        "{}  {}, {}, {}, {} unchanged",
        style.bold(title),
        style.green(&format!("{} added", number(found.added.len()))),
        style.red(&format!("{} removed", number(found.removed.len()))),
        style.yellow(&format!("{} changed", number(found.changed.len()))),
        number(found.unchanged),
    ))?;
    rows(app, &style.green("added"), most, columns, &found.added)?;
    rows(app, &style.red("removed"), most, columns, &found.removed)?;
    if !found.changed.is_empty() && most > 0 {
        app.line(format!("\n{}", style.yellow("changed")))?;
    }
    for change in found.changed.iter().take(most) {
        app.line(format!("  {}", changed(change)))?;
    }
    rest(app, most, found.changed.len())
}

fn rows(app: &App, title: &str, most: usize, columns: &[String], rows: &[Row]) -> Outcome<()> {
    if rows.is_empty() || most == 0 {
        return Ok(());
    }
    app.line(format!("\n{title}"))?;
    app.table(&show::table(columns, &rows[..rows.len().min(most)]))?;
    rest(app, most, rows.len())
}

fn rest(app: &App, most: usize, all: usize) -> Outcome<()> {
    match all.saturating_sub(most) {
        more if more > 0 && most > 0 => app.note(
            app.style()
                .dim(&format!("… {}", words::counted(more as u64, "more row"))),
        ),
        _ => Ok(()),
    }
}

/// `2026-01-02 tiktok: spend 10 → 12, clicks 3 → 4`.
fn changed(change: &Change) -> String {
    let key: Vec<String> = change
        .key
        .values()
        .map(|value| show::cell(Some(value)))
        .collect();
    let cells = change.columns.iter().map(|(column, [old, new])| {
        format!(
            "{column} {} → {}",
            show::cell(Some(old)),
            show::cell(Some(new))
        )
    });
    format!(
        "{}: {}",
        key.join(" "),
        cells.collect::<Vec<_>>().join(", ")
    )
}
