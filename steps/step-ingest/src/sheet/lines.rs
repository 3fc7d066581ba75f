//! Blank lines, which the CSV reader passes over without a word. Rows are counted as a spreadsheet
//! counts them, so messages must know of them.

use csv::Position;

/// Counts blank lines between rows.
#[derive(Debug, Default)]
pub(crate) struct BlankLines {
    line: Option<u64>,
    /// Whether the line break of the last row has been passed only in half, as in `\r` of `\r\n`.
    half: bool,
}

impl BlankLines {
    /// Blank lines before the row that was just read, `breaks` line breaks being inside its cells.
    /// `position` is where the reader stands in `bytes` now.
    pub(crate) fn before_row(&mut self, position: &Position, bytes: &[u8], breaks: u64) -> u64 {
        let half = half_passed(position, bytes);
        let passed = self.passed(position);
        let own = breaks + u64::from(self.half) + u64::from(!half);
        self.half = half;
        passed.saturating_sub(own)
    }

    /// Blank lines after the last row.
    pub(crate) fn at_end(&mut self, position: &Position) -> u64 {
        self.passed(position).saturating_sub(u64::from(self.half))
    }

    fn passed(&mut self, position: &Position) -> u64 {
        let before = self.line.replace(position.line()).unwrap_or(1);
        position.line().saturating_sub(before)
    }
}

fn half_passed(position: &Position, bytes: &[u8]) -> bool {
    let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    at.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row numbers of all records of a text, counted as a spreadsheet does, and its last row.
    fn numbered(text: &str) -> (Vec<u64>, u64) {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let (mut record, mut blanks) = (csv::ByteRecord::new(), BlankLines::default());
        let (mut row, mut rows) = (0, Vec::new());
        while reader.read_byte_record(&mut record).unwrap() {
            let breaks = record
                .as_slice()
                .iter()
                .filter(|byte| **byte == b'\n')
                .count() as u64;
            row += 1 + blanks.before_row(reader.position(), text.as_bytes(), breaks);
            rows.push(row);
        }
        (rows, row + blanks.at_end(reader.position()))
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        for (text, rows, all) in [
            ("a\nb\nc", vec![1, 2, 3], 3),
            ("a\nb\nc\n", vec![1, 2, 3], 3),
            ("\na\n\n\nb\n", vec![2, 5], 5),
            ("a\r\nb\r\n", vec![1, 2], 2),
            ("\r\na\r\n\r\n\r\nb\r\nc\r\n\r\n", vec![2, 5, 6], 7),
            ("a,\"x\ny\"\n\nb,c\nd", vec![1, 3, 4], 4),
            ("a\n\n\n", vec![1], 3),
        ] {
            assert_eq!(numbered(text), (rows, all), "{text:?}");
        }
    }
}
