//! `mixline artifact show`.

use mixline_artifact::{CommitRecord, Snapshot, Store};
use mixline_schema::{ArtifactRef, catalog};
use serde_json::{Value, json};

use super::{aliases_at, maker, record_json, rows_of};
use crate::app::App;
use crate::diff::Row;
use crate::failure::Outcome;
use crate::ui::table::Table;
use crate::ui::words;

/// Show a version: where it came from and its first rows
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Artifact: `name`, `name@3` or `name@alias`
    #[arg(value_name = "NAME[@V]")]
    artifact: ArtifactRef,
    /// Rows to show
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    rows: usize,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let (log, version) = store.resolve(&args.artifact).await?;
    let record = log.commit_info(version).await?;
    let snapshot = log.snapshot(Some(version)).await?;
    let frame = log.read(Some(version)).await?;
    let (columns, rows) = rows_of(&frame.head(Some(args.rows)))?;
    let aliases = aliases_at(store, log.name(), version).await?;
    if app.json() {
        let mut document = record_json(&record);
        document["name"] = json!(log.name());
        document["schema_version"] = json!(snapshot.schema_version);
        document["aliases"] = json!(aliases);
        document["columns"] = json!(columns);
        document["first_rows"] = json!(rows);
        return app.document(&document);
    }
    head(app, log.name(), &record, &snapshot, &aliases)?;
    if rows.is_empty() {
        return Ok(());
    }
    app.line("")?;
    app.table(&table(&columns, &rows))?;
    let more = frame.height().saturating_sub(rows.len());
    if more > 0 {
        let rest = words::counted(more as u64, "more row");
        app.note(app.style().dim(&format!("… {rest}; `--rows N` shows them")))?;
    }
    Ok(())
}

fn head(
    app: &App,
    name: &str,
    record: &CommitRecord,
    snapshot: &Snapshot,
    aliases: &[String],
) -> Outcome<()> {
    let title = format!("{name}@{}", record.version);
    let also = if aliases.is_empty() {
        String::new()
    } else {
        format!("  {}", aliases.join(", "))
    };
    app.line(format!("{}{also}", app.style().bold(&title)))?;
    if let Some(spec) = catalog::find(name) {
        app.line(app.style().dim(&spec.doc.replace('\n', " ")))?;
    }
    let size: u64 = snapshot.files.iter().map(|file| file.size).sum();
    let files = words::counted(snapshot.files.len() as u64, "file");
    let mut fields = vec![
        (
            "rows",
            format!(
                "{} in {files}, {}",
                words::count(snapshot.rows),
                words::bytes(size)
            ),
        ),
        ("schema", format!("v{}", snapshot.schema_version)),
        ("committed", words::instant(record.timestamp)),
        ("by", maker(record.provenance.as_ref())),
        ("digest", record.digest.to_string()),
    ];
    if let Some(provenance) = &record.provenance {
        let inputs = provenance
            .inputs
            .iter()
            .map(|i| format!("{}@{}", i.artifact, i.version));
        let inputs: Vec<String> = inputs.collect();
        if !inputs.is_empty() {
            fields.push(("from", inputs.join(", ")));
        }
        fields.extend(
            provenance
                .window
                .map(|window| ("window", window.to_string())),
        );
        fields.extend(
            provenance
                .run
                .as_ref()
                .map(|run| ("run", run.run_id.clone())),
        );
    }
    for (label, value) in fields {
        app.line(format!("  {label:<10} {value}"))?;
    }
    Ok(())
}

/// Rows as a table; long cells are cut.
pub(super) fn table(columns: &[String], rows: &[Row]) -> Table {
    let numeric = |column: &str| {
        rows.iter()
            .all(|row| matches!(row.get(column), Some(Value::Number(_) | Value::Null) | None))
    };
    let header = columns.iter().map(|c| {
        if numeric(c) {
            format!(">{c}")
        } else {
            c.clone()
        }
    });
    let header: Vec<String> = header.collect();
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.row(columns.iter().map(|c| cell(row.get(c))).collect());
    }
    table
}

/// A cell for people: null is a dash, floats have at most four decimals, long text is cut.
pub(super) fn cell(value: Option<&Value>) -> String {
    const LONGEST: usize = 40;
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::Number(number)) if number.is_f64() => {
            let value = number.as_f64().unwrap_or_default();
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(Value::String(text)) if text.chars().count() > LONGEST => {
            text.chars().take(LONGEST - 1).chain(['…']).collect()
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
