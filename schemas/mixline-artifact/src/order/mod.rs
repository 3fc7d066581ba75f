//! Key order: whether rows are in it, and bringing them there.
//!
//! Exports come day by day, so most tables are in order already, or at least in the order of their
//! first key column. The first need no sort, the second one piece at a time: a table that fills
//! half the memory must not need a second half to be sorted. Pieces are sorted side by side.

mod ranks;

use std::cmp::Ordering;

use polars::prelude::*;

use crate::cells::{Rows, batches};
use crate::threads;

/// Rows sorted together at least, when the first key column is in order.
const PIECE: usize = 250_000;

/// Rows in key order.
pub(crate) struct Arranged {
    /// The rows.
    pub(crate) frame: DataFrame,
    /// Whether every row comes after the one before it, so that no key occurs twice.
    pub(crate) strict: bool,
}

/// How the rows of a frame follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Strict,
    Sorted,
    None,
}

/// Rows in key order; frames without a key keep their order.
pub(crate) fn arranged(frame: DataFrame, key: &[&str]) -> PolarsResult<Arranged> {
    let Some(first) = key.first() else {
        return Ok(Arranged {
            frame,
            strict: false,
        });
    };
    let order = order_of(&frame, key)?;
    if order != Order::None {
        return Ok(Arranged {
            frame,
            strict: order == Order::Strict,
        });
    }
    let (frame, constants) = without_constants(frame);
    let by_pieces = frame.height() > PIECE && order_of(&frame, &[first])? != Order::None;
    let mut arranged = if by_pieces {
        sorted_by_pieces(frame, key)?
    } else {
        ranks::sorted(&frame, key)?
    };
    for (place, constant) in constants {
        arranged.frame.insert_column(place, constant)?;
    }
    Ok(arranged)
}

/// The columns that vary, and those that hold one value throughout (a currency, or nulls) with
/// their places. A constant takes no memory, and no order of rows changes it; a sort would write it
/// out.
fn without_constants(frame: DataFrame) -> (DataFrame, Vec<(usize, Column)>) {
    let height = frame.height();
    let columns = frame.into_columns().into_iter().enumerate();
    let (constants, varying): (Vec<_>, Vec<_>) =
        columns.partition(|(_, column)| column.as_scalar_column().is_some() && height > 1);
    let varying = varying.into_iter().map(|(_, column)| column).collect();
    (
        DataFrame::new(height, varying).unwrap_or_default(),
        constants,
    )
}

/// Rows of a frame in key order whose key is that of the row before; of several only the first.
pub(crate) fn repeated(frame: &DataFrame, key: &[&str]) -> PolarsResult<Vec<usize>> {
    let mut repeated = Vec::new();
    for batch in batches(frame.height()) {
        let start = batch.start.saturating_sub(1);
        let rows = Rows::of(frame, start..batch.end, Some(key))?;
        let same = |row: &usize| rows.compare(row - 1, *row).is_eq();
        let found = (1..batch.end - start).filter(same).map(|row| start + row);
        repeated.extend(found);
    }
    // Many equal rows are one key that occurs more than once.
    let mut last = None;
    repeated.retain(|row| last.replace(*row).is_none_or(|before| before + 1 < *row));
    Ok(repeated)
}

fn sorted_by_pieces(frame: DataFrame, key: &[&str]) -> PolarsResult<Arranged> {
    let schema = frame.schema().clone();
    let mut pieces = Vec::new();
    let mut rest = frame;
    while rest.height() > 0 {
        let cut = cut(&rest, key[0])?;
        pieces.push(rest.slice(0, cut));
        rest = rest.slice(cut as i64, rest.height() - cut);
    }
    // Each piece lets go of its chunks when it has been sorted.
    drop(rest);
    let sorted = threads::map(pieces, |piece| ranks::sorted(&piece, key));
    let (mut all, mut strict) = (DataFrame::empty_with_schema(&schema), true);
    for piece in sorted {
        let piece = piece?;
        all.vstack_mut_owned(piece.frame)?;
        // No value of the first key column lies in two pieces, so their order is strict.
        strict &= piece.strict;
    }
    Ok(Arranged { frame: all, strict })
}

