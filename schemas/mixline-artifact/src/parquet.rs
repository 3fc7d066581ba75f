//! Frames to and from Parquet bytes. polars never opens a store itself.

use std::io::Cursor;

use bytes::Bytes;
use polars::prelude::*;

/// Rows that are encoded, and can be read, together.
pub(crate) const ROW_GROUP: usize = 256 * 1024;

/// Parquet bytes of a frame: Snappy, which every reader knows.
pub(crate) fn encode(frame: &mut DataFrame) -> PolarsResult<Bytes> {
    let mut buffer = Vec::new();
    ParquetWriter::new(&mut buffer)
        .with_compression(ParquetCompression::Snappy)
        .with_row_group_size(Some(ROW_GROUP))
        .finish(frame)?;
    Ok(buffer.into())
}

/// The frame behind Parquet bytes.
pub(crate) fn decode(bytes: Bytes) -> PolarsResult<DataFrame> {
    ParquetReader::new(Cursor::new(bytes)).finish()
}

/// Some rows of the frame behind Parquet bytes; whole row groups cost no more than their rows.
pub(crate) fn decode_slice(bytes: Bytes, start: usize, rows: usize) -> PolarsResult<DataFrame> {
    ParquetReader::new(Cursor::new(bytes))
        .with_slice(Some((start, rows)))
        .finish()
}
