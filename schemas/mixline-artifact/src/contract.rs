//! The contract check: every violation at once, each with row and column.

use std::fmt;

use mixline_schema::{ArtifactSpec, ColumnSpec};
use polars::prelude::*;

use crate::{frame, order, threads};

/// How many violations are kept for printing; the total is always counted.
const SHOWN: usize = 20;

/// One breach of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Row, from 0; `None` when the whole column is concerned.
    pub row: Option<usize>,
    /// Column.
    pub column: String,
    /// What is wrong.
    pub message: String,
}

/// Every breach found in one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractViolations {
    /// Artifact checked.
    pub artifact: String,
    /// The first violations.
    pub first: Vec<Violation>,
    /// How many there are in all.
    pub total: usize,
}

impl std::error::Error for ContractViolations {}

impl fmt::Display for ContractViolations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.total == 1 {
            "violation"
        } else {
            "violations"
        };
        write!(
            f,
            "`{}` breaks its contract: {} {plural}",
            self.artifact, self.total
        )?;
        for violation in &self.first {
            match violation.row {
                Some(row) => write!(
                    f,
                    "\n  row {row}, {}: {}",
                    violation.column, violation.message
                )?,
                None => write!(f, "\n  {}: {}", violation.column, violation.message)?,
            }
        }
        let hidden = self.total - self.first.len();
        if hidden > 0 {
            write!(f, "\n  … and {hidden} more")
        } else {
            Ok(())
        }
    }
}

impl ContractViolations {
    fn new(artifact: &str) -> Self {
        Self {
            artifact: artifact.to_owned(),
            first: Vec::new(),
            total: 0,
        }
    }

    fn merge(&mut self, other: Self) {
        self.total += other.total;
        let room = SHOWN.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }

    fn add(&mut self, row: Option<usize>, column: &str, message: impl Into<String>) {
        self.total += 1;
        if self.first.len() < SHOWN {
            let message = message.into();
            self.first.push(Violation {
                row,
                column: column.to_owned(),
                message,
            });
        }
    }
}

/// A frame with the declared columns, in the declared order and types.
///
/// Integers and floats are widened to 64 bits and times brought to microseconds; nothing else is
/// converted. The frame is taken, so that columns that had to change do not lie in memory twice.
///
/// # Errors
/// All violations: missing and unexpected columns, wrong types, nulls, values that are not finite
/// or out of range. Their rows are counted in the order given.
pub(crate) fn conformed(
    spec: &ArtifactSpec,
    frame: DataFrame,
) -> Result<DataFrame, ContractViolations> {
    let mut found = ContractViolations::new(spec.name);
    for name in frame.get_column_names() {
        if spec.column(name).is_none() {
            found.add(None, name, "not a column of this artifact");
        }
    }
    // Columns are looked at side by side; what is found keeps the order of the declaration.
    let looked = threads::map(spec.columns.iter().collect(), |column| {
        let mut found = ContractViolations::new(spec.name);
        (conform(column, &frame, &mut found), found)
    });
    let mut columns = Vec::new();
    for (column, violations) in looked {
        found.merge(violations);
        columns.push(column);
    }
    let columns: Option<Vec<Column>> = columns.into_iter().collect();
    let checked = columns.and_then(|columns| DataFrame::new(frame.height(), columns).ok());
    checked.filter(|_| found.total == 0).ok_or(found)
}

/// The keys that occur more than once in a frame in key order.
pub(crate) fn duplicates(spec: &ArtifactSpec, frame: &DataFrame) -> ContractViolations {
    let mut found = ContractViolations::new(spec.name);
    let key = spec.key.join(", ");
    let rows = order::repeated(frame, spec.key).unwrap_or_default();
    for row in rows {
        let message = if found.total < SHOWN {
            format!("{} occurs more than once", key_of(frame, spec.key, row))
        } else {
            String::new()
        };
        found.add(None, &key, message);
    }
    found
}

/// The violation of pieces that do not follow each other: `seam` is the last row of one and the
/// first of the next.
pub(crate) fn out_of_order(spec: &ArtifactSpec, seam: &DataFrame) -> ContractViolations {
    let mut found = ContractViolations::new(spec.name);
    let (last, first) = (key_of(seam, spec.key, 0), key_of(seam, spec.key, 1));
    let message = format!("a piece that begins with {first} comes after one that ends with {last}");
    found.add(None, &spec.key.join(", "), message);
    found
}

