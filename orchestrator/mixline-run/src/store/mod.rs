//! The state database: what ran, what is running, and what is remembered between runs.
//!
//! The event log is the only truth about a run; `runs` is a projection of it for lists. The rest
//! are memories that may be lost without harm (caches, the projection of the artifact logs) and
//! the schedule. One connection writes, so transactions never wait for each other inside one
//! process; other processes wait up to the busy time-out.

mod caches;
mod commits;
mod fires;
mod outbox;
mod runs;
mod schema;
mod upkeep;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use caches::FileStamp;
pub use fires::{Cursor, Fire, FireState};
pub(crate) use outbox::Claim;
pub use outbox::{Backlog, Undelivered};
pub use runs::{Owner, Retention, RunFilter, RunRow, SCHEDULE};
pub use upkeep::Health;

use crate::error::RunError;

/// How long a statement waits for another process before it gives up.
const BUSY: Duration = Duration::from_secs(5);

/// The state database of one project. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StateDb {
    pool: SqlitePool,
    path: PathBuf,
    /// Who is to be told of new runs.
    consumers: Arc<[String]>,
}

impl StateDb {
    /// Opens the database file, made when absent, and brings its tables up to date.
    ///
    /// # Errors
    /// [`RunError::Locked`], [`RunError::Io`] or [`RunError::State`].
    pub async fn open(path: &Path) -> Result<Self, RunError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(RunError::io("make the folder", folder))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(failed("open", path))?;
        let db = Self {
            pool,
            path: path.to_owned(),
            consumers: Arc::default(),
        };
        schema::migrate(&db).await?;
        Ok(db)
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the connection; what was recorded is on disk already.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(sqlx::Error) -> RunError {
        failed(action, &self.path)
    }
}

/// SQLite's own codes for "somebody else has it": busy, locked, and their extended forms.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(sqlx::Error) -> RunError {
    let path = path.to_owned();
    move |source| {
        let code = source.as_database_error().and_then(|error| error.code());
        let primary = code
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff);
        let source = Box::new(source);
        match primary {
            Some(5 | 6) => RunError::Locked { path, source },
            _ => RunError::State {
                action,
                path,
                source,
            },
        }
    }
}

/// Instants are kept as text of fixed width, so that text order is time order.
fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Text that is no instant (nobody writes such) reads as the epoch rather than failing a list.
fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).map_or(DateTime::UNIX_EPOCH, |at| at.with_timezone(&Utc))
}

fn to_json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, RunError> {
    serde_json::to_string(value).map_err(|source| RunError::Damaged {
        what: what.to_owned(),
        source,
    })
}

fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, RunError> {
    serde_json::from_str(text).map_err(|source| RunError::Damaged {
        what: what.to_owned(),
        source,
    })
}

/// SQL integers are signed; versions, sizes and seeds keep their bits.
fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn unsigned(value: i64) -> u64 {
    value.cast_unsigned()
}
