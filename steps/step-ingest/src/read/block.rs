//! One block of rows into typed columns.

use chrono_tz::Tz;
use csv::StringRecord;
use polars::prelude::{ChunkedBuilder as _, Column, DataFrame, PolarsResult};

use super::columns::{Builder, empty};
use super::{Field, Format, Formats, Mapping, Need};
use crate::cell::number::NotANumber;
use crate::cell::{self, day::DayFormat, instant, number};
use crate::problem::Problem;
use crate::sheet::{BlankLines, Block, Sheet};

/// Problems of one block that are kept; the rest is counted.
const KEPT: usize = 20;

/// What is needed to read any block of a file.
pub(super) struct Reader<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) mapping: &'a Mapping,
    pub(super) formats: &'a Formats,
    pub(super) zone: Tz,
}

/// What a block became.
pub(super) struct Chunk {
    pub(super) frame: DataFrame,
    /// Rows of the block, those left out too.
    pub(super) records: u64,
    /// Rows left out, counted within the block.
    pub(super) dropped: Vec<u64>,
    /// How many of them were totals; the others were blank.
    pub(super) totals: u64,
    /// Problems; their rows are counted within the block.
    pub(super) problems: Vec<Problem>,
    pub(super) problem_count: usize,
}

/// The column of a field that has a heading.
struct Cells<'a> {
    field: &'a Field,
    format: &'a Format,
    place: usize,
    builder: Builder,
    /// The last day and its text: most rows have the day of the row above.
    day: (String, i32),
}

impl Reader<'_> {
    /// Reads a block.
    pub(super) fn chunk(&self, block: &Block) -> Chunk {
        let mut chunk = Chunk {
            frame: DataFrame::empty(),
            records: 0,
            dropped: Vec::new(),
            totals: 0,
            problems: Vec::new(),
            problem_count: 0,
        };
        let mut columns = self.columns(block.bytes.len());
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.sheet.delimiter)
            .from_reader(block.bytes.as_slice());
        let mut record = StringRecord::new();
        let (mut height, mut blanks) = (0, BlankLines::default());
        // Line breaks inside cells need quotes; most exports have none.
        let quoted = block.bytes.contains(&b'"');
        loop {
            match rows.read_record(&mut record) {
                Ok(true) => {
                    let breaks = || {
                        record
                            .as_slice()
                            .bytes()
                            .filter(|byte| *byte == b'\n')
                            .count()
                    };
                    let breaks = if quoted { breaks() as u64 } else { 0 };
                    chunk.pass(blanks.before_row(rows.position(), &block.bytes, breaks));
                }
                Ok(false) => {
                    chunk.pass(blanks.at_end(rows.position()));
                    break;
                }
                Err(error) => {
                    let message = match error.kind() {
                        csv::ErrorKind::Utf8 { .. } => {
                            "is not valid UTF-8; set `encoding` in its source file".to_owned()
                        }
                        _ => format!("is no row of a table: {error}"),
                    };
                    chunk.problem(self, None, message);
                    break;
                }
            }
            height += usize::from(self.row(&record, &mut columns, &mut chunk));
            chunk.records += 1;
        }
        match self.frame(columns, height) {
            Ok(frame) => chunk.frame = frame,
            Err(error) => chunk.problem(self, None, error.to_string()),
        }
        chunk
    }

    fn columns(&self, bytes: usize) -> Vec<Cells<'_>> {
        // An average row of exports has about this many bytes.
        let capacity = bytes / 48;
        let cells = self.mapping.fields.iter().zip(&self.formats.0).filter_map(
            |((field, place), format)| {
                let builder = Builder::new(&field.name, field.ty, capacity);
                Some(Cells {
                    field,
                    format,
                    place: (*place)?,
                    builder,
                    day: (String::new(), 0),
                })
            },
        );
        cells.collect()
    }

    /// Takes one row in; whether it was kept.
    fn row(&self, record: &StringRecord, columns: &mut [Cells<'_>], chunk: &mut Chunk) -> bool {
        let blank = is_blank(record);
        if blank || is_total(record, self.mapping) {
            chunk.dropped.push(chunk.records);
            chunk.totals += u64::from(!blank);
            return false;
        }
        if record.len() != self.sheet.headings.len() {
            let message = format!(
                "has {} cells, but there are {} headings",
                record.len(),
                self.sheet.headings.len()
            );
            chunk.problem(self, None, message);
            return false;
        }
        for cells in columns {
            let text = record.get(cells.place).unwrap_or_default();
            if let Err(message) = cells.take(text, self.zone) {
                cells.builder.null();
                chunk.problem(self, Some(cells.place), message);
            }
        }
        true
    }

    /// The columns that the file has.
    fn frame(&self, columns: Vec<Cells<'_>>, height: usize) -> PolarsResult<DataFrame> {
        if height == 0 {
            return Ok(empty(self.mapping));
        }
        let columns = columns.into_iter().map(|cells| cells.builder.finish());
        DataFrame::new(height, columns.collect::<PolarsResult<Vec<Column>>>()?)
    }
}

