//! The trait a step implements, and what it says of itself.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use mixline_schema::{ColumnChange, ColumnLineage, ExitCode, Resources, StepDescriptor};

use crate::context::Context;
use crate::error::StepError;
use crate::ports::{InputPorts, OutputPorts, PortSpec};

/// One stage of a pipeline: a pure function from configuration and tables to tables.
///
/// Guarantees the SDK gives: inputs satisfy their contracts; the configuration has no unknown key
/// and passed [`validate`](Self::validate); nothing is committed unless `run` returns tables.
/// Guarantees a step gives: the same configuration, inputs, window and seed give the same rows.
pub trait Step: 'static {
    /// Name of the binary, `step-<verb>`.
    const NAME: &'static str;
    /// One line of meaning.
    const ABOUT: &'static str;
    /// Whether the window changes the result.
    const WINDOWED: bool = false;
    /// Configuration keys that hold paths of files or folders read from outside the store.
    const OBSERVES: &'static [&'static str] = &[];
    /// Which input columns the output columns are made from. What is not listed is not declared.
    const COLUMNS: &'static [Column] = &[];
    /// Most cores and memory it may use where somebody holds it to that: containers, clusters. A
    /// task can say otherwise.
    const RESOURCES: Resources = Resources {
        cores: 1.0,
        memory_mib: 1024,
    };
    /// Subcommands beside `run`, `describe` and `check`, for people who want to look inside.
    const TOOLS: &'static [Tool] = &[];
    /// The configuration; derive `Deserialize` with `deny_unknown_fields` and `default`.
    type Config: Serialize + DeserializeOwned + JsonSchema + Default;
    /// The tables read.
    type Inputs: InputPorts;
    /// The tables written.
    type Outputs: OutputPorts;

    /// Checks what the types cannot say: ranges, pairs of keys that exclude each other.
    ///
    /// # Errors
    /// [`StepError::config`], best with the key's path in the message.
    fn validate(_config: &Self::Config) -> Result<(), StepError> {
        Ok(())
    }

    /// Computes the outputs.
    ///
    /// # Errors
    /// A [`StepError`]; its constructor decides the exit code.
    fn run(
        config: &Self::Config,
        inputs: Self::Inputs,
        ctx: &Context,
    ) -> Result<Self::Outputs, StepError>;
}

/// An output column and the input columns it is made from, all as `port.column`.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    column: &'static str,
    change: ColumnChange,
    from: &'static [&'static str],
}

impl Column {
    /// The same values as in one of the columns.
    #[must_use]
    pub const fn same(column: &'static str, from: &'static [&'static str]) -> Self {
        let change = ColumnChange::Identity;
        Self {
            column,
            change,
            from,
        }
    }

    /// Computed from the columns; from configuration alone when there are none.
    #[must_use]
    pub const fn made(column: &'static str, from: &'static [&'static str]) -> Self {
        let change = ColumnChange::Transformation;
        Self {
            column,
            change,
            from,
        }
    }

    /// Summed or counted over rows of the columns.
    #[must_use]
    pub const fn summed(column: &'static str, from: &'static [&'static str]) -> Self {
        let change = ColumnChange::Aggregation;
        Self {
            column,
            change,
            from,
        }
    }

    fn declare(&self) -> ColumnLineage {
        ColumnLineage {
            column: self.column.to_owned(),
            change: self.change,
            from: self.from.iter().map(|&from| from.to_owned()).collect(),
        }
    }
}

/// A subcommand that shows the step's inner workings: files in, one JSON document out. It touches
/// no store.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The subcommand with its arguments.
    pub command: fn() -> clap::Command,
    /// What it does with them.
    pub run: fn(&clap::ArgMatches) -> Result<serde_json::Value, StepError>,
}

/// The configuration of a step that has none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoConfig {}

/// What `describe` prints.
#[must_use]
pub fn descriptor<S: Step>() -> StepDescriptor {
    let ports = |specs: Vec<PortSpec>| specs.into_iter().map(|spec| spec.port).collect();
    StepDescriptor {
        name: S::NAME.to_owned(),
        about: S::ABOUT.to_owned(),
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        inputs: ports(S::Inputs::ports()),
        outputs: ports(S::Outputs::ports()),
        columns: S::COLUMNS.iter().map(Column::declare).collect(),
        config_schema: schemars::schema_for!(S::Config).to_value(),
        observes: S::OBSERVES.iter().map(|&key| key.to_owned()).collect(),
        windowed: S::WINDOWED,
        resources: S::RESOURCES,
        exit_codes: ExitCode::ALL
            .into_iter()
            .map(|exit| (exit.code(), exit.meaning().to_owned()))
            .collect(),
    }
}
