//! A delimited text file: what it is written in, where its headings are, and its rows in blocks.

mod beside;
mod blocks;
mod encoding;
mod headings;
mod lines;

use std::fs::File;
use std::io::{Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;

pub(crate) use blocks::{Block, blocks};
pub(crate) use headings::Headings;
pub(crate) use lines::BlankLines;

use crate::describe::Source;
use crate::problem::Problem;

/// Bytes that are looked at to find out what a file is.
const HEAD: usize = 1 << 20;
/// Rows above the headings at most: titles and date ranges of reports.
const PREAMBLE: usize = 20;
/// Delimiters that are tried.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// An open file whose headings have been found.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// File, relative to the data folder.
    pub(crate) file: String,
    /// Encoding, for the report.
    pub(crate) encoding: &'static str,
    /// Delimiter.
    pub(crate) delimiter: u8,
    /// Row of the headings, from 1.
    pub(crate) heading_row: u64,
    /// The headings.
    pub(crate) headings: Headings,
    body: Body,
    start: u64,
}

#[derive(Debug)]
enum Body {
    /// UTF-8, read from the disk piece by piece.
    Disk(std::path::PathBuf),
    /// Another encoding, converted.
    Memory(Vec<u8>),
}

impl Sheet {
    /// Opens a file and looks for a row of headings with which `wanted` finds all it needs.
    ///
    /// `wanted` answers with what is missing; the row that misses least is in the message when no
    /// row has all.
    pub(crate) fn open(
        folder: &Path,
        file: &str,
        source: &Source,
        wanted: impl Fn(&Headings) -> Vec<String>,
    ) -> Result<Self, Problem> {
        let (encoding, body, head, skip) = match source.beside.as_slice() {
            [] => single(folder, file, source)?,
            others => {
                let text = beside::join(folder, file, others, source)?;
                ("UTF-8", Body::Memory(text.clone()), text, 0)
            }
        };
        let found =
            find(&head, source.delimiter, &wanted).map_err(|m| Problem::of_file(file, m))?;
        Ok(Self {
            file: file.to_owned(),
            encoding,
            delimiter: found.delimiter,
            heading_row: found.row,
            headings: found.headings,
            body,
            start: skip + found.end,
        })
    }

    /// The bytes below the headings.
    pub(crate) fn body(&self) -> std::io::Result<Box<dyn Read + Send + '_>> {
        match &self.body {
            Body::Disk(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(self.start))?;
                Ok(Box::new(file))
            }
            Body::Memory(bytes) => {
                let mut cursor = Cursor::new(bytes.as_slice());
                cursor.set_position(self.start);
                Ok(Box::new(cursor))
            }
        }
    }

    /// The delimiter in a word.
    pub(crate) fn delimiter_name(&self) -> &'static str {
        match self.delimiter {
            b'\t' => "tab",
            b';' => "semicolon",
            b'|' => "bar",
            b',' => "comma",
            _ => "other",
        }
    }
}

/// Encoding, body, its head in UTF-8, and the bytes before it.
type Opened = (&'static str, Body, Vec<u8>, u64);

fn single(folder: &Path, file: &str, source: &Source) -> Result<Opened, Problem> {
    let path = folder.join(file);
    let failed = |error: std::io::Error| Problem::of_file(file, format!("cannot be read: {error}"));
    let mut head = Vec::new();
    let mut disk = File::open(&path).map_err(failed)?;
    disk.by_ref()
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(failed)?;
    let whole = head.len() < HEAD;
    let encoding = encoding::detect(&head, source.encoding.as_deref(), whole)
        .map_err(|message| Problem::of_file(file, message))?;
    if encoding.is_utf8() {
        let skip = encoding.mark();
        return Ok((
            encoding.name(),
            Body::Disk(path),
            head.split_off(skip),
            skip as u64,
        ));
    }
    disk.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut bytes = Vec::new();
    disk.read_to_end(&mut bytes).map_err(failed)?;
    let text = encoding
        .decode(&bytes)
        .map_err(|message| Problem::of_file(file, message))?;
    let text = text.into_bytes();
    Ok((encoding.name(), Body::Memory(text.clone()), text, 0))
}

/// The place after a line break that the reader has passed only in half, as in `\r` of `\r\n`.
fn after_break(at: u64, text: &[u8]) -> u64 {
    let here = usize::try_from(at).unwrap_or(usize::MAX);
    let half = here > 0 && text.get(here - 1..=here) == Some(b"\r\n");
    at + u64::from(half)
}

/// A row of headings and where it ends.
struct Found {
    delimiter: u8,
    row: u64,
    headings: Headings,
    end: u64,
    missing: Vec<String>,
}

/// The first row, with the first delimiter, that has all that is wanted.
fn find(
    head: &[u8],
    given: Option<char>,
    wanted: &dyn Fn(&Headings) -> Vec<String>,
) -> Result<Found, String> {
    let given = match given {
        Some(delimiter) => {
            let byte = u8::try_from(delimiter);
            vec![byte.map_err(|_| format!("`{delimiter}` is no delimiter: it is not one byte"))?]
        }
        None => DELIMITERS.to_vec(),
    };
    let mut best: Option<Found> = None;
    for delimiter in given {
        for found in candidates(head, delimiter, wanted) {
            if found.missing.is_empty() {
                return Ok(found);
            }
            let better = |best: &Found| {
                let rank = |found: &Found| (found.missing.len(), usize::MAX - found.headings.len());
                rank(&found) < rank(best)
            };
            if best.as_ref().is_none_or(better) {
                best = Some(found);
            }
        }
    }
    Err(match best {
        None => "is empty".to_owned(),
        Some(best) => format!(
            "no row of headings found: {} missing. The nearest, row {}, has: {}",
            best.missing.join(", "),
            best.row,
            best.headings.names().join(", "),
        ),
    })
}

fn candidates<'a>(
    head: &'a [u8],
    delimiter: u8,
    wanted: &'a dyn Fn(&Headings) -> Vec<String>,
) -> impl Iterator<Item = Found> + 'a {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(head);
    let mut record = csv::ByteRecord::new();
    let (mut row, mut blanks) = (0, BlankLines::default());
    let rows = std::iter::from_fn(move || {
        let more = reader.read_byte_record(&mut record).unwrap_or(false);
        let breaks = record.as_slice().iter().filter(|byte| **byte == b'\n');
        row += 1 + blanks.before_row(reader.position(), head, breaks.count() as u64);
        if !more || row > PREAMBLE as u64 {
            return None;
        }
        let headings = Headings::of(&record);
        let missing = wanted(&headings);
        Some(Found {
            delimiter,
            row,
            headings,
            end: after_break(reader.position().byte(), head),
            missing,
        })
    });
    rows.filter(|found| !found.headings.is_blank())
}
