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
/// A line break ends a row when an even number of quotes stands before it. A file with a lone quote
/// in it is therefore read in few blocks or one, more slowly and just the same.
pub(crate) fn blocks<R: Read>(body: R) -> impl Iterator<Item = io::Result<Block>> {
    Blocks {
        body,
        rest: Vec::new(),
        index: 0,
        done: false,
        size: BLOCK,
    }
}

struct Blocks<R> {
    body: R,
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
            if let Some(end) = last_row_end(&bytes).filter(|_| !self.done) {
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

/// Where the last row that is there in full ends.
fn last_row_end(bytes: &[u8]) -> Option<usize> {
    if !bytes.contains(&b'"') {
        return bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map(|at| at + 1);
    }
    let (mut inside, mut end) = (false, None);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => inside = !inside,
            b'\n' if !inside => end = Some(at + 1),
            _ => {}
        }
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
    }
}
