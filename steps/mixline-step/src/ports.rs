//! Ports: how named tables get into a step and out of it.
//!
//! [`inputs!`](crate::inputs!) and [`outputs!`](crate::outputs!) implement the traits of this
//! module; nobody else needs to.

use std::collections::BTreeMap;

use mixline_artifact::{Batches, Pieces, Rows, Stream, Table};
use mixline_schema::{Artifact, ArtifactSpec, ColumnData, Port, WriteMode};
use polars::frame::DataFrame;

use crate::error::StepError;

/// A port together with the declaration of what it carries.
#[derive(Debug, Clone)]
pub struct PortSpec {
    /// The port as `describe` prints it.
    pub port: Port,
    /// The artifact's declaration. Its name differs from `port.artifact` when the port renames it.
    pub spec: &'static ArtifactSpec,
    /// Whether an input is read piece by piece.
    pub(crate) streamed: bool,
    /// Columns in declaration order into the artifact's table.
    pub(crate) table: fn(Vec<ColumnData>) -> Result<DataFrame, StepError>,
}

fn table<A: Artifact>(columns: Vec<ColumnData>) -> Result<DataFrame, StepError> {
    let rows = A::from_columns(columns)
        .ok_or_else(|| StepError::data(format!("the columns are not those of `{}`", A::NAME)))?;
    Ok(Table::from_rows(rows)?.into_df())
}

impl PortSpec {
    fn new<A: Artifact>(name: &str, artifact: &str, optional: bool, doc: &str) -> Self {
        let port = Port {
            name: name.to_owned(),
            artifact: artifact.to_owned(),
            schema_version: A::SCHEMA_VERSION,
            optional,
            mode: None,
            doc: doc.trim().to_owned(),
        };
        Self {
            port,
            spec: A::spec(),
            streamed: false,
            table: table::<A>,
        }
    }

    /// The port of an input field.
    #[must_use]
    pub fn input<F: InputField>(name: &str, rename: Option<&str>, doc: &str) -> Self {
        let artifact = rename.unwrap_or(<F::Artifact as Artifact>::NAME);
        Self {
            streamed: F::STREAMED,
            ..Self::new::<F::Artifact>(name, artifact, F::OPTIONAL, doc)
        }
    }

    /// The port of an output field.
    #[must_use]
    pub fn output<F: OutputField>(
        name: &str,
        rename: Option<&str>,
        mode: WriteMode,
        doc: &str,
    ) -> Self {
        let artifact = rename.unwrap_or(<F::Artifact as Artifact>::NAME);
        let mut this = Self::new::<F::Artifact>(name, artifact, F::OPTIONAL, doc);
        this.port.mode = Some(mode);
        this
    }
}

/// What was read for a port.
#[derive(Debug)]
pub enum Given {
    /// All rows.
    Whole(DataFrame),
    /// Rows that will come piece by piece.
    Stream(Stream),
}

/// The inputs of a step; implemented by [`inputs!`](crate::inputs!).
pub trait InputPorts: Sized + 'static {
    /// The ports, in declaration order.
    fn ports() -> Vec<PortSpec>;

    /// Takes every port's table out of `frames`, checked against its declaration.
    ///
    /// # Errors
    /// A data error that names the port when a table breaks its contract or is missing.
    fn from_frames(frames: &mut BTreeMap<String, Given>) -> Result<Self, StepError>;
}

/// The outputs of a step; implemented by [`outputs!`](crate::outputs!).
pub trait OutputPorts: Sized + 'static {
    /// The ports, in declaration order.
    fn ports() -> Vec<PortSpec>;

    /// The tables by port; optional outputs that stay unwritten are absent.
    fn into_tables(self) -> Vec<(&'static str, Rows)>;
}

/// A step that reads nothing from the store.
impl InputPorts for () {
    fn ports() -> Vec<PortSpec> {
        Vec::new()
    }
    fn from_frames(_: &mut BTreeMap<String, Given>) -> Result<Self, StepError> {
        Ok(())
    }
}

/// A step that writes nothing to the store.
impl OutputPorts for () {
    fn ports() -> Vec<PortSpec> {
        Vec::new()
    }
    fn into_tables(self) -> Vec<(&'static str, Rows)> {
        Vec::new()
    }
}

/// The type of an input field: a table, one that is read piece by piece, or either, optional.
pub trait InputField: Sized {
    /// What the table holds.
    type Artifact: Artifact;
    /// Whether the artifact may have no version yet.
    const OPTIONAL: bool;
    /// Whether it is read piece by piece.
    const STREAMED: bool = false;

    /// The checked table of a port.
    ///
    /// # Errors
    /// A data error when the rows break the contract; a bug when a required table is missing,
    /// since the SDK resolves inputs before.
    fn take(port: &str, given: Option<Given>) -> Result<Self, StepError>;
}

impl<A: Artifact> InputField for Table<A> {
    type Artifact = A;
    const OPTIONAL: bool = false;
    fn take(port: &str, given: Option<Given>) -> Result<Self, StepError> {
        let Some(Given::Whole(frame)) = given else {
            return Err(StepError::bug(format!("input `{port}` was not read")));
        };
        Table::parse(frame).map_err(|violations| {
            let name = A::NAME;
            StepError::data(format!("input `{port}` breaks the contract of `{name}`"))
                .because(violations)
        })
    }
}

impl<A: Artifact> InputField for Batches<A> {
    type Artifact = A;
    const OPTIONAL: bool = false;
    const STREAMED: bool = true;
    fn take(port: &str, given: Option<Given>) -> Result<Self, StepError> {
        match given {
            Some(Given::Stream(stream)) => Ok(Self::new(stream)),
            whole => Table::take(port, whole).map(Self::from),
        }
    }
}

impl<F: InputField> InputField for Option<F> {
    type Artifact = F::Artifact;
    const OPTIONAL: bool = true;
    const STREAMED: bool = F::STREAMED;
    fn take(port: &str, given: Option<Given>) -> Result<Self, StepError> {
        given.map(|given| F::take(port, Some(given))).transpose()
    }
}

/// The type of an output field: a table, an optional one, or one made piece by piece.
pub trait OutputField: Sized {
    /// What the table holds.
    type Artifact: Artifact;
    /// Whether the output may stay unwritten.
    const OPTIONAL: bool;

    /// The rows to commit.
    fn give(self) -> Option<Rows>;
}

impl<A: Artifact> OutputField for Table<A> {
    type Artifact = A;
    const OPTIONAL: bool = false;
    fn give(self) -> Option<Rows> {
        Some(self.into())
    }
}

impl<A: Artifact> OutputField for Option<Table<A>> {
    type Artifact = A;
    const OPTIONAL: bool = true;
    fn give(self) -> Option<Rows> {
        self.map(Rows::from)
    }
}

impl<A: Artifact> OutputField for Pieces<A> {
    type Artifact = A;
    const OPTIONAL: bool = false;
    fn give(self) -> Option<Rows> {
        Some(self.into())
    }
}
