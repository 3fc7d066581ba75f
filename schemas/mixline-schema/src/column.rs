//! Columns: the types a table may hold, and how a Rust value becomes a cell.
//!
//! A column's type follows from the Rust type of its field, so it is declared once:
//! `f64` is a non-null float, `Option<f64>` a nullable one.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The storage type of a column. The set is small on purpose: each maps to one Parquet and one
/// Delta type that every reader understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// 64-bit signed integer.
    Int,
    /// 64-bit float; never NaN or infinite in a stored table.
    Float,
    /// True or false.
    Bool,
    /// A calendar day without a zone.
    Date,
    /// An instant, microseconds since the epoch, UTC.
    Timestamp,
    /// Bytes (file artifacts).
    Binary,
}

/// A closed interval of legal values; `None` leaves a side open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Smallest legal value.
    pub min: Option<f64>,
    /// Largest legal value.
    pub max: Option<f64>,
}

impl Range {
    /// No restriction.
    pub const ANY: Self = Self {
        min: None,
        max: None,
    };
    /// Zero or more.
    pub const NON_NEGATIVE: Self = Self {
        min: Some(0.0),
        max: None,
    };
    /// From zero to one.
    pub const UNIT: Self = Self {
        min: Some(0.0),
        max: Some(1.0),
    };

    /// Whether `value` lies inside.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// One column of an artifact's declaration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnSpec {
    /// Column name as stored.
    pub name: &'static str,
    /// Storage type.
    pub ty: ColumnType,
    /// Whether nulls are legal.
    pub nullable: bool,
    /// Unit of measure (`"EUR per day"`, `"count"`, `""` for none; `"currency"` means the unit
    /// named by the row's `currency` column).
    pub unit: &'static str,
    /// Legal values of a numeric column.
    pub range: Range,
    /// One line of meaning.
    pub doc: &'static str,
}

/// The values of one column, with `None` for null.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Values of a [`ColumnType::Text`] column.
    Text(Vec<Option<String>>),
    /// Values of a [`ColumnType::Int`] column.
    Int(Vec<Option<i64>>),
    /// Values of a [`ColumnType::Float`] column.
    Float(Vec<Option<f64>>),
    /// Values of a [`ColumnType::Bool`] column.
    Bool(Vec<Option<bool>>),
    /// Values of a [`ColumnType::Date`] column.
    Date(Vec<Option<NaiveDate>>),
    /// Values of a [`ColumnType::Timestamp`] column.
    Timestamp(Vec<Option<DateTime<Utc>>>),
    /// Values of a [`ColumnType::Binary`] column.
    Binary(Vec<Option<Vec<u8>>>),
}

impl ColumnData {
    /// The column's type.
    #[must_use]
    pub fn ty(&self) -> ColumnType {
        match self {
            Self::Text(_) => ColumnType::Text,
            Self::Int(_) => ColumnType::Int,
            Self::Float(_) => ColumnType::Float,
            Self::Bool(_) => ColumnType::Bool,
            Self::Date(_) => ColumnType::Date,
            Self::Timestamp(_) => ColumnType::Timestamp,
            Self::Binary(_) => ColumnType::Binary,
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(v) => v.len(),
            Self::Int(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Date(v) => v.len(),
            Self::Timestamp(v) => v.len(),
            Self::Binary(v) => v.len(),
        }
    }

    /// Whether the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A borrowed column, for readers that need no copy.
pub type ColumnRef<'a> = (&'a ColumnSpec, &'a ColumnData);

/// A Rust type that can stand in a column that allows no null.
pub trait Cell: Sized {
    /// The storage type.
    const TYPE: ColumnType;
    /// Wraps a whole column of optional values.
    fn wrap(values: Vec<Option<Self>>) -> ColumnData;
    /// Takes the values back out, or `None` when the column has another type.
    fn take(data: ColumnData) -> Option<Vec<Option<Self>>>;
}

macro_rules! cell {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl Cell for $rust {
            const TYPE: ColumnType = ColumnType::$variant;
            fn wrap(values: Vec<Option<Self>>) -> ColumnData { ColumnData::$variant(values) }
            fn take(data: ColumnData) -> Option<Vec<Option<Self>>> {
                if let ColumnData::$variant(values) = data { Some(values) } else { None }
            }
        }
    )*};
}
cell! {
    String => Text, i64 => Int, f64 => Float, bool => Bool,
    NaiveDate => Date, DateTime<Utc> => Timestamp, Vec<u8> => Binary,
}

/// A field type of an artifact row: a [`Cell`] or an `Option` of one.
pub trait ColumnValue: Sized {
    /// The underlying cell type.
    type Cell: Cell;
    /// Whether nulls are legal.
    const NULLABLE: bool;
    /// Into a nullable cell.
    fn into_cell(self) -> Option<Self::Cell>;
    /// From a nullable cell; `None` when a null meets a column that allows none.
    fn from_cell(cell: Option<Self::Cell>) -> Option<Self>;
}

impl<C: Cell> ColumnValue for C {
    type Cell = C;
    const NULLABLE: bool = false;
    fn into_cell(self) -> Option<C> {
        Some(self)
    }
    fn from_cell(cell: Option<C>) -> Option<Self> {
        cell
    }
}

impl<C: Cell> ColumnValue for Option<C> {
    type Cell = C;
    const NULLABLE: bool = true;
    fn into_cell(self) -> Option<C> {
        self
    }
    fn from_cell(cell: Option<C>) -> Option<Self> {
        Some(cell)
    }
}
