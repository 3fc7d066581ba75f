//! Plain Parquet files in place of commits, for a person with a folder.

use std::fs::{self, File};
use std::path::Path;

use mixline_artifact::Rows;
use mixline_schema::{Digest, OutputResult};
use polars::prelude::{ParquetWriter, PolarsError};

use crate::code::digest_of_file;
use crate::error::StepError;

/// One output table and where it belongs.
pub(crate) struct Output {
    pub(crate) port: &'static str,
    pub(crate) artifact: String,
    pub(crate) rows: Rows,
}

/// Writes `<artifact>.parquet` for every output. Such files have no version; the result says 0.
pub(crate) fn write(outputs: Vec<Output>, dir: &Path) -> Result<Vec<OutputResult>, StepError> {
    fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    outputs
        .into_iter()
        .map(|output| write_one(output, dir))
        .collect()
}

fn write_one(output: Output, dir: &Path) -> Result<OutputResult, StepError> {
    let Output {
        port,
        artifact,
        rows,
    } = output;
    let path = dir.join(format!("{artifact}.parquet"));
    // A reader never sees half a file: the rename is the last thing that happens.
    let draft = dir.join(format!(".{artifact}.parquet.{}", std::process::id()));
    let written = write_parquet(rows, &draft, &artifact);
    let (rows, digest) = written.inspect_err(|_| drop(fs::remove_file(&draft)))?;
    fs::rename(&draft, &path).map_err(|error| failed(&path, error))?;
    Ok(OutputResult {
        port: port.to_owned(),
        artifact,
        version: 0,
        rows,
        digest,
    })
}

/// Writes rows, one row group and more for each piece; gives their number and the file's digest.
fn write_parquet(rows: Rows, path: &Path, artifact: &str) -> Result<(u64, Digest), StepError> {
    let encoding = |error: PolarsError| match error {
        PolarsError::IO { error, .. } => StepError::storage(unwritten(path)).because(error),
        other => {
            StepError::bug(format!("`{artifact}` cannot be written as Parquet")).because(other)
        }
    };
    let file = File::create(path).map_err(|error| failed(path, error))?;
    let columns = rows.empty();
    let writer = ParquetWriter::new(file).batched(columns.schema());
    let mut writer = writer.map_err(encoding)?;
    let mut count = 0;
    for frame in rows.frames() {
        let frame = frame?;
        count += frame.height() as u64;
        writer.write_batch(&frame).map_err(encoding)?;
    }
    writer.finish().map_err(encoding)?;
    let digest = digest_of_file(path).map_err(|error| failed(path, error))?;
    Ok((count, digest))
}

fn unwritten(path: &Path) -> String {
    format!("`{}` cannot be written", path.display())
}

fn failed(path: &Path, error: std::io::Error) -> StepError {
    StepError::storage(unwritten(path)).because(error)
}
