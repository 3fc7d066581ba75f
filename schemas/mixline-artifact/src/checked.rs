//! Rows that keep a contract known at run time: what a log takes.

use mixline_schema::ArtifactSpec;
use polars::prelude::DataFrame;

use crate::contract::{ContractViolations, conformed, duplicates};
use crate::order;

/// Rows that satisfy a declaration, in key order, no key twice. [`Checked::new`] and
/// [`Table`](crate::Table) are the only ways to one, so nobody has to look again.
#[derive(Debug, Clone)]
pub struct Checked {
    spec: &'static ArtifactSpec,
    frame: DataFrame,
}

impl Checked {
    /// Checks a frame and brings it into key order.
    ///
    /// # Errors
    /// Every violation of the declaration.
    ///
    /// # Panics
    /// Never: the key columns of a conformed frame exist.
    pub fn new(spec: &'static ArtifactSpec, frame: DataFrame) -> Result<Self, ContractViolations> {
        let conformed = conformed(spec, frame)?;
        let arranged = order::arranged(conformed, spec.key).expect("key columns are there");
        if !arranged.strict && !spec.key.is_empty() {
            return Err(duplicates(spec, &arranged.frame));
        }
        Ok(Self {
            spec,
            frame: arranged.frame,
        })
    }

    /// Rows somebody has checked already, in key order.
    pub(crate) fn trusted(spec: &'static ArtifactSpec, frame: DataFrame) -> Self {
        Self { spec, frame }
    }

    /// No rows.
    pub(crate) fn empty(spec: &'static ArtifactSpec) -> Self {
        Self {
            spec,
            frame: crate::frame::empty(spec),
        }
    }

    /// The declaration.
    #[must_use]
    pub fn spec(&self) -> &'static ArtifactSpec {
        self.spec
    }

    /// The columns.
    #[must_use]
    pub fn df(&self) -> &DataFrame {
        &self.frame
    }

    /// The columns, taken.
    #[must_use]
    pub fn into_df(self) -> DataFrame {
        self.frame
    }
}
