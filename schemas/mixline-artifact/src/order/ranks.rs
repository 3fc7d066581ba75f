//! Sorting by ranks: key cells repeat a lot, so each column's distinct values are sorted once, and
//! rows by one number made of their ranks.

use polars::prelude::*;

use super::{Arranged, Order, order_of};

/// Distinct texts of a column at most; beyond that comparing rows is cheaper than counting values.
const MOST: usize = 1 << 16;

/// One column's ranks: equal values have equal ranks, and greater ones greater ranks.
struct Ranks {
    of_row: Vec<u64>,
    bits: u32,
}

/// The rows in key order.
pub(super) fn sorted(frame: &DataFrame, key: &[&str]) -> PolarsResult<Arranged> {
    let mut frame = frame.clone();
    frame.rechunk_mut();
    let Some(keys) = packed(&frame, key)? else {
        let frame = frame.sort(key.iter().copied(), SortMultipleOptions::default())?;
        let strict = order_of(&frame, key)? == Order::Strict;
        return Ok(Arranged { frame, strict });
    };
    let mut rows: Vec<(u64, IdxSize)> = keys.into_iter().zip(0..).collect();
    rows.sort_unstable();
    let strict = rows.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let order: Vec<IdxSize> = rows.into_iter().map(|(_, row)| row).collect();
    let frame = frame.take(&IdxCa::from_vec("order".into(), order))?;
    Ok(Arranged { frame, strict })
}

/// One number for each row, in the order of the keys; `None` when they do not fit into one.
fn packed(frame: &DataFrame, key: &[&str]) -> PolarsResult<Option<Vec<u64>>> {
    let mut packed = vec![0_u64; frame.height()];
    let mut bits = 0;
    for name in key {
        let Some(ranks) = ranks(frame.column(name)?)? else {
            return Ok(None);
        };
        bits += ranks.bits;
        if bits > 64 {
            return Ok(None);
        }
        for (packed, rank) in packed.iter_mut().zip(ranks.of_row) {
            *packed = packed.checked_shl(ranks.bits).unwrap_or(0) | rank;
        }
    }
    Ok(Some(packed))
}

fn ranks(column: &Column) -> PolarsResult<Option<Ranks>> {
    if column.null_count() > 0 {
        return Ok(None);
    }
    match column.dtype() {
        DataType::String => Ok(texts(column.str()?)),
        DataType::Date | DataType::Datetime(..) | DataType::Int64 => {
            let column = column.cast(&DataType::Int64)?;
            Ok(Some(numbers(column.i64()?)))
        }
        _ => Ok(None),
    }
}

/// The rank of a number is its distance from the least one.
fn numbers(column: &Int64Chunked) -> Ranks {
    let (least, most) = (column.min().unwrap_or(0), column.max().unwrap_or(0));
    let distance =
        |number: Option<i64>| number.unwrap_or(least).wrapping_sub(least).cast_unsigned();
    Ranks {
        of_row: column.iter().map(distance).collect(),
        bits: width(distance(Some(most))),
    }
}

/// The rank of a text is its place among the distinct ones.
fn texts(column: &StringChunked) -> Option<Ranks> {
    let mut distinct: PlHashMap<&str, u64> = PlHashMap::default();
    let mut numbered = Vec::with_capacity(column.len());
    let mut last: Option<(&str, u64)> = None;
    for text in column.iter() {
        let text = text.unwrap_or_default();
        let number = match last {
            Some((before, number)) if before == text => number,
            _ => {
                let next = distinct.len() as u64;
                *distinct.entry(text).or_insert(next)
            }
        };
        if distinct.len() > MOST {
            return None;
        }
        last = Some((text, number));
        numbered.push(number);
    }
    let mut sorted: Vec<(&str, u64)> = distinct.into_iter().collect();
    sorted.sort_unstable();
    let mut rank_of = vec![0; sorted.len()];
    for (rank, (_, number)) in sorted.iter().enumerate() {
        rank_of[*number as usize] = rank as u64;
    }
    let of_row = numbered
        .into_iter()
        .map(|number| rank_of[number as usize])
        .collect();
    Some(Ranks {
        of_row,
        bits: width(sorted.len() as u64),
    })
}

/// Bits that hold every number up to this one.
fn width(most: u64) -> u32 {
    u64::BITS - most.leading_zeros()
}