/// The end of the first piece: no value of the first key column lies on both sides.
fn cut(frame: &DataFrame, first: &str) -> PolarsResult<usize> {
    let mut end = PIECE;
    while end < frame.height() {
        let stop = frame.height().min(end + PIECE);
        let rows = Rows::of(frame, end - 1..stop, Some(&[first]))?;
        let length = stop - (end - 1);
        if let Some(at) = (1..length).find(|&row| rows.compare(row - 1, row).is_ne()) {
            return Ok(end - 1 + at);
        }
        end = stop;
    }
    Ok(frame.height())
}

/// How the rows follow each other; batches are looked at side by side.
/// Whether every row comes after the one before it; always so for frames without a key.
pub(crate) fn in_order(frame: &DataFrame, key: &[&str]) -> bool {
    key.is_empty() || order_of(frame, key).is_ok_and(|order| order == Order::Strict)
}

fn order_of(frame: &DataFrame, key: &[&str]) -> PolarsResult<Order> {
    let steps = threads::map(
        batches(frame.height()).collect(),
        |batch| -> PolarsResult<Order> {
            // With the last row of the batch before, so that no step is left out.
            let start = batch.start.saturating_sub(1);
            let rows = Rows::of(frame, start..batch.end, Some(key))?;
            let mut order = Order::Strict;
            for row in 1..batch.end - start {
                match rows.compare(row - 1, row) {
                    Ordering::Less => {}
                    Ordering::Equal => order = Order::Sorted,
                    Ordering::Greater => return Ok(Order::None),
                }
            }
            Ok(order)
        },
    );
    let mut worst = Order::Strict;
    for step in steps {
        worst = worst.max(step?);
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(days: &[i64], names: &[String]) -> DataFrame {
        let columns = vec![
            Column::new("day".into(), days),
            Column::new("name".into(), names),
        ];
        DataFrame::new_infer_height(columns).unwrap()
    }

    const KEY: [&str; 2] = ["day", "name"];

    proptest! {
        #[test]
        fn sorting_gives_the_order_a_plain_sort_gives(
            rows in proptest::collection::vec((-2_i64..5, "[a-c]{0,3}|long names over twelve bytes [ab]"), 0..60)
        ) {
            let (days, names): (Vec<i64>, Vec<String>) = rows.iter().cloned().unzip();
            let arranged = arranged(frame(&days, &names), &KEY).unwrap();
            let mut plain = rows;
            plain.sort();
            let (days, names): (Vec<i64>, Vec<String>) = plain.iter().cloned().unzip();
            prop_assert!(arranged.frame.equals(&frame(&days, &names)));
            let unique = plain.windows(2).all(|pair| pair[0] != pair[1]);
            prop_assert_eq!(arranged.strict, unique);
            prop_assert_eq!(repeated(&arranged.frame, &KEY).unwrap().is_empty(), unique);
        }
    }

    #[test]
    fn a_large_frame_in_day_order_is_sorted_piece_by_piece_and_keeps_every_row() {
        let count = 3 * PIECE + 17;
        let days: Vec<i64> = (0..count).map(|row| (row / 100_003) as i64).collect();
        let names: Vec<String> = (0..count)
            .map(|row| format!("n{}", row * 7919 % count))
            .collect();
        let given = frame(&days, &names);
        let pieces = arranged(given.clone(), &KEY).unwrap();
        let whole = given.sort(KEY, SortMultipleOptions::default()).unwrap();
        assert!(pieces.frame.equals(&whole));
        assert!(pieces.strict);
    }

    #[test]
    fn a_key_that_occurs_four_times_is_named_once() {
        let names = ["a", "a", "a", "a", "b", "c", "c"].map(str::to_owned);
        let rows = frame(&[1; 7], &names);
        assert_eq!(repeated(&rows, &KEY).unwrap(), [1, 6]);
    }
}
