//! Between the declaration's columns and polars' columns.

use chrono::{DateTime, NaiveDate, Utc};
use mixline_schema::{ColumnData, ColumnType};
use polars::prelude::*;

/// The polars type of a column type.
pub(crate) fn dtype(ty: ColumnType) -> DataType {
    match ty {
        ColumnType::Text => DataType::String,
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Date => DataType::Date,
        ColumnType::Timestamp => timestamp(),
        ColumnType::Binary => DataType::Binary,
    }
}

fn timestamp() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}

/// The column in another type. Instants get their zone, UTC, by way of plain numbers: polars casts
/// between zones only with its zone tables compiled in, and they have all been UTC since they were
/// written.
pub(crate) fn cast(column: &Column, wanted: &DataType) -> PolarsResult<Column> {
    match (column.dtype(), wanted) {
        (DataType::Datetime(..) | DataType::Int64, DataType::Datetime(unit, zone)) => {
            let plain = column
                .cast(&DataType::Datetime(*unit, None))?
                .cast(&DataType::Int64)?;
            Ok(plain
                .i64()?
                .clone()
                .into_datetime(*unit, zone.clone())
                .into_column())
        }
        _ => column.cast(wanted),
    }
}

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day");

/// A polars column from plain values.
pub(crate) fn to_column(name: &str, data: ColumnData) -> PolarsResult<Column> {
    let name: PlSmallStr = name.into();
    Ok(match data {
        ColumnData::Text(v) => Column::new(name, v),
        ColumnData::Int(v) => Column::new(name, v),
        ColumnData::Float(v) => Column::new(name, v),
        ColumnData::Bool(v) => Column::new(name, v),
        ColumnData::Date(v) => {
            let days = v.into_iter().map(|d| d.and_then(days_since_epoch));
            Column::new(name, days.collect::<Vec<Option<i32>>>()).cast(&DataType::Date)?
        }
        ColumnData::Timestamp(v) => {
            let micros = v.into_iter().map(|t| t.map(|t| t.timestamp_micros()));
            cast(
                &Column::new(name, micros.collect::<Vec<Option<i64>>>()),
                &timestamp(),
            )?
        }
        ColumnData::Binary(v) => {
            let column: BinaryChunked = v.into_iter().collect();
            column.with_name(name).into_column()
        }
    })
}

fn days_since_epoch(day: NaiveDate) -> Option<i32> {
    i32::try_from(day.signed_duration_since(EPOCH).num_days()).ok()
}

/// Plain values from a polars column of the right type.
pub(crate) fn from_column(column: &Column, ty: ColumnType) -> PolarsResult<ColumnData> {
    Ok(match ty {
        ColumnType::Text => {
            ColumnData::Text(column.str()?.iter().map(|v| v.map(str::to_owned)).collect())
        }
        ColumnType::Int => ColumnData::Int(column.i64()?.iter().collect()),
        ColumnType::Float => ColumnData::Float(column.f64()?.iter().collect()),
        ColumnType::Bool => ColumnData::Bool(column.bool()?.iter().collect()),
        ColumnType::Date => {
            let days = column.cast(&DataType::Int32)?;
            ColumnData::Date(days.i32()?.iter().map(|d| d.and_then(day_of)).collect())
        }
        ColumnType::Timestamp => {
            let micros = column.cast(&DataType::Int64)?;
            let instant = DateTime::<Utc>::from_timestamp_micros;
            ColumnData::Timestamp(micros.i64()?.iter().map(|t| t.and_then(instant)).collect())
        }
        ColumnType::Binary => ColumnData::Binary(
            column
                .binary()?
                .iter()
                .map(|v| v.map(<[u8]>::to_vec))
                .collect(),
        ),
    })
}

fn day_of(days: i32) -> Option<NaiveDate> {
    EPOCH.checked_add_signed(chrono::TimeDelta::try_days(i64::from(days))?)
}

/// A frame with the columns of a declaration and no rows.
pub(crate) fn empty(spec: &mixline_schema::ArtifactSpec) -> DataFrame {
    let fields = spec
        .columns
        .iter()
        .map(|c| Field::new(c.name.into(), dtype(c.ty)));
    DataFrame::empty_with_schema(&fields.collect::<Schema>())
}

/// The rows at `indices`, in that order.
pub(crate) fn take(frame: &DataFrame, indices: &[usize]) -> PolarsResult<DataFrame> {
    let indices: Vec<IdxSize> = indices.iter().map(|&i| i as IdxSize).collect();
    frame.take(&IdxCa::from_vec("i".into(), indices))
}
