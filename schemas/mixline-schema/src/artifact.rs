//! An artifact is declared once, by [`artifact!`](crate::artifact!).
//!
//! The declaration is a row struct. From it follow the column list, the contract check on read
//! and write, the JSON Schema, the catalogue, and the ports that the planner matches.

use crate::column::{ColumnData, ColumnSpec};

/// The declaration of an artifact: name, schema version, columns and key.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ArtifactSpec {
    /// Table name, for example `media_daily`.
    pub name: &'static str,
    /// Schema version, from 1.
    pub schema_version: u32,
    /// What one row means.
    pub doc: &'static str,
    /// Columns that identify a row; empty when rows have no identity.
    pub key: &'static [&'static str],
    /// Columns in storage order.
    pub columns: Vec<ColumnSpec>,
}

impl ArtifactSpec {
    /// The column called `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSpec> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// A typed table: one value of the implementing struct is one row.
///
/// Implemented by [`artifact!`](crate::artifact!) only.
pub trait Artifact: Sized + Clone + std::fmt::Debug + Send + 'static {
    /// Table name.
    const NAME: &'static str;
    /// Schema version.
    const SCHEMA_VERSION: u32;

    /// The declaration.
    fn spec() -> &'static ArtifactSpec;
    /// Rows into columns, in declaration order.
    fn into_columns(rows: Vec<Self>) -> Vec<ColumnData>;
    /// Columns (declaration order, already checked against the spec) into rows. `None` when a
    /// column is missing, has another type or length, or holds a null where none is allowed.
    fn from_columns(columns: Vec<ColumnData>) -> Option<Vec<Self>>;
}

/// Whether `name` may name an artifact: lower-case words joined by `_`, at most 64 characters.
#[must_use]
pub fn artifact_name_is_valid(name: &str) -> bool {
    let mut chars = name.chars();
    name.len() <= 64
        && chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Declares an artifact: a row struct plus everything that follows from it.
///
/// ```
/// use chrono::NaiveDate;
/// mixline_schema::artifact! {
///     /// Money spent by day and channel.
///     pub struct Spend: "spend" v1 key [date, channel] {
///         /// Business day.
///         date: NaiveDate,
///         /// Channel name.
///         channel: String,
///         /// Money spent.
///         spend: f64 = unit "currency", range NON_NEGATIVE;
///         /// Free remark.
///         remark: Option<String>,
///     }
/// }
/// # use mixline_schema::Artifact;
/// assert_eq!(Spend::spec().columns[2].unit, "currency");
/// assert!(Spend::spec().columns[3].nullable);
/// ```
#[macro_export]
macro_rules! artifact {
    (
        $(#[doc = $doc:literal])+
        pub struct $row:ident : $name:literal v $version:literal key [$($key:ident),* $(,)?] {
            $($body:tt)*
        }
    ) => { compile_error!("write the version without a space, as `v1`"); };
    (
        $(#[doc = $doc:literal])+
        pub struct $row:ident : $name:literal $version:ident key [$($key:ident),* $(,)?] {
            $(
                $(#[doc = $cdoc:literal])+
                $col:ident : $ty:ty $(= unit $unit:literal $(, range $range:ident)? ; )? $(,)?
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $row {
            $( $(#[doc = $cdoc])+ pub $col: $ty, )*
        }

        impl $crate::Artifact for $row {
            const NAME: &'static str = $name;
            const SCHEMA_VERSION: u32 = {
                // `v1`, `v2`, …: the number after the letter.
                let text = stringify!($version).as_bytes();
                assert!(text.len() >= 2 && text[0] == b'v', "schema versions are written v1, v2, …");
                let (mut value, mut at) = (0u32, 1);
                while at < text.len() {
                    assert!(text[at].is_ascii_digit(), "schema versions are written v1, v2, …");
                    value = value * 10 + (text[at] - b'0') as u32;
                    at += 1;
                }
                value
            };

            fn spec() -> &'static $crate::ArtifactSpec {
                static SPEC: std::sync::LazyLock<$crate::ArtifactSpec> =
                    std::sync::LazyLock::new(|| $crate::ArtifactSpec {
                        name: $name,
                        schema_version: <$row as $crate::Artifact>::SCHEMA_VERSION,
                        doc: concat!($($doc, "\n"),+).trim(),
                        key: &[$(stringify!($key)),*],
                        columns: vec![$(
                            $crate::ColumnSpec {
                                name: stringify!($col),
                                ty: <<$ty as $crate::ColumnValue>::Cell as $crate::Cell>::TYPE,
                                nullable: <$ty as $crate::ColumnValue>::NULLABLE,
                                unit: { let unit = ""; $( let _ = unit; let unit = $unit; )? unit },
                                range: {
                                    let range = $crate::Range::ANY;
                                    $( $( let _ = range; let range = $crate::Range::$range; )? )?
                                    range
                                },
                                doc: concat!($($cdoc, "\n"),+).trim(),
                            }
                        ),*],
                    });
                &SPEC
            }

            fn into_columns(rows: Vec<Self>) -> Vec<$crate::ColumnData> {
                $( let mut $col = Vec::with_capacity(rows.len()); )*
                for row in rows {
                    $( $col.push($crate::ColumnValue::into_cell(row.$col)); )*
                }
                vec![$( <<$ty as $crate::ColumnValue>::Cell as $crate::Cell>::wrap($col) ),*]
            }

            fn from_columns(columns: Vec<$crate::ColumnData>) -> Option<Vec<Self>> {
                let mut columns = columns.into_iter();
                let mut rows = 0;
                $(
                    let $col = <<$ty as $crate::ColumnValue>::Cell as $crate::Cell>::take(columns.next()?)?;
                    rows = rows.max($col.len());
                    let mut $col = $col.into_iter();
                )*
                (0..rows)
                    .map(|_| Some(Self {
                        $( $col: <$ty as $crate::ColumnValue>::from_cell($col.next()?)?, )*
                    }))
                    .collect()
            }
        }
    };
}
