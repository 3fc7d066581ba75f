//! Row hashes and the content digest.
//!
//! A row's hash is XXH3-128 over the canonical encoding of its cells (see [`crate::cells`]). The
//! digest of a set of rows is the sum of their hashes modulo 2^128, so it does not depend on row
//! order or on how rows are split over files. It recognizes equal content; it is not meant to
//! withstand an adversary.

use mixline_schema::{ArtifactSpec, Digest};
use polars::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::cells::{Rows, batches};

/// The hash of every row, over all columns or only those named.
pub(crate) fn rows(frame: &DataFrame, only: Option<&[&str]>) -> PolarsResult<Vec<u128>> {
    let mut hashes = Vec::with_capacity(frame.height());
    each(frame, only, |hash| hashes.push(hash))?;
    Ok(hashes)
}

/// The sum that stands for the rows of a frame.
pub(crate) fn sum(frame: &DataFrame) -> PolarsResult<u128> {
    let mut sum = 0_u128;
    each(frame, None, |hash| sum = sum.wrapping_add(hash))?;
    Ok(sum)
}

fn each(frame: &DataFrame, only: Option<&[&str]>, mut take: impl FnMut(u128)) -> PolarsResult<()> {
    let mut buffer = Vec::with_capacity(256);
    for batch in batches(frame.height()) {
        let rows = Rows::of(frame, batch.clone(), only)?;
        for row in 0..batch.len() {
            buffer.clear();
            rows.write(row, &mut buffer);
            take(xxh3_128(&buffer));
        }
    }
    Ok(())
}

/// The content digest of a table: its declaration's identity, row count and sum of row hashes.
pub(crate) fn digest(spec_name: &str, schema_version: u32, rows: u64, sum: u128) -> Digest {
    let mut text = Vec::from(format!("{spec_name} v{schema_version} {rows} "));
    text.extend_from_slice(&sum.to_le_bytes());
    Digest::from_parts("rows", &xxh3_128(&text).to_be_bytes())
}

/// The digest of the rows of a frame.
pub(crate) fn digest_of(spec: &ArtifactSpec, frame: &DataFrame) -> PolarsResult<Digest> {
    let sum = sum(frame)?;
    Ok(digest(
        spec.name,
        spec.schema_version,
        frame.height() as u64,
        sum,
    ))
}
