//! `mixline dag`.

use std::process::ExitCode;

use crate::app::App;
use crate::failure::Outcome;

/// Print what a DAG file may hold
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the JSON Schema of DAG files, for editors
    Schema,
}

/// Carries out `mixline dag …`.
pub(crate) fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    match args.command {
        Command::Schema => app.document(&mixline_plan::dag_schema())?,
    }
    Ok(ExitCode::SUCCESS)
}
