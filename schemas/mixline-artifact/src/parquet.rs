//! Frames to and from Parquet bytes. polars never opens a store itself.

use std::io::Cursor;

use bytes::Bytes;
use polars::prelude::*;

/// Parquet bytes of a frame: Snappy, which every reader knows.
pub(crate) fn encode(frame: &mut DataFrame) -> PolarsResult<Bytes> {
    let mut buffer = Vec::new();
    ParquetWriter::new(&mut buffer)
        .with_compression(ParquetCompression::Snappy)
        .with_row_group_size(Some(256 * 1024))
        .finish(frame)?;
    Ok(buffer.into())
}

/// The frame behind Parquet bytes.
pub(crate) fn decode(bytes: Bytes) -> PolarsResult<DataFrame> {
    ParquetReader::new(Cursor::new(bytes)).finish()
}