/// The values of a row's key.
fn key_of(frame: &DataFrame, key: &[&str], row: usize) -> String {
    let rows = crate::export::rows(&frame.slice(row as i64, 1)).unwrap_or_default();
    let cell = |name: &&str| match rows.first().map(|row| &row[*name]) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "?".to_owned(),
    };
    key.iter().map(cell).collect::<Vec<_>>().join(", ")
}

fn conform(spec: &ColumnSpec, frame: &DataFrame, found: &mut ContractViolations) -> Option<Column> {
    let Ok(column) = frame.column(spec.name) else {
        if spec.nullable {
            return Some(Column::full_null(
                spec.name.into(),
                frame.height(),
                &frame::dtype(spec.ty),
            ));
        }
        found.add(None, spec.name, "the column is missing");
        return None;
    };
    let wanted = frame::dtype(spec.ty);
    let Some(column) = widen(column, &wanted) else {
        found.add(
            None,
            spec.name,
            format!("has type {}, expected {wanted}", column.dtype()),
        );
        return None;
    };
    if !spec.nullable && column.null_count() > 0 {
        for row in null_rows(&column) {
            found.add(Some(row), spec.name, "is null");
        }
    }
    ranges(spec, &column, found);
    Some(column)
}

/// The column in the wanted type, when that loses nothing.
fn widen(column: &Column, wanted: &DataType) -> Option<Column> {
    let have = column.dtype();
    if have == wanted {
        return Some(column.clone());
    }
    let fits = match wanted {
        DataType::Int64 => have.is_integer() && *have != DataType::UInt64,
        DataType::Float64 => have.is_primitive_numeric(),
        DataType::Datetime(..) => matches!(have, DataType::Datetime(..)),
        _ => *have == DataType::Null,
    };
    (fits || *have == DataType::Null)
        .then(|| frame::cast(column, wanted).ok())
        .flatten()
}

fn null_rows(column: &Column) -> Vec<usize> {
    column
        .is_null()
        .iter()
        .enumerate()
        .filter(|(_, null)| *null == Some(true))
        .map(|(i, _)| i)
        .collect()
}

fn ranges(spec: &ColumnSpec, column: &Column, found: &mut ContractViolations) {
    // A constant column is one value that takes no memory; looking at every row would change that.
    let column = &match column.as_scalar_column() {
        Some(_) => column.slice(0, 1.min(column.len())),
        None => column.clone(),
    };
    if let Ok(values) = column.f64() {
        let good = |value: f64| value.is_finite() && spec.range.contains(value);
        for (row, value) in numbered(values.iter(), good) {
            if value.is_finite() {
                found.add(Some(row), spec.name, out_of_range(spec, &value));
            } else {
                let message = format!("is {value}, not a finite number");
                found.add(Some(row), spec.name, message);
            }
        }
    } else if let Ok(values) = column.i64()
        && spec.range != mixline_schema::Range::ANY
    {
        for (row, value) in numbered(values.iter(), |value| spec.range.contains(value as f64)) {
            found.add(Some(row), spec.name, out_of_range(spec, &value));
        }
    }
}

/// The values that are not good, with their rows.
fn numbered<T: Copy>(
    values: impl Iterator<Item = Option<T>>,
    good: impl Fn(T) -> bool,
) -> impl Iterator<Item = (usize, T)> {
    let rows = values.enumerate();
    rows.filter_map(move |(row, value)| Some((row, value.filter(|value| !good(*value))?)))
}

fn out_of_range(spec: &ColumnSpec, value: &dyn fmt::Display) -> String {
    match (spec.range.min, spec.range.max) {
        (Some(min), None) => format!("is {value}, must be at least {min}"),
        (None, Some(max)) => format!("is {value}, must be at most {max}"),
        (min, max) => {
            format!(
                "is {value}, must lie between {} and {}",
                min.unwrap_or(f64::MIN),
                max.unwrap_or(f64::MAX)
            )
        }
    }
}
