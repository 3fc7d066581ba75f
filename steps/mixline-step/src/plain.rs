//! Plain Parquet files in place of commits, for a person with a folder.

use std::fs;
use std::path::Path;

use mixline_artifact::Checked;
use mixline_schema::{Digest, OutputResult};
use polars::prelude::ParquetWriter;

use crate::error::StepError;

/// One output table and where it belongs.
pub(crate) struct Output {
    pub(crate) port: &'static str,
    pub(crate) artifact: String,
    pub(crate) rows: Checked,
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
    let mut frame = rows.into_df();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .finish(&mut frame)
        .map_err(|error| {
            StepError::bug(format!("`{artifact}` cannot be written as Parquet")).because(error)
        })?;
    let path = dir.join(format!("{artifact}.parquet"));
    // A reader never sees half a file: the rename is the last thing that happens.
    let draft = dir.join(format!(".{artifact}.parquet.{}", std::process::id()));
    fs::write(&draft, &bytes).map_err(|error| failed(&draft, error))?;
    fs::rename(&draft, &path).map_err(|error| failed(&path, error))?;
    Ok(OutputResult {
        port: port.to_owned(),
        artifact,
        version: 0,
        rows: frame.height() as u64,
        digest: Digest::of_bytes(&bytes),
    })
}

fn failed(path: &Path, error: std::io::Error) -> StepError {
    StepError::storage(format!("`{}` cannot be written", path.display())).because(error)
}
