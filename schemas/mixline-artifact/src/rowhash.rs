//! Row hashes and the content digest.
//!
//! A row's hash is XXH3-128 over the canonical encoding of its cells: a tag byte (0 null, 1 value),
//! then little-endian numbers or length-prefixed bytes. The digest of a set of rows is the sum of
//! their hashes modulo 2^128, so it does not depend on row order or on how rows are split over
//! files. It recognizes equal content; it is not meant to withstand an adversary.

use mixline_schema::{ArtifactSpec, Digest};
use polars::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

/// The hash of every row, over all columns or only those named.
pub(crate) fn rows(frame: &DataFrame, only: Option<&[&str]>) -> PolarsResult<Vec<u128>> {
    let columns: Vec<&Column> = match only {
        Some(names) => names
            .iter()
            .map(|name| frame.column(name))
            .collect::<PolarsResult<_>>()?,
        None => frame.columns().iter().collect(),
    };
    let cells: Vec<Cells> = columns
        .into_iter()
        .map(Cells::of)
        .collect::<PolarsResult<_>>()?;
    let mut buffer = Vec::with_capacity(128);
    let hash = |row| {
        buffer.clear();
        for column in &cells {
            column.write(row, &mut buffer);
        }
        xxh3_128(&buffer)
    };
    Ok((0..frame.height()).map(hash).collect())
}

/// The sum that stands for a set of rows.
pub(crate) fn sum(hashes: &[u128]) -> u128 {
    hashes.iter().fold(0, |sum, hash| sum.wrapping_add(*hash))
}

/// The content digest of a table: its declaration's identity, row count and sum of row hashes.
pub(crate) fn digest(spec_name: &str, schema_version: u32, rows: u64, sum: u128) -> Digest {
    let mut text = Vec::from(format!("{spec_name} v{schema_version} {rows} "));
    text.extend_from_slice(&sum.to_le_bytes());
    Digest::from_parts("rows", &xxh3_128(&text).to_be_bytes())
}

/// The digest of the rows of a frame.
pub(crate) fn digest_of(spec: &ArtifactSpec, frame: &DataFrame) -> PolarsResult<Digest> {
    let sum = sum(&rows(frame, None)?);
    Ok(digest(
        spec.name,
        spec.schema_version,
        frame.height() as u64,
        sum,
    ))
}

/// One column, contiguous, ready for row access.
enum Cells {
    Text(StringChunked),
    Bytes(BinaryChunked),
    Int(Int64Chunked),
    Float(Float64Chunked),
    Bool(BooleanChunked),
}

impl Cells {
    fn of(column: &Column) -> PolarsResult<Self> {
        let column = column.rechunk();
        Ok(match column.dtype() {
            DataType::String => Self::Text(column.str()?.clone()),
            DataType::Binary => Self::Bytes(column.binary()?.clone()),
            DataType::Float64 => Self::Float(column.f64()?.clone()),
            DataType::Boolean => Self::Bool(column.bool()?.clone()),
            _ => Self::Int(column.cast(&DataType::Int64)?.i64()?.clone()),
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Text(v) => write_bytes(v.get(row).map(str::as_bytes), out),
            Self::Bytes(v) => write_bytes(v.get(row), out),
            Self::Int(v) => write_fixed(v.get(row).map(i64::to_le_bytes), out),
            // Both zeros are the same number.
            Self::Float(v) => write_fixed(v.get(row).map(|x| (x + 0.0).to_le_bytes()), out),
            Self::Bool(v) => write_fixed(v.get(row).map(|b| [u8::from(b)]), out),
        }
    }
}

fn write_bytes(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        }
    }
}

fn write_fixed<const N: usize>(value: Option<[u8; N]>, out: &mut Vec<u8>) {
    match value {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            out.extend_from_slice(&bytes);
        }
    }
}
