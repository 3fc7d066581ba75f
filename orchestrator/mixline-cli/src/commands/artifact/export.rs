//! `mixline artifact export`.

use std::path::{Path, PathBuf};

use mixline_artifact::export::{Format, encode};
use mixline_artifact::{DataFrame, Log, Store};
use mixline_schema::catalog::File;
use mixline_schema::{Artifact as _, ArtifactRef};
use serde_json::json;

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::ui::words;

/// Write a version to a file: .parquet, .csv or .json; file artifacts as they are
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Artifact: `name`, `name@3` or `name@alias`
    #[arg(value_name = "NAME[@V]")]
    artifact: ArtifactRef,
    /// File to write, or, for a file artifact, a folder
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let (log, version) = store.resolve(&args.artifact).await?;
    let frame = log.read(Some(version)).await?;
    let (to, bytes) = match format_of(&args.to) {
        // A table of files asked for as a table is one; anything else is the file itself.
        Some(format) if !is_file(&frame) => (args.to.clone(), encode(&frame, format)?),
        _ if is_file(&frame) => file_in(&log, version, &args.to).await?,
        _ => {
            let message = format!(
                "`{}` has no extension that says its format",
                args.to.display()
            );
            return Err(Failure::usage(message).hint("write .parquet, .csv or .json"));
        }
    };
    write(&to, &bytes)?;
    let size = bytes.len() as u64;
    if app.json() {
        let document = json!({
            "name": log.name(), "version": version, "file": to, "rows": frame.height(), "bytes": size,
        });
        return app.document(&document);
    }
    let rows = words::counted(frame.height() as u64, "row");
    app.note(format!(
        "{}@{version} → {} ({rows}, {})",
        log.name(),
        to.display(),
        words::bytes(size)
    ))
}

fn format_of(path: &Path) -> Option<Format> {
    Format::of_extension(path.extension()?.to_str()?)
}

fn is_file(frame: &DataFrame) -> bool {
    let columns = File::spec().columns.iter().map(|column| column.name);
    frame
        .get_column_names()
        .iter()
        .map(|name| name.as_str())
        .eq(columns)
}

/// The bytes of a file artifact, and where they go: a folder gets the file's own name.
async fn file_in(log: &Log, version: u64, to: &Path) -> Outcome<(PathBuf, Vec<u8>)> {
    let mut files = log.read_table::<File>(Some(version)).await?.rows();
    let Some(file) = files.pop().filter(|_| files.is_empty()) else {
        let message = format!("`{}@{version}` does not hold exactly one file", log.name());
        return Err(Failure::data(message));
    };
    // A stored name is a file name, never a way out of the folder.
    let name = Path::new(&file.name)
        .file_name()
        .unwrap_or_else(|| log.name().as_ref());
    let to = if to.is_dir() {
        to.join(name)
    } else {
        to.to_owned()
    };
    Ok((to, file.bytes))
}

/// Writes beside the file first, so that a full disk leaves no half file under its name.
fn write(to: &Path, bytes: &[u8]) -> Outcome<()> {
    let failed = |source| Failure::file("write", to, source);
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, to));
    written.map_err(|source| {
        let _ = std::fs::remove_file(&partial);
        Failure::file("write", to, source)
    })
}
