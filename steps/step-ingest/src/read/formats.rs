//! How the days and numbers of a file are written, learned from its cells.

use super::block::is_total;
use super::{Mapping, Type};
use crate::cell;
use crate::cell::day::{Candidates, Choice, DayFormat};
use crate::cell::number::{Evidence, Mark, evidence};
use crate::describe::Source;
use crate::problem::Problem;
use crate::sheet::{Sheet, blocks};

/// How one column is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// Days.
    Day(DayFormat),
    /// Numbers; `None` when no cell has a mark.
    Amount(Option<Mark>),
    /// Nothing to learn.
    Plain,
}

/// How each field is written, in the order of the mapping.
#[derive(Debug, Clone)]
pub(crate) struct Formats(pub(crate) Vec<Format>);

/// Columns that can be read in two ways, or in none.
pub(crate) struct Unclear {
    pub(crate) problems: Vec<Problem>,
    pub(crate) hint: &'static str,
}

/// What has been seen of one column.
#[derive(Debug, Default)]
struct Column {
    days: Candidates,
    marks: Vec<Mark>,
    either: Option<String>,
    example: Option<String>,
}

impl Formats {
    /// Looks at the first block, and at more of them as long as something is unclear.
    pub(crate) fn learn(
        sheet: &Sheet,
        mapping: &Mapping,
        source: &Source,
    ) -> Result<Self, Unclear> {
        let mut columns: Vec<Column> = mapping.fields.iter().map(|_| Column::default()).collect();
        if let Ok(body) = sheet.body() {
            for block in blocks(body, sheet.delimiter).map_while(Result::ok) {
                look(&block.bytes, sheet, mapping, &mut columns);
                if columns
                    .iter()
                    .zip(&mapping.fields)
                    .all(|(c, (field, _))| c.is_clear(field.ty))
                {
                    break;
                }
            }
        }
        decide(sheet, mapping, source, &columns)
    }
}

fn look(bytes: &[u8], sheet: &Sheet, mapping: &Mapping, columns: &mut [Column]) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(sheet.delimiter)
        .from_reader(bytes);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap_or(false) {
        if is_total(&record, mapping) {
            continue;
        }
        for (column, (field, place)) in columns.iter_mut().zip(&mapping.fields) {
            let cell = place.and_then(|place| record.get(place));
            let text = cell.unwrap_or_default();
            if !cell::is_empty(text) {
                column.see(text, field.ty);
            }
        }
    }
}

impl Column {
    fn see(&mut self, text: &str, ty: Type) {
        match ty {
            Type::Day if self.example.as_deref() != Some(text) => {
                self.days.see(text);
                self.example = Some(text.to_owned());
            }
            Type::Amount => match evidence(text) {
                Evidence::Only(mark) if !self.marks.contains(&mark) => self.marks.push(mark),
                Evidence::Either => {
                    self.either.get_or_insert_with(|| text.to_owned());
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn is_clear(&self, ty: Type) -> bool {
        match ty {
            Type::Day => !matches!(self.days.choice(), Choice::Ambiguous(_)),
            Type::Amount => self.either.is_none() || !self.marks.is_empty(),
            _ => true,
        }
    }
}

fn decide(
    sheet: &Sheet,
    mapping: &Mapping,
    source: &Source,
    columns: &[Column],
) -> Result<Formats, Unclear> {
    let mut unclear = Unclear {
        problems: Vec::new(),
        hint: "",
    };
    let all = file_mark(columns);
    let mut formats = Vec::new();
    for (column, (field, place)) in columns.iter().zip(&mapping.fields) {
        let Some(place) = place else {
            formats.push(Format::Plain);
            continue;
        };
        let found = match field.ty {
            Type::Day => day(column, source).map(Format::Day),
            Type::Amount => mark(column, source, all).map(Format::Amount),
            _ => Ok(Format::Plain),
        };
        match found {
            Ok(format) => formats.push(format),
            Err((message, hint)) => {
                unclear.hint = hint;
                unclear.problems.push(Problem {
                    file: sheet.file.clone(),
                    row: None,
                    column: Some(sheet.headings.at(*place).text.clone()),
                    message,
                });
            }
        }
    }
    if unclear.problems.is_empty() {
        Ok(Formats(formats))
    } else {
        Err(unclear)
    }
}

/// The mark that all clear columns agree on.
fn file_mark(columns: &[Column]) -> Option<Mark> {
    let mut marks = columns.iter().flat_map(|column| &column.marks).copied();
    let first = marks.next()?;
    marks.all(|mark| mark == first).then_some(first)
}

type Fault = (String, &'static str);

fn day(column: &Column, source: &Source) -> Result<DayFormat, Fault> {
    if let Some(format) = &source.date_format {
        return Ok(DayFormat::given(format));
    }
    match column.days.choice() {
        Choice::One(format) => Ok(format),
        Choice::None if column.example.is_none() => Ok(DayFormat::given("%Y-%m-%d")),
        Choice::None => {
            let example = column.example.as_deref().unwrap_or_default();
            let message =
                format!("\"{example}\" and its neighbors are no days in one known format");
            Err((
                message,
                "set `date_format` in the source file, for example \"%d.%m.%Y\"",
            ))
        }
        Choice::Ambiguous(formats) => {
            let example = column.example.as_deref().unwrap_or_default();
            let message = format!(
                "days such as \"{example}\" can be read as {}: day and month could be swapped",
                formats.join(" and as "),
            );
            Err((
                message,
                "say which with `date_format` in the source file, for example \"%d/%m/%Y\"",
            ))
        }
    }
}

fn mark(column: &Column, source: &Source, file: Option<Mark>) -> Result<Option<Mark>, Fault> {
    if let Some(mark) = source.mark() {
        return Ok(Some(mark));
    }
    match (column.marks.as_slice(), &column.either) {
        ([mark], _) => Ok(Some(*mark)),
        ([], None) => Ok(None),
        ([], Some(example)) => file.map(Some).ok_or_else(|| {
            let message = format!("numbers such as \"{example}\" can be read in two ways");
            (
                message,
                "say which with `decimal = \"point\"` or \"comma\" in the source file",
            )
        }),
        _ => Err((
            "some of its numbers have a decimal point, others a decimal comma".to_owned(),
            "say which with `decimal = \"point\"` or \"comma\" in the source file",
        )),
    }
}
