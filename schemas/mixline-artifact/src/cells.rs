//! Rows seen cell by cell: compared in key order, and written in one canonical encoding.
//!
//! Frames may be large and lie in many pieces, so nothing here copies a whole one: callers walk
//! over [`batches`] and look at one at a time.

use std::cmp::Ordering;
use std::ops::Range;

use polars::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

/// Rows looked at together: few enough to stay in the cache, many enough to be worth a call.
const BATCH: usize = 65_536;

/// The row ranges of a frame's batches.
pub(crate) fn batches(height: usize) -> impl Iterator<Item = Range<usize>> {
    (0..height)
        .step_by(BATCH)
        .map(move |start| start..height.min(start + BATCH))
}

/// Rows of one batch, contiguous, ready for row access.
pub(crate) struct Rows(Vec<Cells>);

impl Rows {
    /// The rows in a range, with all columns or only those named.
    pub(crate) fn of(
        frame: &DataFrame,
        range: Range<usize>,
        only: Option<&[&str]>,
    ) -> PolarsResult<Self> {
        let part = |column: &Column| Cells::of(&column.slice(range.start as i64, range.len()));
        let columns: PolarsResult<Vec<Cells>> = match only {
            Some(names) => names.iter().map(|name| part(frame.column(name)?)).collect(),
            None => frame.columns().iter().map(part).collect(),
        };
        columns.map(Self)
    }

    /// Writes a row: for each cell that is not null the tag of its column, then little-endian
    /// numbers or length-prefixed bytes. A null writes nothing, so a nullable column that is added
    /// later does not change the encoding of older rows.
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        for cells in &self.0 {
            cells.write(row, out);
        }
    }

    /// The order of two rows, by the columns from first to last; nulls come first.
    pub(crate) fn compare(&self, left: usize, right: usize) -> Ordering {
        let orders = self.0.iter().map(|cells| cells.compare(left, right));
        orders
            .into_iter()
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// One column.
struct Cells {
    tag: [u8; 4],
    values: Values,
}

enum Values {
    Text(StringChunked),
    Bytes(BinaryChunked),
    Int(Int64Chunked),
    Float(Float64Chunked),
    Bool(BooleanChunked),
}

impl Cells {
    fn of(column: &Column) -> PolarsResult<Self> {
        let column = column.rechunk();
        let values = match column.dtype() {
            DataType::String => Values::Text(column.str()?.clone()),
            DataType::Binary => Values::Bytes(column.binary()?.clone()),
            DataType::Float64 => Values::Float(column.f64()?.clone()),
            DataType::Boolean => Values::Bool(column.bool()?.clone()),
            _ => Values::Int(column.cast(&DataType::Int64)?.i64()?.clone()),
        };
        let [a, b, c, d, ..] = xxh3_64(column.name().as_bytes()).to_le_bytes();
        Ok(Self {
            tag: [a, b, c, d],
            values,
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.values {
            Values::Text(v) => self.bytes(v.get(row).map(str::as_bytes), out),
            Values::Bytes(v) => self.bytes(v.get(row), out),
            Values::Int(v) => self.fixed(v.get(row).map(i64::to_le_bytes), out),
            // Both zeros are the same number.
            Values::Float(v) => self.fixed(v.get(row).map(|x| (x + 0.0).to_le_bytes()), out),
            Values::Bool(v) => self.fixed(v.get(row).map(|b| [u8::from(b)]), out),
        }
    }

    fn bytes(&self, value: Option<&[u8]>, out: &mut Vec<u8>) {
        if let Some(bytes) = value {
            out.extend_from_slice(&self.tag);
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        }
    }

    fn fixed<const N: usize>(&self, value: Option<[u8; N]>, out: &mut Vec<u8>) {
        if let Some(bytes) = value {
            out.extend_from_slice(&self.tag);
            out.extend_from_slice(&bytes);
        }
    }

    fn compare(&self, left: usize, right: usize) -> Ordering {
        match &self.values {
            Values::Text(v) => v.get(left).cmp(&v.get(right)),
            Values::Bytes(v) => v.get(left).cmp(&v.get(right)),
            Values::Int(v) => v.get(left).cmp(&v.get(right)),
            Values::Bool(v) => v.get(left).cmp(&v.get(right)),
            Values::Float(v) => v
                .get(left)
                .partial_cmp(&v.get(right))
                .unwrap_or(Ordering::Equal),
        }
    }
}
