//! A sheet into typed columns: find the fields by their headings, learn from the cells how days
//! and numbers are written, then read all of it, blocks side by side.

mod block;
mod columns;
mod field;
mod formats;

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use polars::prelude::DataFrame;

pub(crate) use field::{Field, Mapping, Need, Type};
pub(crate) use formats::{Format, Formats};

use crate::describe::Source;
use crate::problem::{Problem, Problems};
use crate::sheet::{Block, Sheet, blocks};
use block::Chunk;

/// Threads that read blocks.
const READERS: usize = 2;

/// The rows of a file, typed.
pub(crate) struct Rows {
    /// One column per field, under the field's name; fields without a heading are null.
    pub(crate) frame: DataFrame,
    /// Where each row stands in the file.
    pub(crate) places: Places,
    /// Total and summary rows that were left out.
    pub(crate) totals: u64,
    /// How the columns were written.
    pub(crate) formats: Formats,
}

/// From the place in a frame to the row in the file.
#[derive(Debug)]
pub(crate) struct Places {
    first: u64,
    /// Rows left out, counted from the first, in order.
    dropped: Vec<u64>,
}

impl Places {
    /// The row as a spreadsheet numbers it.
    pub(crate) fn row(&self, kept: usize) -> u64 {
        // Every row left out at or before the one looked for moves it down by one.
        let mut at = kept as u64;
        for dropped in &self.dropped {
            if *dropped > at {
                break;
            }
            at += 1;
        }
        self.first + at
    }
}

/// Reads the rows of a sheet; `None` when there are problems, which have been added.
pub(crate) fn rows(
    sheet: &Sheet,
    mapping: &Mapping,
    source: &Source,
    problems: &mut Problems,
) -> Option<Rows> {
    let formats = match Formats::learn(sheet, mapping, source) {
        Ok(formats) => formats,
        Err(found) => {
            for problem in found.problems {
                problems.add(problem);
            }
            problems.hint(found.hint);
            return None;
        }
    };
    let reader = block::Reader {
        sheet,
        mapping,
        formats: &formats,
        zone: source.zone(),
    };
    let chunks = match side_by_side(sheet, |block| reader.chunk(&block)) {
        Ok(chunks) => chunks,
        Err(error) => {
            problems.add(Problem::of_file(
                &sheet.file,
                format!("cannot be read: {error}"),
            ));
            return None;
        }
    };
    let (frame, places, totals) = assemble(sheet, mapping, chunks, problems)?;
    Some(Rows {
        frame,
        places,
        totals,
        formats,
    })
}

/// Puts the chunks together in order.
fn assemble(
    sheet: &Sheet,
    mapping: &Mapping,
    chunks: Vec<Chunk>,
    problems: &mut Problems,
) -> Option<(DataFrame, Places, u64)> {
    let mut frame = columns::empty(mapping);
    let mut places = Places {
        first: sheet.heading_row + 1,
        dropped: Vec::new(),
    };
    let (mut before, mut totals, mut good) = (0, 0, true);
    for chunk in chunks {
        let row = |problem: Problem| Problem {
            row: problem.row.map(|row| row + places.first + before),
            ..problem
        };
        good &= chunk.problem_count == 0;
        let found = chunk.problems.into_iter().map(row).collect();
        problems.extend(found, chunk.problem_count);
        places
            .dropped
            .extend(chunk.dropped.iter().map(|at| at + before));
        before += chunk.records;
        totals += chunk.totals;
        if good && frame.vstack_mut_owned(chunk.frame).is_err() {
            problems.add(Problem::of_file(
                &sheet.file,
                "its blocks do not fit together",
            ));
            good = false;
        }
    }
    match columns::complete(mapping, frame) {
        Ok(frame) if good => Some((frame, places, totals)),
        _ => None,
    }
}

/// Does `work` on every block, on several threads; the results in the order of the blocks.
fn side_by_side<T: Send>(sheet: &Sheet, work: impl Fn(Block) -> T + Sync) -> io::Result<Vec<T>> {
    let body = sheet.body()?;
    let done: Mutex<Vec<(usize, T)>> = Mutex::default();
    // As many blocks wait as there are readers: the disk is kept busy, and memory is bounded.
    let (send, receive) = sync_channel::<Block>(READERS);
    let queue = Mutex::new(receive);
    let next = |queue: &Mutex<Receiver<Block>>| {
        queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .recv()
            .ok()
    };
    let read = std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while let Some(block) = next(&queue) {
                    let index = block.index;
                    let result = work(block);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((index, result));
                }
            });
        }
        let send = send;
        for block in blocks(body, sheet.delimiter) {
            if send.send(block?).is_err() {
                break;
            }
        }
        Ok::<(), io::Error>(())
    });
    read?;
    let mut done = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_left_out_move_the_later_ones_down() {
        let places = Places {
            first: 2,
            dropped: vec![0, 2, 3],
        };
        let rows: Vec<u64> = (0..3).map(|kept| places.row(kept)).collect();
        assert_eq!(rows, [3, 6, 7]);
    }
}
