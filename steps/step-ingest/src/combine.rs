//! Rows with the same key: within a file, over the files of a source, over sources.

use std::collections::{HashMap, HashSet};

use mixline_step::StepError;
use polars::prelude::*;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Pairs of rows that are named.
const NAMED: usize = 5;

/// Pairs of rows of a frame that have the same key: the first and a later one. Only a few.
pub(crate) fn same_keys(frame: &DataFrame, key: &[&str]) -> PolarsResult<Vec<(usize, usize)>> {
    let hashes = hashes(frame, key)?;
    let mut sorted = hashes.clone();
    sorted.sort_unstable();
    let twice: HashSet<u128> = sorted
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .collect();
    drop(sorted);
    if twice.is_empty() {
        return Ok(Vec::new());
    }
    let mut first: HashMap<u128, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (row, hash) in hashes
        .into_iter()
        .enumerate()
        .filter(|(_, hash)| twice.contains(hash))
    {
        match first.get(&hash) {
            Some(before) => pairs.push((*before, row)),
            None => drop(first.insert(hash, row)),
        }
        if pairs.len() == NAMED {
            break;
        }
    }
    Ok(pairs)
}

/// The rows of several files as one frame: a key that a later file has, too, is taken from it.
pub(crate) fn restated(
    parts: Vec<DataFrame>,
    key: &[&str],
) -> Result<Option<DataFrame>, StepError> {
    let failed = |error| StepError::bug("files of one source do not fit together").because(error);
    let mut seen: HashSet<u128> = HashSet::new();
    let mut kept: Vec<DataFrame> = Vec::new();
    let count = parts.len();
    for (place, part) in parts.into_iter().enumerate().rev() {
        let hashes = if count > 1 {
            hashes(&part, key).map_err(failed)?
        } else {
            Vec::new()
        };
        let part = if seen.is_empty() {
            part
        } else {
            let mask: BooleanChunked = hashes
                .iter()
                .map(|hash| Some(!seen.contains(hash)))
                .collect();
            part.filter(&mask).map_err(failed)?
        };
        kept.push(part);
        if place > 0 {
            seen.extend(hashes);
        }
    }
    let mut kept = kept.into_iter().rev();
    let Some(mut all) = kept.next() else {
        return Ok(None);
    };
    for part in kept {
        all.vstack_mut(&part).map_err(failed)?;
    }
    Ok(Some(all))
}

/// Rows with the same key added up: amounts and counts are summed, what no row has stays unknown,
/// and of other columns the first row's value holds.
pub(crate) fn summed(frame: DataFrame, key: &[&str]) -> PolarsResult<DataFrame> {
    let frame = frame.sort(key.iter().copied(), SortMultipleOptions::default())?;
    let hashes = hashes(&frame, key)?;
    let starts: Vec<IdxSize> = (0..hashes.len())
        .filter(|&row| row == 0 || hashes[row] != hashes[row - 1])
        .map(|row| row as IdxSize)
        .collect();
    let mut sums = frame.take(&IdxCa::from_vec("rows".into(), starts.clone()))?;
    let others = frame
        .columns()
        .iter()
        .filter(|column| !key.contains(&column.name().as_str()));
    for column in others {
        let name = column.name().clone();
        let summed = match column.dtype() {
            DataType::Float64 => {
                let cells: Vec<Option<f64>> = column.f64()?.iter().collect();
                Column::new(name, runs(&starts, &cells))
            }
            DataType::Int64 => {
                let cells: Vec<Option<i64>> = column.i64()?.iter().collect();
                Column::new(name, runs(&starts, &cells))
            }
            _ => continue,
        };
        sums.with_column(summed)?;
    }
    Ok(sums)
}

/// The sum of each run of cells.
fn runs<T: Copy + std::ops::Add<Output = T>>(
    starts: &[IdxSize],
    cells: &[Option<T>],
) -> Vec<Option<T>> {
    let ends = starts
        .iter()
        .skip(1)
        .map(|end| *end as usize)
        .chain([cells.len()]);
    let run = |(start, end): (&IdxSize, usize)| {
        cells[*start as usize..end]
            .iter()
            .flatten()
            .copied()
            .reduce(|sum, cell| sum + cell)
    };
    starts.iter().zip(ends).map(run).collect()
}

/// A hash of the key of each row: 128 bits, so that keys that differ have hashes that do.
fn hashes(frame: &DataFrame, key: &[&str]) -> PolarsResult<Vec<u128>> {
    let mut all = vec![0_u128; frame.height()];
    let mut mix = |row: usize, cell: &[u8]| {
        let before = all[row].to_le_bytes();
        let seed = u64::from_le_bytes(before[..8].try_into().expect("8 of 16 bytes"));
        all[row] = xxh3_128_with_seed(cell, seed) ^ all[row].rotate_left(64);
    };
    for name in key {
        let column = frame.column(name)?;
        if column.dtype() == &DataType::String {
            let cells = column.str()?.iter().enumerate();
            cells.for_each(|(row, cell)| mix(row, cell.unwrap_or_default().as_bytes()));
        } else {
            let column = column.cast(&DataType::Int64)?;
            let cells = column.i64()?.iter().enumerate();
            cells.for_each(|(row, cell)| mix(row, &cell.unwrap_or(i64::MIN).to_le_bytes()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rows: &[(&str, i64, Option<f64>)]) -> DataFrame {
        let names: Vec<&str> = rows.iter().map(|row| row.0).collect();
        let days: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let spend: Vec<Option<f64>> = rows.iter().map(|row| row.2).collect();
        DataFrame::new_infer_height(vec![
            Column::new("day".into(), days),
            Column::new("name".into(), names),
            Column::new("spend".into(), spend),
        ])
        .unwrap()
    }

    const KEY: [&str; 2] = ["day", "name"];

    #[test]
    fn rows_with_the_same_key_are_named_in_pairs() {
        let rows = frame(&[
            ("a", 1, None),
            ("b", 1, None),
            ("a", 2, None),
            ("a", 1, None),
        ]);
        assert_eq!(same_keys(&rows, &KEY).unwrap(), [(0, 3)]);
        assert!(same_keys(&rows.head(Some(3)), &KEY).unwrap().is_empty());
    }

    #[test]
    fn a_later_file_restates_what_an_earlier_one_said() {
        let (old, new) = (
            frame(&[("a", 1, Some(1.0)), ("b", 1, Some(2.0))]),
            frame(&[("b", 1, Some(3.0)), ("c", 1, Some(4.0))]),
        );
        let all = restated(vec![old, new], &KEY).unwrap().unwrap();
        let expected = frame(&[
            ("a", 1, Some(1.0)),
            ("b", 1, Some(3.0)),
            ("c", 1, Some(4.0)),
        ]);
        assert!(all.equals(&expected), "{all}");
        assert!(restated(Vec::new(), &KEY).unwrap().is_none());
    }

    #[test]
    fn sums_leave_out_what_is_unknown_and_stay_unknown_without_any() {
        let rows = frame(&[
            ("b", 1, None),
            ("a", 1, Some(1.0)),
            ("a", 1, Some(2.0)),
            ("a", 1, None),
        ]);
        let expected = frame(&[("a", 1, Some(3.0)), ("b", 1, None)]);
        assert!(summed(rows, &KEY).unwrap().equals_missing(&expected));
    }
}
