//! A CSV file in place of an artifact: typed by the artifact's declaration, never guessed.

use std::path::Path;

use chrono::NaiveDate;
use csv::StringRecord;
use mixline_schema::{ArtifactSpec, ColumnData, ColumnSpec, ColumnType, Window};

use crate::error::StepError;

/// How many bad cells are named before the rest is only counted.
const SHOWN: usize = 20;

/// Reads the columns of `spec`, in declaration order, from a CSV file with a header line.
///
/// An empty cell is null where the column allows it (and the empty text otherwise). Columns the
/// declaration does not know are refused, as they are in Parquet.
pub(crate) fn read(path: &Path, spec: &ArtifactSpec) -> Result<Vec<ColumnData>, StepError> {
    let unreadable = |error: csv::Error| {
        StepError::data(format!("`{}` cannot be read as CSV", path.display())).because(error)
    };
    let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let places = places(path, spec, &header)?;
    let records: Vec<StringRecord> = reader
        .records()
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    let mut problems = Vec::new();
    let columns = spec
        .columns
        .iter()
        .zip(places)
        .map(|(column, place)| column_of(column, place, &records, &mut problems))
        .collect();
    if problems.is_empty() {
        return Ok(columns);
    }
    let count = problems.len();
    problems.truncate(SHOWN);
    if count > SHOWN {
        problems.push(format!("and {} more", count - SHOWN));
    }
    let what = if count == 1 { "cell" } else { "cells" };
    Err(
        StepError::data(format!("`{}` has {count} bad {what}", path.display()))
            .because(problems.join("\n")),
    )
}

/// Where each column sits in the file; `None` for a nullable column that is not there.
fn places(
    path: &Path,
    spec: &ArtifactSpec,
    header: &StringRecord,
) -> Result<Vec<Option<usize>>, StepError> {
    let find = |name: &str| header.iter().position(|given| given.trim() == name);
    let missing = spec
        .columns
        .iter()
        .filter(|c| !c.nullable && find(c.name).is_none());
    let unknown = header
        .iter()
        .filter(|given| spec.column(given.trim()).is_none());
    let problems: Vec<String> = missing
        .map(|column| format!("column `{}` is missing", column.name))
        .chain(unknown.map(|given| format!("column `{given}` is unknown")))
        .collect();
    if problems.is_empty() {
        return Ok(spec
            .columns
            .iter()
            .map(|column| find(column.name))
            .collect());
    }
    let message = format!(
        "`{}` does not have the columns of `{}`",
        path.display(),
        spec.name
    );
    Err(StepError::data(message).because(problems.join("\n")))
}

fn column_of(
    column: &ColumnSpec,
    place: Option<usize>,
    records: &[StringRecord],
    problems: &mut Vec<String>,
) -> ColumnData {
    let cells = Cells {
        column,
        place,
        records,
    };
    match column.ty {
        ColumnType::Text => ColumnData::Text(cells.parse(problems, |text| Some(text.to_owned()))),
        ColumnType::Int => ColumnData::Int(cells.parse(problems, |text| text.parse().ok())),
        ColumnType::Float => ColumnData::Float(cells.parse(problems, |text| {
            text.parse().ok().filter(|number: &f64| number.is_finite())
        })),
        ColumnType::Bool => ColumnData::Bool(cells.parse(problems, |text| match text {
            "true" | "TRUE" | "True" | "1" => Some(true),
            "false" | "FALSE" | "False" | "0" => Some(false),
            _ => None,
        })),
        ColumnType::Date => {
            ColumnData::Date(cells.parse(problems, |text| text.parse::<NaiveDate>().ok()))
        }
        ColumnType::Timestamp => {
            ColumnData::Timestamp(cells.parse(problems, |text| Window::parse_bound(text).ok()))
        }
        ColumnType::Binary => {
            ColumnData::Binary(cells.parse(problems, |text| Some(text.as_bytes().to_vec())))
        }
    }
}

/// The cells of one column.
struct Cells<'a> {
    column: &'a ColumnSpec,
    place: Option<usize>,
    records: &'a [StringRecord],
}

impl Cells<'_> {
    fn parse<T>(
        &self,
        problems: &mut Vec<String>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<Option<T>> {
        self.records
            .iter()
            .map(|record| self.cell(record, problems, &parse))
            .collect()
    }

    fn cell<T>(
        &self,
        record: &StringRecord,
        problems: &mut Vec<String>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = record.get(self.place?).unwrap_or_default();
        let is_text = self.column.ty == ColumnType::Text;
        if text.is_empty() && self.column.nullable {
            return None;
        }
        let value = parse(if is_text { text } else { text.trim() });
        if value.is_none() {
            let line = record.position().map_or(0, csv::Position::line);
            problems.push(format!(
                "line {line}, column `{}`: `{text}` is no {}",
                self.column.name,
                kind(self.column.ty)
            ));
        }
        value
    }
}

/// What a value of the type is called.
fn kind(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Text => "text",
        ColumnType::Int => "whole number",
        ColumnType::Float => "number",
        ColumnType::Bool => "true or false",
        ColumnType::Date => "date like 2026-11-20",
        ColumnType::Timestamp => "instant like 2026-11-20T06:00:00Z",
        ColumnType::Binary => "bytes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixline_schema::Artifact as _;

    mixline_schema::artifact! {
        /// A table for this test.
        pub struct Row: "row" v1 key [day] {
            /// Day.
            day: NaiveDate,
            /// Money.
            spend: Option<f64>,
            /// Count.
            clicks: i64,
            /// Remark.
            remark: Option<String>,
        }
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn cells_are_typed_by_the_declaration() {
        let file = file("clicks,day,spend\n3,2026-01-02, 1.5\n4,2026-01-03,\n");
        let rows = Row::from_columns(read(file.path(), Row::spec()).unwrap()).unwrap();
        assert_eq!(rows[0].day.to_string(), "2026-01-02");
        assert_eq!((rows[0].spend, rows[0].clicks), (Some(1.5), 3));
        assert_eq!((rows[1].spend, rows[1].remark.clone()), (None, None));
    }

    #[test]
    fn every_bad_cell_is_named_at_once() {
        let file = file("day,spend,clicks\nyesterday,NaN,x\n2026-01-03,2,\n");
        let error = read(file.path(), Row::spec()).unwrap_err().chain();
        assert!(error.contains("has 4 bad cells"), "{error}");
        assert!(
            error.contains("line 2, column `day`: `yesterday` is no date"),
            "{error}"
        );
        assert!(
            error.contains("line 3, column `clicks`: `` is no whole number"),
            "{error}"
        );
    }

    #[test]
    fn missing_and_unknown_columns_are_refused_together() {
        let file = file("day,spent\n");
        let error = read(file.path(), Row::spec()).unwrap_err().chain();
        assert!(
            error.contains("`clicks` is missing") && error.contains("`spent` is unknown"),
            "{error}"
        );
    }
}
