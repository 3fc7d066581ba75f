//! Typed columns that grow cell by cell.

use polars::prelude::*;

use super::{Mapping, Type};

/// A column under construction.
pub(super) enum Builder {
    Text(StringChunkedBuilder),
    Count(PrimitiveChunkedBuilder<Int64Type>),
    Amount(PrimitiveChunkedBuilder<Float64Type>),
    Day(PrimitiveChunkedBuilder<Int32Type>),
    Instant(PrimitiveChunkedBuilder<Int64Type>),
}

impl Builder {
    pub(super) fn new(name: &str, ty: Type, capacity: usize) -> Self {
        let name = PlSmallStr::from(name);
        match ty {
            Type::Text => Self::Text(StringChunkedBuilder::new(name, capacity)),
            Type::Count => Self::Count(PrimitiveChunkedBuilder::new(name, capacity)),
            Type::Amount => Self::Amount(PrimitiveChunkedBuilder::new(name, capacity)),
            Type::Day => Self::Day(PrimitiveChunkedBuilder::new(name, capacity)),
            Type::Instant => Self::Instant(PrimitiveChunkedBuilder::new(name, capacity)),
        }
    }

    pub(super) fn null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Count(column) | Self::Instant(column) => column.append_null(),
            Self::Amount(column) => column.append_null(),
            Self::Day(column) => column.append_null(),
        }
    }

    pub(super) fn finish(self) -> PolarsResult<Column> {
        Ok(match self {
            Self::Text(column) => column.finish().into_column(),
            Self::Count(column) | Self::Instant(column) => column.finish().into_column(),
            Self::Amount(column) => column.finish().into_column(),
            Self::Day(column) => column.finish().into_column().cast(&DataType::Date)?,
        })
    }
}

/// A column of nulls for a field without a heading: it takes no memory.
fn unknown(name: &str, ty: Type, height: usize) -> Column {
    Column::full_null(name.into(), height, &dtype(ty))
}

/// The columns that a file has, without rows.
pub(super) fn empty(mapping: &Mapping) -> DataFrame {
    let placed = mapping.fields.iter().filter(|(_, place)| place.is_some());
    let fields =
        placed.map(|(f, _)| polars::prelude::Field::new(f.name.as_str().into(), dtype(f.ty)));
    DataFrame::empty_with_schema(&fields.collect::<Schema>())
}

/// The frame with a column for every field, in the order of the fields.
pub(super) fn complete(mapping: &Mapping, frame: DataFrame) -> PolarsResult<DataFrame> {
    let height = frame.height();
    let mut read = frame.into_columns().into_iter();
    let fields = mapping.fields.iter().map(|(field, place)| {
        let column = place.and_then(|_| read.next());
        column.unwrap_or_else(|| unknown(&field.name, field.ty, height))
    });
    let columns: Vec<Column> = fields.collect();
    DataFrame::new(height, columns)
}

fn dtype(ty: Type) -> DataType {
    match ty {
        Type::Text => DataType::String,
        Type::Count | Type::Instant => DataType::Int64,
        Type::Amount => DataType::Float64,
        Type::Day => DataType::Date,
    }
}
