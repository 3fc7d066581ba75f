//! `mixline attribution`: what attribution methods say of channels, beside each other.

mod compare;
mod paths;

use std::process::ExitCode;

use clap::Subcommand;
use mixline_artifact::{Log, Store};
use mixline_schema::{Artifact, ArtifactRef};

use crate::app::App;
use crate::failure::{Failure, Outcome};

/// Compare what attribution methods say of channels, and list the paths to orders
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compare(compare::Args),
    Paths(paths::Args),
}

/// Carries out `mixline attribution …`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let store = app.store().await?;
    match &args.command {
        Command::Compare(args) => compare::execute(app, &store, args).await,
        Command::Paths(args) => paths::execute(app, &store, args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The newest version of an artifact, or the one that `at` names: a number or an alias.
async fn version<A: Artifact>(store: &Store, at: Option<&str>) -> Outcome<(Log, u64)> {
    let log = store.log(A::NAME)?;
    let Some(head) = log.head().await? else {
        let text = format!("there is no attribution yet: `{}` has no version", A::NAME);
        return Err(Failure::data(text).hint("run `mixline run daily_ingest` first"));
    };
    match at {
        None => Ok((log, head)),
        Some(at) => {
            let reference: ArtifactRef = format!("{}@{at}", A::NAME).parse()?;
            Ok(store.resolve(&reference).await?)
        }
    }
}

/// A share in percent, with one decimal.
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
