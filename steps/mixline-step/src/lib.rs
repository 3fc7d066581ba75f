//! The step SDK: one contract for every caller.
//!
//! A step is a function from a configuration and typed tables to typed tables. It knows no path,
//! no store, no clock and no network; [`main()`] gives it all of that: the command line, reading
//! and checking inputs, reuse by fingerprint, the commit, the result document, exit codes, logs,
//! progress and signals. The contract itself is written in `steps/README.md`.
//!
//! ```no_run
//! use mixline_schema::catalog::{MediaDaily, Outcome};
//! use mixline_step::{Context, Step, StepError, Table, inputs, outputs};
//!
//! inputs! {
//!     /// What the step reads.
//!     pub struct Inputs {
//!         /// Spend by day and channel.
//!         media: MediaDaily,
//!         /// What it is compared with, when there is one.
//!         outcome: Option<Outcome>,
//!     }
//! }
//! outputs! {
//!     /// What the step writes.
//!     pub struct Outputs {
//!         /// The same rows again.
//!         copy: MediaDaily as "media_copy" => Replace,
//!     }
//! }
//!
//! /// Copies a table.
//! pub struct Copy;
//!
//! impl Step for Copy {
//!     const NAME: &'static str = "step-copy";
//!     const ABOUT: &'static str = "Copies media_daily.";
//!     type Config = mixline_step::NoConfig;
//!     type Inputs = Inputs;
//!     type Outputs = Outputs;
//!     fn run(_: &Self::Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
//!         ctx.progress(0.5, "copying");
//!         Ok(Outputs { copy: inputs.media })
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     mixline_step::main::<Copy>()
//! }
//! ```

mod cli;
mod code;
mod config;
mod context;
mod csv_file;
mod document;
mod error;
mod execute;
mod logging;
mod macros;
mod panics;
mod plain;
mod ports;
mod program;
mod read;
mod report;
mod request;
mod run;
mod step;

pub use context::Context;
pub use error::StepError;
pub use mixline_artifact::{Batches, DataFrame, Pieces, Table};
pub use ports::{InputField, InputPorts, OutputField, OutputPorts, PortSpec};
pub use read::{read_json, read_table};
pub use run::main;
pub use step::{Column, NoConfig, Step, Tool, descriptor};

pub use mixline_schema::Resources;

/// For the commands of [`Tool`]s.
pub use clap;

/// The items that [`inputs!`] and [`outputs!`] expand to; not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use crate::ports::Given;
    pub use mixline_artifact::Rows;
    pub use mixline_schema::{Artifact, WriteMode};
}
