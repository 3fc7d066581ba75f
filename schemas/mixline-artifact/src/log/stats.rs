//! Statistics of a data file, as Delta keeps them, and what they rule out.

use chrono::Datelike as _;
use mixline_schema::ColumnData;
use polars::prelude::{DataFrame, PolarsResult};
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
        if let Some((low, high)) = bounds(&frame::from_column(values, column.ty)?) {
            min.insert(column.name.clone(), low);
            max.insert(column.name.clone(), high);
        }
    }
    Ok(json!({
        "numRecords": rows.height(), "minValues": min, "maxValues": max, "nullCount": nulls,
    }))
}

fn bounds(values: &ColumnData) -> Option<(Value, Value)> {
    match values {
        ColumnData::Text(v) => {
            let (low, high) = (v.iter().flatten().min()?, v.iter().flatten().max()?);
            (low.len().max(high.len()) <= LONGEST).then(|| (json!(low), json!(high)))
        }
        ColumnData::Int(v) => Some((
            json!(v.iter().flatten().min()?),
            json!(v.iter().flatten().max()?),
        )),
        ColumnData::Float(v) => {
            let low = v.iter().flatten().copied().reduce(f64::min)?;
            let high = v.iter().flatten().copied().reduce(f64::max)?;
            Some((json!(low), json!(high)))
        }
        ColumnData::Date(v) => {
            let (low, high) = (v.iter().flatten().min()?, v.iter().flatten().max()?);
            let plain = (1..=9999).contains(&low.year()) && (1..=9999).contains(&high.year());
            plain.then(|| (json!(low.to_string()), json!(high.to_string())))
        }
        ColumnData::Timestamp(v) => {
            let (low, high) = (v.iter().flatten().min()?, v.iter().flatten().max()?);
            // Delta keeps milliseconds; the upper bound must not fall below a value.
            let high = high.checked_add_signed(chrono::TimeDelta::milliseconds(1))?;
            let text =
                |t: &chrono::DateTime<chrono::Utc>| t.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            Some((json!(text(low)), json!(text(&high))))
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
