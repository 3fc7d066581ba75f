//! Key order: whether rows are in it, and bringing them there.
//!
//! Exports come day by day, so most tables are in order already, or at least in the order of their
//! first key column. The first need no sort, the second one piece at a time: a table that fills
//! half the memory must not need a second half to be sorted.

use std::cmp::Ordering;

use polars::prelude::*;

use crate::cells::{Rows, batches};

/// Rows sorted together at least, when the first key column is in order.
const PIECE: usize = 250_000;

/// Whether every row comes after the one before it; then no key occurs twice.
pub(crate) fn is_strict(frame: &DataFrame, key: &[&str]) -> PolarsResult<bool> {
    all_steps(frame, key, |step| step == Ordering::Less)
}

/// Rows in key order; frames without a key keep their order.
pub(crate) fn sorted(frame: DataFrame, key: &[&str]) -> PolarsResult<DataFrame> {
    let Some(first) = key.first() else {
        return Ok(frame);
    };
    if all_steps(&frame, key, Ordering::is_le)? {
        return Ok(frame);
    }
    let whole = |frame: &DataFrame| {
        frame.sort(
            key.iter().copied(),
            SortMultipleOptions::default().with_multithreaded(true),
        )
    };
    if frame.height() <= PIECE || !all_steps(&frame, &[first], Ordering::is_le)? {
        return whole(&frame);
    }
    let mut rest = frame;
    let mut done = DataFrame::empty_with_schema(rest.schema());
    while rest.height() > 0 {
        let cut = cut(&rest, first)?;
        done.vstack_mut(&whole(&rest.slice(0, cut))?)?;
        // The tail holds on to the chunks it still needs; those before it are freed.
        rest = rest.slice(cut as i64, rest.height() - cut);
    }
    Ok(done)
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

/// Whether each step from a row to the next is as wanted.
fn all_steps(
    frame: &DataFrame,
    key: &[&str],
    wanted: impl Fn(Ordering) -> bool,
) -> PolarsResult<bool> {
    for batch in batches(frame.height()) {
        // With the last row of the batch before, so that no step is left out.
        let start = batch.start.saturating_sub(1);
        let rows = Rows::of(frame, start..batch.end, Some(key))?;
        let length = batch.end - start;
        if !(1..length).all(|row| wanted(rows.compare(row - 1, row))) {
            return Ok(false);
        }
    }
    Ok(true)
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

    proptest! {
        #[test]
        fn sorting_gives_the_order_a_plain_sort_gives(
            rows in proptest::collection::vec((0_i64..5, "[a-c]{0,3}"), 0..60)
        ) {
            let (days, names): (Vec<i64>, Vec<String>) = rows.iter().cloned().unzip();
            let sorted = sorted(frame(&days, &names), &["day", "name"]).unwrap();
            let mut plain = rows;
            plain.sort();
            let (days, names): (Vec<i64>, Vec<String>) = plain.iter().cloned().unzip();
            prop_assert!(sorted.equals(&frame(&days, &names)));
            let unique = plain.windows(2).all(|pair| pair[0] != pair[1]);
            prop_assert_eq!(is_strict(&sorted, &["day", "name"]).unwrap(), unique);
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
        let pieces = sorted(given.clone(), &["day", "name"]).unwrap();
        let whole = given
            .sort(["day", "name"], SortMultipleOptions::default())
            .unwrap();
        assert!(pieces.equals(&whole));
        assert!(is_strict(&pieces, &["day", "name"]).unwrap());
    }
}
