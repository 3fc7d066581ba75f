//! Looking after the database: is it sound, copying it while it is in use, putting a copy back. A
//! server looks after its files itself, and has its own tools to copy them.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{Dialect, Location, StateDb, failure, schema};
use crate::error::RunError;

/// What there is to know of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Bytes it takes: a file with its write-ahead log, or what the server counts.
    pub bytes: u64,
    /// Number of the last migration.
    pub migration: i64,
    /// What is wrong with the file, in the database's words; empty when it is sound, and for a
    /// server, which looks after its files itself.
    pub damage: Vec<String>,
}

impl StateDb {
    /// Reads the whole file, where it is one, and says whether it is sound.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn health(&self) -> Result<Health, RunError> {
        let migration = sqlx::query_scalar("SELECT MAX(number) FROM mixline_migrations")
            .fetch_one(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(Health {
            bytes: self.bytes().await?,
            migration,
            damage: self.damage().await?,
        })
    }

    async fn damage(&self) -> Result<Vec<String>, RunError> {
        if self.dialect == Dialect::Postgres {
            return Ok(Vec::new());
        }
        let said: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("check"))?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }

    /// Bytes it takes: a file with its write-ahead log, or what the server counts.
    ///
    /// # Errors
    /// What the server said; a file that cannot be looked at counts as empty.
    pub async fn bytes(&self) -> Result<u64, RunError> {
        if let Some(file) = &self.file {
            let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
            return Ok(size(file) + size(&beside(file, "-wal")));
        }
        let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(super::unsigned(bytes))
    }

    /// Writes a consistent copy to a file that must not exist. Others may go on reading and writing
    /// meanwhile; the copy holds what was committed when it began.
    ///
    /// # Errors
    /// [`RunError::State`], also when the file exists; [`RunError::NotAFile`] for a server.
    pub async fn copy_to(&self, file: &Path) -> Result<(), RunError> {
        if self.file.is_none() {
            let place = self.place.to_string();
            return Err(RunError::NotAFile { place });
        }
        sqlx::query("VACUUM INTO $1")
            .bind(file.display().to_string())
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("copy"))
    }

    /// Checks that a file is a sound database that this version can open. Returns the number of
    /// runs in it.
    ///
    /// # Errors
    /// [`RunError::BadCopy`] or [`RunError::State`].
    pub async fn check_copy(file: &Path) -> Result<u64, RunError> {
        let bad = |problem: String| RunError::BadCopy {
            path: file.to_owned(),
            problem,
        };
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let mut copy = options.connect().await.map_err(failed("open", file))?;
        let said: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
            .fetch_all(&mut copy)
            .await
            .map_err(|error| bad(error.to_string()))?;
        if said != ["ok"] {
            return Err(bad(said.join("; ")));
        }
        let number: Result<Option<i64>, _> =
            sqlx::query_scalar("SELECT MAX(number) FROM mixline_migrations")
                .fetch_one(&mut copy)
                .await;
        let known = schema::newest();
        match number {
            Ok(Some(number)) if number <= known => {}
            Ok(Some(number)) => {
                let problem = format!("it is of version {number}, and this program knows {known}");
                return Err(bad(problem));
            }
            _ => return Err(bad("it is no state database".to_owned())),
        }
        let runs: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM runs")
            .fetch_one(&mut copy)
            .await
            .map_err(failed("read", file))?;
        copy.close().await.map_err(failed("read", file))?;
        Ok(super::unsigned(runs))
    }

    /// Puts a copy in the place of the database, which nobody may have open. The file that was
    /// there is kept beside it, with what belongs to it; its path is returned.
    ///
    /// # Errors
    /// [`RunError::Locked`] while somebody has it open, [`RunError::NotAFile`] for a server, or as
    /// [`StateDb::check_copy`].
    pub async fn restore(location: &Location, copy: &Path) -> Result<Option<PathBuf>, RunError> {
        let path = location.file().ok_or_else(|| RunError::NotAFile {
            place: location.to_string(),
        })?;
        Self::check_copy(copy).await?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(RunError::io("make the folder", folder))?;
        }
        let fresh = beside(path, ".restoring");
        std::fs::copy(copy, &fresh).map_err(RunError::io("write", &fresh))?;
        let file = std::fs::File::open(&fresh).map_err(RunError::io("read", &fresh))?;
        file.sync_all().map_err(RunError::io("write", &fresh))?;
        if path.exists() {
            close_for_all(path).await?;
        }
        let kept = set_aside(path)?;
        std::fs::rename(&fresh, path).map_err(RunError::io("rename", &fresh))?;
        Ok(kept)
    }
}

/// The logs beside a database. SQLite takes any that it finds there for the database's own, and
/// writes what it holds into the file.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Moves a database and its logs out of the way; also logs whose database is gone. Returns where
/// the database is now, if there was one.
fn set_aside(path: &Path) -> Result<Option<PathBuf>, RunError> {
    let aside = free_name(path);
    for ending in LOGS {
        move_if_there(&beside(path, ending), &beside(&aside, ending))?;
    }
    Ok(move_if_there(path, &aside)?.then_some(aside))
}

