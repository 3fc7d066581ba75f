//! The rows of a file in blocks that end where a row ends, so that several can be read at a time.

use std::io::{self, Read};

/// Bytes read at a time.
const BLOCK: usize = 8 << 20;

/// Whole rows.
#[derive(Debug)]
pub(crate) struct Block {
    /// Place among the blocks.
    pub(crate) index: usize,
    /// The rows.
    pub(crate) bytes: Vec<u8>,
}

/// Cuts what `body` holds into blocks.
///
/// A line break ends a row unless it stands in a quoted cell. A quote opens one only where a cell
/// begins; anywhere else (a size of 5" in a name) it is a character like any other.
pub(crate) fn blocks<R: Read>(body: R, delimiter: u8) -> impl Iterator<Item = io::Result<Block>> {
    Blocks {
        body,
        delimiter,
        rest: Vec::new(),
        index: 0,
        done: false,
        size: BLOCK,
    }
}

struct Blocks<R> {
    body: R,
    delimiter: u8,
    rest: Vec<u8>,
    index: usize,
    done: bool,
    size: usize,
}

impl<R: Read> Blocks<R> {
    fn block(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut wanted = self.size;
        while !self.done {
            let before = bytes.len();
            let more = wanted.saturating_sub(before).max(self.size / 8) as u64;
            self.body.by_ref().take(more).read_to_end(&mut bytes)?;
            self.done = bytes.len() == before;
            if let Some(end) = last_row_end(&bytes, self.delimiter).filter(|_| !self.done) {
                self.rest = bytes.split_off(end);
                return Ok(Some(bytes));
            }
            wanted = 2 * bytes.len();
        }
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = io::Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.block().transpose()?;
        let index = self.index;
        self.index += 1;
        Some(block.map(|bytes| Block { index, bytes }))
    }
}

/// Where in a row a byte stands.
#[derive(Clone, Copy)]
enum Place {
    CellStart,
    Cell,
    Quoted,
    /// After a quote in a quoted cell: the cell's end, or half of a doubled quote.
    Quote,
}

/// Where the last row that is there in full ends.
fn last_row_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    if !bytes.contains(&b'"') {
        return bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map(|at| at + 1);
    }
    let (mut place, mut end) = (Place::CellStart, None);
    for (at, byte) in bytes.iter().enumerate() {
        place = match (place, *byte) {
            (Place::CellStart, b'"') | (Place::Quote, b'"') => Place::Quoted,
            (Place::Quoted, b'"') => Place::Quote,
            (Place::Quoted, _) => Place::Quoted,
            (_, b'\n') => {
                end = Some(at + 1);
                Place::CellStart
            }
            (_, byte) if byte == delimiter || byte == b'\r' => Place::CellStart,
            _ => Place::Cell,
        };
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, size: usize) -> Vec<String> {
        let cutter = Blocks {
            body: text.as_bytes(),
            delimiter: b',',
            rest: Vec::new(),
            index: 0,
            done: false,
            size,
        };
        cutter
            .map(|block| String::from_utf8(block.unwrap().bytes).unwrap())
            .collect()
    }

    fn rows(text: &str) -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        reader.records().map(Result::unwrap).collect()
    }

    proptest! {
        #[test]
        fn blocks_hold_the_same_rows_as_the_file(
            cells in proptest::collection::vec(
                proptest::collection::vec("[a,\"\n x]{0,6}", 1..4), 0..30
            ),
            size in 8_usize..64,
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            cells.iter().for_each(|row| writer.write_record(row).unwrap());
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let blocks = cut(&text, size);
            prop_assert_eq!(blocks.concat(), text.clone());
            let apart: Vec<_> = blocks.iter().flat_map(|block| rows(block)).collect();
            prop_assert_eq!(apart, rows(&text));
        }

        #[test]
        fn a_quote_within_a_cell_is_a_character(
            cells in proptest::collection::vec(
                "[a-c]{1,4}\"?[a-c]{0,3}(,[a-c][a-c\"]{0,2}|,){0,2}", 1..30
            ),
            size in 8_usize..64,
        ) {
            let text = cells.join("\n") + "\n";
            let blocks = cut(&text, size);
            prop_assert_eq!(blocks.concat(), text.clone());
            let apart: Vec<_> = blocks.iter().flat_map(|block| rows(block)).collect();
            prop_assert_eq!(apart, rows(&text));
            let longest = blocks.iter().map(String::len).max().unwrap_or_default();
            prop_assert!(longest <= 2 * size + 32, "{} bytes in a block of {}", longest, size);
        }
    }
}
