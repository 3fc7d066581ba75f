//! Versions as files for others: Parquet, CSV or JSON.

use mixline_schema::{ColumnData, ColumnType};
use polars::prelude::{DataFrame, DataType};
use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::{frame, parquet};

/// The format of an exported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header; text that a spreadsheet could run is guarded by `'`.
    Csv,
    /// A JSON array of objects.
    Json,
}

impl Format {
    /// The format a file extension means.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "parquet" => Some(Self::Parquet),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The frame behind Parquet bytes, for files that are no artifact.
///
/// # Errors
/// [`StoreError::Columns`] when the bytes are not Parquet.
pub fn decode_parquet(bytes: bytes::Bytes) -> Result<DataFrame, StoreError> {
    let columns = |source| StoreError::Columns {
        action: "decode",
        name: "file".into(),
        source,
    };
    parquet::decode(bytes).map_err(columns)
}

/// The bytes of a frame in a format.
///
/// # Errors
/// [`StoreError::Columns`] when a column cannot be encoded.
pub fn encode(frame: &DataFrame, format: Format) -> Result<Vec<u8>, StoreError> {
    let columns = |source| StoreError::Columns {
        action: "encode",
        name: "export".into(),
        source,
    };
    match format {
        Format::Parquet => Ok(parquet::encode(&mut frame.clone())
            .map_err(columns)?
            .to_vec()),
        Format::Csv => csv(frame),
        Format::Json => {
            let rows = Value::Array(rows(frame)?);
            Ok((serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n").into_bytes())
        }
    }
}

/// The rows of a frame as JSON objects.
///
/// # Errors
/// [`StoreError::Columns`] when a column has a type artifacts do not have.
pub fn rows(frame: &DataFrame) -> Result<Vec<Value>, StoreError> {
    let mut rows = vec![Map::new(); frame.height()];
    for (name, values) in cells(frame)? {
        for (row, value) in rows.iter_mut().zip(values) {
            row.insert(name.clone(), value);
        }
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}

fn cells(frame: &DataFrame) -> Result<Vec<(String, Vec<Value>)>, StoreError> {
    let cells = |column: &polars::prelude::Column| {
        let name = column.name().to_string();
        match frame::from_column(column, type_of(column.dtype())) {
            Ok(data) => Ok((name, values(data))),
            Err(source) => Err(StoreError::Columns {
                action: "encode",
                name,
                source,
            }),
        }
    };
    frame.columns().iter().map(cells).collect()
}

fn type_of(dtype: &DataType) -> ColumnType {
    match dtype {
        DataType::Int64 => ColumnType::Int,
        DataType::Float64 => ColumnType::Float,
        DataType::Boolean => ColumnType::Bool,
        DataType::Date => ColumnType::Date,
        DataType::Datetime(..) => ColumnType::Timestamp,
        DataType::Binary => ColumnType::Binary,
        _ => ColumnType::Text,
    }
}

fn values(data: ColumnData) -> Vec<Value> {
    fn each<T>(values: Vec<Option<T>>, to: impl Fn(T) -> Value) -> Vec<Value> {
        values
            .into_iter()
            .map(|v| v.map_or(Value::Null, &to))
            .collect()
    }
    match data {
        ColumnData::Text(v) => each(v, Value::from),
        ColumnData::Int(v) => each(v, Value::from),
        ColumnData::Float(v) => each(v, Value::from),
        ColumnData::Bool(v) => each(v, Value::from),
        ColumnData::Date(v) => each(v, |d| d.to_string().into()),
        ColumnData::Timestamp(v) => each(v, |t| {
            t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
                .into()
        }),
        ColumnData::Binary(v) => each(v, |b| format!("{} bytes", b.len()).into()),
    }
}

fn csv(frame: &DataFrame) -> Result<Vec<u8>, StoreError> {
    let columns = cells(frame)?;
    let mut out = columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>()
        .join(",");
    for row in 0..frame.height() {
        let fields: Vec<String> = columns
            .iter()
            .map(|(_, values)| field(&values[row]))
            .collect();
        out = out + "\n" + &fields.join(",");
    }
    Ok((out + "\n").into_bytes())
}

fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Text as a CSV field. A leading formula character is guarded: spreadsheets run it otherwise.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_a_spreadsheet_would_run_is_guarded_and_numbers_are_not() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(field(&Value::from(-1.5)), "-1.5");
    }
}