/// A name beside the database that neither a file nor a log of one has.
fn free_name(path: &Path) -> PathBuf {
    let name = |number: u32| match number {
        1 => beside(path, ".before-restore"),
        number => beside(path, &format!(".before-restore-{number}")),
    };
    let is_taken = |aside: &PathBuf| {
        let mut names = LOGS.into_iter().chain([""]);
        names.any(|ending| beside(aside, ending).exists())
    };
    let mut names = (1..u32::MAX).map(name);
    names
        .find(|aside| !is_taken(aside))
        .unwrap_or_else(|| name(1))
}

fn move_if_there(from: &Path, to: &Path) -> Result<bool, RunError> {
    if !from.exists() {
        return Ok(false);
    }
    std::fs::rename(from, to).map_err(RunError::io("rename", from))?;
    Ok(true)
}

/// Makes sure that nobody has the database open, and folds the write-ahead log into the file: only
/// the last connection may leave the log's mode.
async fn close_for_all(path: &Path) -> Result<(), RunError> {
    let options = SqliteConnectOptions::new().filename(path);
    let open = options.connect().await;
    // A file so broken that it does not open is in nobody's use.
    let Ok(mut last) = open else { return Ok(()) };
    let left = leave_log(&mut last).await;
    let _ = last.close().await;
    match left.map_err(failed("close", path)) {
        Err(error @ RunError::Locked { .. }) => Err(error),
        _ => Ok(()),
    }
}

async fn leave_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA journal_mode = DELETE")
        .execute(connection)
        .await
        .map(drop)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(sqlx::Error) -> RunError + use<> {
    failure::of(Dialect::Sqlite, action, &path.display().to_string().into())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_copy_is_sound_and_comes_back_only_when_nobody_looks() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("state.db"), dir.path().join("copy.db"));
        let location = Location::File(path);
        let db = StateDb::open(&location).await.unwrap();
        assert!(db.bytes().await.unwrap() > 0);
        let now = chrono::DateTime::UNIX_EPOCH;
        db.set_paused("before", true, now).await.unwrap();
        db.copy_to(&copy).await.unwrap();
        assert!(
            db.copy_to(&copy).await.is_err(),
            "a copy is never overwritten"
        );
        assert_eq!(StateDb::check_copy(&copy).await.unwrap(), 0);
        db.set_paused("after", true, now).await.unwrap();
        let refused = StateDb::restore(&location, &copy).await.unwrap_err();
        assert!(matches!(refused, RunError::Locked { .. }), "{refused:?}");
        db.close().await;
        let kept = StateDb::restore(&location, &copy).await.unwrap().unwrap();
        let db = StateDb::open(&location).await.unwrap();
        assert!(db.cursor("before").await.unwrap().is_some());
        assert!(db.cursor("after").await.unwrap().is_none());
        assert!(db.health().await.unwrap().damage.is_empty());
        let old = StateDb::open(&Location::File(kept)).await.unwrap();
        assert!(
            old.cursor("after").await.unwrap().is_some(),
            "nothing is thrown away"
        );
    }

    #[tokio::test]
    async fn a_log_that_lies_there_is_not_written_into_the_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("state.db"), dir.path().join("copy.db"));
        let location = Location::File(path.clone());
        let db = StateDb::open(&location).await.unwrap();
        db.copy_to(&copy).await.unwrap();
        let now = chrono::DateTime::UNIX_EPOCH;
        db.set_paused("after", true, now).await.unwrap();
        let log = beside(&path, "-wal");
        let stale = std::fs::read(&log).unwrap();
        assert!(stale.len() > 4096, "the log holds what was written last");
        db.close().await;
        // As a machine leaves it that loses the file and not the log.
        for database in [false, true] {
            if !database {
                std::fs::remove_file(&path).unwrap();
            }
            std::fs::write(&log, &stale).unwrap();
            let kept = StateDb::restore(&location, &copy).await.unwrap();
            assert_eq!(kept.is_some(), database);
            assert!(!log.exists(), "moved aside: {database}");
            let db = StateDb::open(&location).await.unwrap();
            assert!(db.cursor("after").await.unwrap().is_none(), "{database}");
            assert!(db.health().await.unwrap().damage.is_empty());
            db.close().await;
        }
        assert!(beside(&path, ".before-restore-wal").exists());
        assert!(beside(&path, ".before-restore-2").exists());
    }

    #[tokio::test]
    async fn a_server_is_sized_but_copied_with_its_own_tools() {
        let Some(scratch) = crate::store::tests::Scratch::postgres() else {
            return;
        };
        let db = scratch.open().await;
        let health = db.health().await.unwrap();
        assert!(health.bytes > 0 && health.damage.is_empty(), "{health:?}");
        assert_eq!(health.migration, schema::newest());
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy.db");
        let refused = db.copy_to(&copy).await.unwrap_err();
        assert!(refused.to_string().contains("pg_dump"), "{refused}");
        let refused = StateDb::restore(&scratch.location, &copy).await;
        assert!(matches!(refused, Err(RunError::NotAFile { .. })));
    }

    #[tokio::test]
    async fn what_is_no_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.db");
        assert!(StateDb::check_copy(&file).await.is_err());
        std::fs::write(
            &file,
            b"not a database, but long enough to look like something",
        )
        .unwrap();
        let refused = StateDb::check_copy(&file).await.unwrap_err();
        assert!(refused.to_string().contains("x.db"), "{refused}");
    }
}