impl Chunk {
    /// Passes over blank lines.
    fn pass(&mut self, blanks: u64) {
        self.dropped.extend(self.records..self.records + blanks);
        self.records += blanks;
    }

    fn problem(&mut self, reader: &Reader<'_>, place: Option<usize>, message: String) {
        self.problem_count += 1;
        if self.problems.len() < KEPT {
            self.problems.push(Problem {
                file: reader.sheet.file.clone(),
                row: Some(self.records),
                column: place.map(|place| reader.sheet.headings.at(place).text.clone()),
                message,
            });
        }
    }
}

impl Cells<'_> {
    /// Takes one cell in; what is wrong with it otherwise.
    fn take(&mut self, text: &str, zone: Tz) -> Result<(), String> {
        if let (Builder::Day(column), true) = (&mut self.builder, text == self.day.0)
            && !text.is_empty()
        {
            column.append_value(self.day.1);
            return Ok(());
        }
        if cell::is_empty(text) {
            if self.field.need == Need::Full {
                return Err("is empty".to_owned());
            }
            self.builder.null();
            return Ok(());
        }
        match &mut self.builder {
            Builder::Text(column) => column.append_value(text.trim()),
            Builder::Count(column) => {
                column.append_value(number::count(text).map_err(|fault| wrong(text, fault))?);
            }
            Builder::Amount(column) => {
                let mark = if let Format::Amount(mark) = self.format {
                    *mark
                } else {
                    None
                };
                column
                    .append_value(number::amount(text, mark).map_err(|fault| wrong(text, fault))?);
            }
            Builder::Day(column) => {
                let Format::Day(format) = self.format else {
                    return Err("has no format".into());
                };
                let day = read_day(format, text)?;
                self.day = (text.to_owned(), day);
                column.append_value(day);
            }
            Builder::Instant(column) => {
                let at = instant::read(text, zone).ok_or_else(|| {
                    format!("{} is no instant (2026-09-01 09:58:12 +0200)", quoted(text))
                })?;
                column.append_value(at);
            }
        }
        Ok(())
    }
}

fn read_day(format: &DayFormat, text: &str) -> Result<i32, String> {
    format.read(text).ok_or_else(|| {
        format!(
            "{} is no day written as {} like the others",
            quoted(text),
            format.name()
        )
    })
}

fn wrong(text: &str, fault: NotANumber) -> String {
    let text = quoted(text);
    match fault {
        NotANumber::Text => format!("{text} is not a number"),
        NotANumber::Ambiguous => {
            format!("{text} can be read in two ways; set `decimal` in the source file")
        }
        NotANumber::Fraction => format!("{text} is not a whole number"),
    }
}

/// A cell in an error message, cut if long. An address never gets into one.
fn quoted(text: &str) -> String {
    if text.contains('@') {
        return "the cell".to_owned();
    }
    let short: String = text.trim().chars().take(40).collect();
    let more = if short.len() < text.trim().len() {
        "…"
    } else {
        ""
    };
    format!("\"{short}{more}\"")
}

/// Whether no cell holds anything. Nearly every row shows otherwise with its first character.
fn is_blank(record: &StringRecord) -> bool {
    let shows = record.as_slice().starts_with(|c: char| !c.is_whitespace());
    !shows && record.as_slice().trim().is_empty()
}

/// Whether a row sums up others: it has no day, and no name or a cell that says so.
pub(super) fn is_total(record: &StringRecord, mapping: &Mapping) -> bool {
    let Some(totals) = &mapping.totals else {
        return false;
    };
    let cell = |place: usize| record.get(place).unwrap_or_default().trim();
    let day = cell(totals.day);
    if !day.is_empty() && !says_total(day) {
        return false;
    }
    let nameless = totals.name.is_some_and(|name| cell(name).is_empty());
    nameless || record.iter().any(|cell| says_total(cell.trim()))
}

fn says_total(cell: &str) -> bool {
    const WORDS: [&str; 3] = ["total", "gesamt", "summe"];
    let starts = |word: &&str| {
        cell.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    WORDS.iter().any(starts)
}
