//! Rows that come piece by piece, for tables that shall never be in memory as a whole.
//!
//! Pieces come in key order, each after the one before it, so that together they are what
//! [`Checked`] is at once. A log writes each as a data file of its own before it asks for the next.

use std::fmt;
use std::marker::PhantomData;

use mixline_schema::{Artifact, ArtifactSpec};
use polars::prelude::DataFrame;

use crate::checked::Checked;
use crate::contract::{ContractViolations, duplicates, out_of_order};
use crate::error::StoreError;
use crate::order;
use crate::table::Table;

type Source = Box<dyn Iterator<Item = Result<DataFrame, StoreError>> + Send>;

/// A table of one artifact, piece by piece.
pub struct Pieces<A: Artifact> {
    source: Source,
    rows: PhantomData<fn() -> A>,
}

impl<A: Artifact> Pieces<A> {
    /// Pieces made when they are asked for. Each must come after the one before it, by key. Making
    /// one may fail: its rows may break the contract, or what it is made from cannot be read.
    pub fn new<E: Into<StoreError>>(
        pieces: impl Iterator<Item = Result<Table<A>, E>> + Send + 'static,
    ) -> Self {
        Self {
            source: Box::new(pieces.map(|piece| piece.map(Table::into_df).map_err(E::into))),
            rows: PhantomData,
        }
    }

    /// All pieces as one table.
    ///
    /// # Errors
    /// Every violation of the first piece that has any; why one could not be made.
    pub fn into_table(self) -> Result<Table<A>, StoreError> {
        let checked = Rows::from(self).whole()?;
        Ok(Table::parse(checked.into_df())?)
    }
}

impl<A: Artifact> fmt::Debug for Pieces<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pieces<{}>", A::NAME)
    }
}

/// What a log takes: rows at once or piece by piece.
pub struct Rows {
    spec: &'static ArtifactSpec,
    pub(crate) held: Held,
}

/// How the rows of [`Rows`] are held.
pub(crate) enum Held {
    /// All of them.
    Whole(DataFrame),
    /// As an iterator.
    Pieces(InOrder),
}

impl Rows {
    /// The declaration.
    #[must_use]
    pub fn spec(&self) -> &'static ArtifactSpec {
        self.spec
    }

    /// The columns without rows.
    #[must_use]
    pub fn empty(&self) -> DataFrame {
        crate::frame::empty(self.spec)
    }

    /// All rows at once.
    ///
    /// # Errors
    /// What came up when the pieces were made.
    pub fn whole(self) -> Result<Checked, StoreError> {
        let frame = match self.held {
            Held::Whole(frame) => frame,
            Held::Pieces(pieces) => {
                let mut whole = crate::frame::empty(self.spec);
                for piece in pieces {
                    whole
                        .vstack_mut(&piece?)
                        .expect("checked pieces have the same columns");
                }
                whole
            }
        };
        Ok(Checked::trusted(self.spec, frame))
    }

    /// The rows as frames in key order: one, or the pieces.
    pub fn frames(self) -> Box<dyn Iterator<Item = Result<DataFrame, StoreError>> + Send> {
        match self.held {
            Held::Whole(frame) => Box::new(std::iter::once(Ok(frame))),
            Held::Pieces(pieces) => Box::new(pieces),
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows of {}", self.spec.name)
    }
}

impl From<Checked> for Rows {
    fn from(checked: Checked) -> Self {
        Self {
            spec: checked.spec(),
            held: Held::Whole(checked.into_df()),
        }
    }
}

impl<A: Artifact> From<Table<A>> for Rows {
    fn from(table: Table<A>) -> Self {
        Checked::from(table).into()
    }
}

impl<A: Artifact> From<Pieces<A>> for Rows {
    fn from(pieces: Pieces<A>) -> Self {
        Self {
            spec: A::spec(),
            held: Held::Pieces(InOrder {
                spec: A::spec(),
                source: pieces.source,
                last: None,
            }),
        }
    }
}

/// Pieces, with a look at where one ends and the next begins. Pieces without rows are left out.
pub(crate) struct InOrder {
    spec: &'static ArtifactSpec,
    source: Source,
    /// The last row of the piece before.
    last: Option<DataFrame>,
}

impl Iterator for InOrder {
    type Item = Result<DataFrame, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = self
            .source
            .find(|piece| piece.as_ref().map_or(true, |frame| frame.height() > 0))?;
        Some(frame.and_then(|frame| Ok(self.follow(frame)?)))
    }
}

impl InOrder {
    /// The pieces, taken: they can be made once.
    pub(crate) fn taken(&mut self) -> Self {
        Self {
            spec: self.spec,
            source: std::mem::replace(&mut self.source, Box::new(std::iter::empty())),
            last: self.last.take(),
        }
    }

    fn follow(&mut self, frame: DataFrame) -> Result<DataFrame, ContractViolations> {
        let end = frame.slice(frame.height() as i64 - 1, 1);
        if let Some(mut seam) = self.last.replace(end) {
            seam.vstack_mut(&frame.slice(0, 1))
                .expect("checked pieces have the same columns");
            if !order::in_order(&seam, self.spec.key) {
                let repeated = duplicates(self.spec, &seam);
                return Err(if repeated.total > 0 {
                    repeated
                } else {
                    out_of_order(self.spec, &seam)
                });
            }
        }
        Ok(frame)
    }
}
