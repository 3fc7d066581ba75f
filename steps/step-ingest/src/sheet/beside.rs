//! Files whose rows belong together one by one, as features and target often do.

use std::io::Read as _;
use std::path::Path;

use super::{Body, single};
use crate::describe::Source;
use crate::problem::Problem;

/// The rows of several files side by side, as one comma-separated text. All must have as many rows.
pub(super) fn join(
    folder: &Path,
    file: &str,
    others: &[String],
    source: &Source,
) -> Result<Vec<u8>, Problem> {
    let mut rows = records(folder, file, source)?;
    for other in others {
        let beside = records(folder, other, source)?;
        if beside.len() != rows.len() {
            let message = format!(
                "has {} rows, but {file}, which it stands beside, has {}",
                beside.len(),
                rows.len()
            );
            return Err(Problem::of_file(other, message));
        }
        for (row, more) in rows.iter_mut().zip(beside) {
            row.extend(&more);
        }
    }
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let written = rows
        .iter()
        .try_for_each(|row| writer.write_byte_record(row));
    let text = written.map_err(|error| error.to_string());
    text.and_then(|()| writer.into_inner().map_err(|error| error.to_string()))
        .map_err(|message| Problem::of_file(file, message))
}

fn records(folder: &Path, file: &str, source: &Source) -> Result<Vec<csv::ByteRecord>, Problem> {
    let failed = |message: String| Problem::of_file(file, message);
    let (_, body, _, skip) = single(folder, file, source)?;
    let mut bytes = Vec::new();
    match body {
        Body::Memory(text) => bytes = text,
        Body::Disk(path) => {
            let mut disk = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
            disk.read_to_end(&mut bytes)
                .map_err(|e| failed(e.to_string()))?;
            bytes.drain(..usize::try_from(skip).unwrap_or(0));
        }
    }
    let delimiter = source
        .delimiter
        .and_then(|d| u8::try_from(d).ok())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(bytes.as_slice());
    reader
        .byte_records()
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))
}
