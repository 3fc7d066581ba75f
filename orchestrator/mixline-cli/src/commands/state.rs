//! `mixline state`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use mixline_run::store::StateDb;
use mixline_run::{Project, RunError};
use serde_json::json;

use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::ui::words;

/// Back up the run state and put it back
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Copy the state database and the hash key to a folder, while everything goes on
    ///
    /// The copy is consistent: it holds what was committed when it began. The store is not copied:
    /// its versions never change, and its provider keeps it safe.
    Backup {
        /// Folder to make; by default one named by the instant, in `backups` of the state folder
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Put a backup in the place of the state database
    ///
    /// Refused while any process has the database open. The database that was there is kept beside
    /// it. Runs that were going on when the backup was made are taken over by the next scheduler,
    /// or by `mixline resume`; outputs committed since count as done.
    Restore {
        /// Folder that a backup made
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
    },
}

const DATABASE: &str = "state.db";
const KEY: &str = "hash.key";

/// Carries out `mixline state …`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let project = app.project()?;
    match &args.command {
        Command::Backup { to } => backup(app, &project, to.as_deref()).await?,
        Command::Restore { from } => restore(app, &project, from).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn backup(app: &App, project: &Project, to: Option<&Path>) -> Outcome<()> {
    let named = || app::now().format("%Y%m%dT%H%M%SZ").to_string();
    let folder = to.map_or_else(
        || project.state.join("backups").join(named()),
        Path::to_path_buf,
    );
    if project.database.file().is_none() {
        let place = project.database.to_string();
        return Err(RunError::NotAFile { place }.into());
    }
    let copy = folder.join(DATABASE);
    if copy.exists() {
        let message = format!("{} holds a backup already", folder.display());
        return Err(Failure::usage(message).hint("name another folder with --to"));
    }
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::file("make the folder", &folder, error))?;
    let db = StateDb::open(&project.database).await?;
    db.copy_to(&copy).await?;
    db.close().await;
    let runs = StateDb::check_copy(&copy).await?;
    let key = copy_key(&project.state.join(KEY), &folder.join(KEY))?;
    if app.json() {
        return app.document(&json!({ "folder": folder, "runs": runs, "hash_key": key }));
    }
    let with = if key {
        " and the hash key"
    } else {
        "; there is no hash key"
    };
    app.line(format!(
        "{}: {}{with}",
        folder.display(),
        words::counted(runs, "run")
    ))
}

async fn restore(app: &App, project: &Project, from: &Path) -> Outcome<()> {
    let database = project.database.to_string();
    let kept = StateDb::restore(&project.database, &from.join(DATABASE)).await?;
    let key = restore_key(&from.join(KEY), &project.state.join(KEY))?;
    if app.json() {
        return app.document(&json!({ "database": database, "kept": kept, "hash_key": key }));
    }
    app.line(format!("{database} is as it was in {}", from.display()))?;
    if let Some(kept) = kept {
        app.note(format!("what was there is now {}", kept.display()))?;
    }
    if let Some(note) = key {
        app.note(note)?;
    }
    app.note("`mixline resume`, or the scheduler, takes over what was going on")
}

/// Copies a key; `false` when there is none. Permissions go with it.
fn copy_key(from: &Path, to: &Path) -> Outcome<bool> {
    if !from.exists() {
        return Ok(false);
    }
    fs::copy(from, to).map_err(|error| Failure::file("write", to, error))?;
    Ok(true)
}

/// Puts a key back where there is none. One that differs is left alone, because data hashed with it
/// would not be recognized any more.
fn restore_key(from: &Path, to: &Path) -> Outcome<Option<&'static str>> {
    let read = |path: &Path| fs::read(path).ok();
    match (read(from), read(to)) {
        (Some(_), None) => copy_key(from, to).map(|_| Some("the hash key is back")),
        (Some(backup), Some(now)) if backup != now => Ok(Some(
            "hash.key differs from that of the backup and was left alone",
        )),
        _ => Ok(None),
    }
}
