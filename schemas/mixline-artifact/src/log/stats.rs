//! Statistics of a data file, as Delta keeps them, and what they rule out.

use chrono::{Datelike as _, TimeDelta};
use mixline_schema::{ColumnData, ColumnType};
use polars::prelude::{Column, DataFrame, PolarsResult, Scalar};
use serde_json::{Map, Value, json};

use super::schema::TableSchema;
use crate::frame;

/// Longer texts get no bounds: Delta's readers expect them cut, and a cut bound helps little.
const LONGEST: usize = 64;

/// Row count, bounds and null counts of a frame.
pub(crate) fn stats(schema: &TableSchema, rows: &DataFrame) -> PolarsResult<Value> {
    let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
    for column in &schema.columns {
        let values = rows.column(&column.name)?;
        nulls.insert(column.name.clone(), json!(values.null_count()));
        if let Some((low, high)) = bounds(values, column.ty)? {
            min.insert(column.name.clone(), low);
            max.insert(column.name.clone(), high);
        }
    }
    Ok(json!({
        "numRecords": rows.height(), "minValues": min, "maxValues": max, "nullCount": nulls,
    }))
}

/// The lowest and the highest value as Delta writes them; `None` where it keeps no bounds.
fn bounds(column: &Column, ty: ColumnType) -> PolarsResult<Option<(Value, Value)>> {
    let extremes = |low: Scalar, high: Scalar| {
        let one = |scalar: Scalar| {
            let value = Column::new_scalar(column.name().clone(), scalar, 1);
            frame::from_column(&value, ty)
        };
        PolarsResult::Ok((one(low)?, one(high)?))
    };
    if matches!(ty, ColumnType::Bool | ColumnType::Binary) || column.null_count() == column.len() {
        return Ok(None);
    }
    let (low, high) = extremes(column.min_reduce()?, column.max_reduce()?)?;
    Ok(bound(&low, false).zip(bound(&high, true)))
}

/// One bound. An upper bound may be above the highest value, never below it.
fn bound(value: &ColumnData, upper: bool) -> Option<Value> {
    match value {
        ColumnData::Text(v) => v
            .first()?
            .as_ref()
            .filter(|t| t.len() <= LONGEST)
            .map(|t| json!(t)),
        ColumnData::Int(v) => v.first()?.map(|number| json!(number)),
        ColumnData::Float(v) => v.first()?.map(|number| json!(number)),
        ColumnData::Date(v) => {
            let day = v.first()?.filter(|day| (1..=9999).contains(&day.year()))?;
            Some(json!(day.to_string()))
        }
        ColumnData::Timestamp(v) => {
            // Delta keeps milliseconds, cut off.
            let more = TimeDelta::milliseconds(i64::from(upper));
            let instant = v.first()?.as_ref()?.checked_add_signed(more)?;
            Some(json!(instant.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
        }
        ColumnData::Bool(_) | ColumnData::Binary(_) => None,
    }
}

/// Values of the first key column, sorted, to compare with a file's bounds.
pub(crate) enum Keys {
    /// Integers.
    Ints(Vec<i64>),
    /// Texts and dates, which order as texts.
    Texts(Vec<String>),
    /// Nothing is known: every file may hold a key.
    Unknown,
}

impl Keys {
    /// The first key column's values.
    pub(crate) fn of(schema: &TableSchema, rows: &DataFrame) -> PolarsResult<Self> {
        let first = schema.key.first();
        let Some(column) = schema.columns.iter().find(|c| Some(&c.name) == first) else {
            return Ok(Self::Unknown);
        };
        let mut keys = match frame::from_column(rows.column(&column.name)?, column.ty)? {
            ColumnData::Int(v) => Self::Ints(v.into_iter().flatten().collect()),
            ColumnData::Text(v) => Self::Texts(v.into_iter().flatten().collect()),
            ColumnData::Date(v) => {
                Self::Texts(v.into_iter().flatten().map(|d| d.to_string()).collect())
            }
            _ => Self::Unknown,
        };
        match &mut keys {
            Self::Ints(v) => v.sort_unstable(),
            Self::Texts(v) => v.sort_unstable(),
            Self::Unknown => {}
        }
        Ok(keys)
    }

    /// Whether a file with these statistics may hold one of the keys.
    pub(crate) fn may_be_in(&self, schema: &TableSchema, stats: &Value) -> bool {
        let Some(first) = schema.key.first() else {
            return true;
        };
        let (min, max) = (&stats["minValues"][first], &stats["maxValues"][first]);
        match self {
            Self::Ints(keys) => match (min.as_i64(), max.as_i64()) {
                (Some(min), Some(max)) => within(keys, |k| *k < min, |k| *k <= max),
                _ => true,
            },
            Self::Texts(keys) => match (min.as_str(), max.as_str()) {
                (Some(min), Some(max)) => within(keys, |k| k.as_str() < min, |k| k.as_str() <= max),
                _ => true,
            },
            Self::Unknown => true,
        }
    }
}

/// Whether the first key that is not below lies inside.
fn within<T>(keys: &[T], below: impl Fn(&T) -> bool, inside: impl Fn(&T) -> bool) -> bool {
    keys.get(keys.partition_point(below)).is_some_and(inside)
}
