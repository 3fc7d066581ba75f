//! The mapping report: how every column of every file was read, and what was left out.

use mixline_schema::catalog::MappingReport;

use crate::cell::number::Mark;
use crate::describe::Source;
use crate::read::{Format, Mapping, Rows};
use crate::sheet::Sheet;

/// The column name of facts about a whole file.
const FILE: &str = "(file)";

/// Rows of the report, as they come up.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<MappingReport>);

impl Report {
    /// The rows.
    pub(crate) fn into_rows(self) -> Vec<MappingReport> {
        self.0
    }

    /// A fact about a whole file.
    pub(crate) fn file(&mut self, source: &str, file: &str, decision: &str, note: &str) {
        self.add(source, file, FILE, None, decision, note.to_owned());
    }

    /// A fact about a file that was read.
    pub(crate) fn note(&mut self, source: &Source, sheet: &Sheet, about: &str, note: String) {
        let about = format!("({about})");
        self.add(&source.name, &sheet.file, &about, None, "detected", note);
    }

    /// How a file and each of its columns were read.
    pub(crate) fn read(&mut self, source: &Source, sheet: &Sheet, mapping: &Mapping, rows: &Rows) {
        let note = format!(
            "{}, {}-separated, headings in row {}, {} rows read, {} total rows left out",
            sheet.encoding,
            sheet.delimiter_name(),
            sheet.heading_row,
            rows.frame.height(),
            rows.totals,
        );
        self.file(&source.name, &sheet.file, "detected", &note);
        for (place, heading) in sheet.headings.iter().enumerate() {
            let found = mapping.fields.iter().zip(&rows.formats.0);
            let mut found = found.filter(|((_, at), _)| *at == Some(place)).peekable();
            let column = column_name(&heading.text, place);
            if found.peek().is_none() {
                self.add(
                    &source.name,
                    &sheet.file,
                    &column,
                    None,
                    "ignored",
                    String::new(),
                );
                continue;
            }
            let (fields, notes): (Vec<_>, Vec<_>) = found
                .map(|((field, _), format)| (field.name.clone(), note_of(format)))
                .unzip();
            let declared = fields
                .iter()
                .any(|field| source.columns.contains_key(field));
            let decision = if declared || is_wide(source) {
                "declared"
            } else {
                "detected"
            };
            let field = Some(fields.join(", "));
            self.add(
                &source.name,
                &sheet.file,
                &column,
                field,
                decision,
                notes.concat(),
            );
        }
        for (field, _) in mapping.fields.iter().filter(|(_, place)| place.is_none()) {
            let column = format!("(no {})", field.name);
            let note = "no column has it: it stays unknown".to_owned();
            self.add(
                &source.name,
                &sheet.file,
                &column,
                Some(field.name.clone()),
                "missing",
                note,
            );
        }
    }

    fn add(
        &mut self,
        source: &str,
        file: &str,
        column: &str,
        field: Option<String>,
        decision: &str,
        note: String,
    ) {
        self.0.push(MappingReport {
            source: source.to_owned(),
            file: file.to_owned(),
            column: column.to_owned(),
            field,
            decision: decision.to_owned(),
            note,
        });
    }
}

fn is_wide(source: &Source) -> bool {
    source.kind == crate::describe::Kind::Wide
}

/// A heading names its column; two that are equal, and empty ones, get their place.
fn column_name(heading: &str, place: usize) -> String {
    if heading.is_empty() {
        format!("(column {})", place + 1)
    } else {
        format!("{heading} [{}]", place + 1)
    }
}

fn note_of(format: &Format) -> String {
    match format {
        Format::Day(format) => format!("days as {}", format.name()),
        Format::Amount(Some(Mark::Comma)) => "decimal comma".to_owned(),
        Format::Amount(Some(Mark::Point)) => "decimal point".to_owned(),
        Format::Amount(None) | Format::Plain => String::new(),
    }
}
