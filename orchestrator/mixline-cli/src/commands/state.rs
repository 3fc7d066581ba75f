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
    /// its versions never change, and its provider keeps it safe. Of a database on Postgres only
    /// the hash key is copied; `pg_dump` copies the database.
    Backup {
        /// Folder to make; by default one named by the instant, in `backups` of the state folder
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Put a backup in the place of the state database
    ///
    /// Refused while any process has the database open. The database that was there is kept beside
    /// it. Runs that were going on when the backup was made are taken over by the next scheduler,
    /// or by `mixline resume`; outputs committed since count as done. With a database on Postgres
    /// only the hash key is put back; `pg_restore` puts the database back.
    Restore {
        /// Folder that a backup made
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
    },
    /// Drop what waits for a service that is not to be told any more
    ///
    /// Runs wait in the outbox for everybody who was to be told of them, also after a service has
    /// been taken out of the configuration. `mixline doctor` says who is waited for.
    ForgetConsumer {
        /// Name in the outbox, for example `mlflow`
        #[arg(value_name = "NAME")]
        name: String,
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
        Command::ForgetConsumer { name } => forget(app, &project, name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn backup(app: &App, project: &Project, to: Option<&Path>) -> Outcome<()> {
    let named = || app::now().format("%Y%m%dT%H%M%SZ").to_string();
    let folder = to.map_or_else(
        || project.state.join("backups").join(named()),
        Path::to_path_buf,
    );
    let (copy, key) = (folder.join(DATABASE), folder.join(KEY));
    if copy.exists() || key.exists() {
        let message = format!("{} holds a backup already", folder.display());
        return Err(Failure::usage(message).hint("name another folder with --to"));
    }
    let own = project.state.join(KEY);
    if project.database.file().is_none() && !own.exists() {
        return Err(kept_by_a_server(project).into());
    }
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::file("make the folder", &folder, error))?;
    let runs = match project.database.file() {
        Some(_) => Some(copy_database(project, &copy).await?),
        None => None,
    };
    let key = copy_key(&own, &key)?;
    if app.json() {
        return app.document(&json!({ "folder": folder, "runs": runs, "hash_key": key }));
    }
    let key = if key { "the hash key" } else { "no hash key" };
    let runs = runs.map(|runs| words::counted(runs, "run") + " and ");
    let runs = runs.unwrap_or_default();
    app.line(format!("{}: {runs}{key}", folder.display()))?;
    match project.database.file() {
        Some(_) => Ok(()),
        None => app.line(kept_by_a_server(project).to_string()),
    }
}

/// Copies the database; returns the number of runs in the copy.
async fn copy_database(project: &Project, copy: &Path) -> Outcome<u64> {
    let db = StateDb::open(&project.database).await?;
    db.copy_to(copy).await?;
    db.close().await;
    Ok(StateDb::check_copy(copy).await?)
}

/// What to do with a database that is no file.
fn kept_by_a_server(project: &Project) -> RunError {
    RunError::NotAFile {
        place: project.database.to_string(),
    }
}

async fn forget(app: &App, project: &Project, name: &str) -> Outcome<()> {
    let db = StateDb::open(&project.database).await?;
    let backlogs = db.backlogs().await?;
    let runs = db.forget_consumer(name).await?;
    db.close().await;
    if runs == 0 {
        let names: Vec<&str> = backlogs.iter().map(|b| b.consumer.as_str()).collect();
        let failure = Failure::usage(format!("nothing waits for `{name}`"));
        return Err(match names.is_empty() {
            true => failure,
            false => failure.hint(format!("runs wait for {}", names.join(", "))),
        });
    }
    if app.json() {
        return app.document(&json!({ "consumer": name, "runs": runs }));
    }
    let runs = words::counted(runs, "run");
    app.note(format!("{name} is not told of {runs} any more"))
}

async fn restore(app: &App, project: &Project, from: &Path) -> Outcome<()> {
    let database = project.database.to_string();
    let backup = from.join(KEY);
    let kept = match project.database.file() {
        Some(_) => StateDb::restore(&project.database, &from.join(DATABASE)).await?,
        None if backup.exists() => None,
        None => return Err(kept_by_a_server(project).into()),
    };
    let key = restore_key(&backup, &project.state.join(KEY))?;
    if app.json() {
        return app.document(&json!({ "database": database, "kept": kept, "hash_key": key }));
    }
    match project.database.file() {
        Some(_) => app.line(format!("{database} is as it was in {}", from.display()))?,
        None => app.line(kept_by_a_server(project).to_string())?,
    }
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
