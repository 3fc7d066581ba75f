//! A table that satisfies its declaration.

use std::marker::PhantomData;

use mixline_schema::{Artifact, ColumnData, Digest};
use polars::prelude::DataFrame;

use crate::checked::Checked;
use crate::contract::ContractViolations;
use crate::{frame, rowhash};

/// Rows of one artifact, checked, in key order.
///
/// [`Table::from_rows`] and [`Table::parse`] are the only ways in, so whoever holds a `Table`
/// holds rows that keep the contract.
#[derive(Debug, Clone)]
pub struct Table<A: Artifact> {
    checked: Checked,
    rows: PhantomData<A>,
}

impl<A: Artifact> Table<A> {
    /// A table from rows, in any order.
    ///
    /// # Errors
    /// Every violation of the declaration.
    pub fn from_rows(rows: Vec<A>) -> Result<Self, ContractViolations> {
        let names = A::spec().columns.iter().map(|c| c.name);
        let columns = names
            .zip(A::into_columns(rows))
            .map(|(name, data)| frame::to_column(name, data));
        let columns: Result<Vec<_>, _> = columns.collect();
        let built = columns.and_then(DataFrame::new_infer_height);
        Self::parse(built.expect("columns made from one list of rows have one length"))
    }

    /// A table from a frame.
    ///
    /// # Errors
    /// Every violation of the declaration.
    pub fn parse(frame: DataFrame) -> Result<Self, ContractViolations> {
        let checked = Checked::new(A::spec(), frame)?;
        Ok(Self {
            checked,
            rows: PhantomData,
        })
    }

    /// A table without rows.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            checked: Checked::empty(A::spec()),
            rows: PhantomData,
        }
    }

    /// The rows, in key order.
    #[must_use]
    pub fn rows(&self) -> Vec<A> {
        let column = |spec: &mixline_schema::ColumnSpec| -> Option<ColumnData> {
            frame::from_column(self.df().column(spec.name).ok()?, spec.ty).ok()
        };
        let columns: Option<Vec<ColumnData>> = A::spec().columns.iter().map(column).collect();
        columns
            .and_then(A::from_columns)
            .expect("a table's columns were checked when it was made")
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.df().height()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns.
    #[must_use]
    pub fn df(&self) -> &DataFrame {
        self.checked.df()
    }

    /// The columns, taken.
    #[must_use]
    pub fn into_df(self) -> DataFrame {
        self.checked.into_df()
    }

    /// The content digest: equal for equal rows.
    #[must_use]
    pub fn digest(&self) -> Digest {
        rowhash::digest_of(A::spec(), self.df()).expect("a table's columns have known types")
    }
}

impl<A: Artifact> From<Table<A>> for Checked {
    fn from(table: Table<A>) -> Self {
        table.checked
    }
}
