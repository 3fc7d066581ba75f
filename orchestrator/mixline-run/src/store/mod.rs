//! The state database: what ran, what is running, and what is remembered between runs.
//!
//! The event log is the only truth about a run; `runs` is a projection of it for lists. The rest
//! are memories that may be lost without harm (caches, the projection of the artifact logs) and
//! the schedule. It is a file of SQLite, or a Postgres server when orchestrators on several
//! machines share it: the same statements run on both, and where the two differ, `dialect.rs` says
//! how.
//!
//! On SQLite one connection writes, so transactions never wait for each other inside one process;
//! other processes wait up to the busy time-out. On Postgres statements that decide something lock
//! the row they decide about.

mod caches;
mod commits;
mod dialect;
mod failure;
mod fires;
mod leases;
mod location;
mod outbox;
mod retention;
mod runs;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod upkeep;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, Executor as _, Transaction};

pub use caches::FileStamp;
pub use fires::{Cursor, Fire, FireState};
pub use leases::{LEASE, Leader, Term};
pub use location::Location;
pub(crate) use outbox::Claim;
pub use outbox::{Backlog, Undelivered};
pub use retention::Retention;
pub use runs::{Owner, RunFilter, RunRow, SCHEDULE};
pub use upkeep::Health;

use crate::error::RunError;
use dialect::Dialect;

/// How long to wait for a server that does not answer, or for a connection of the pool.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections to a server that one process holds at most.
const CONNECTIONS: u32 = 8;

/// A process that stands still, or whose machine is gone, must not hold the leader's row for longer
/// than the lease; a server notices by itself only after hours.
const LET_GO: &str = "SET idle_in_transaction_session_timeout = '5s'";

/// The state database of one project. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StateDb {
    pool: AnyPool,
    place: Arc<str>,
    dialect: Dialect,
    /// The file, where it is one.
    file: Option<PathBuf>,
    /// Who is to be told of new runs.
    consumers: Arc<[String]>,
}

impl StateDb {
    /// Opens the database (a file is made when absent) and brings its tables up to date.
    ///
    /// # Errors
    /// [`RunError::Locked`], [`RunError::Io`], [`RunError::Unreachable`], [`RunError::Refused`],
    /// [`RunError::NewerState`] or [`RunError::State`].
    pub async fn open(location: &Location) -> Result<Self, RunError> {
        let db = Self::connect(location).await?;
        schema::migrate(&db).await?;
        Ok(db)
    }

    async fn connect(location: &Location) -> Result<Self, RunError> {
        sqlx::any::install_default_drivers();
        let place: Arc<str> = location.to_string().into();
        let (dialect, url, pool) = match location {
            Location::File(path) => (Dialect::Sqlite, sqlite_url(path)?, sqlite_pool()),
            Location::Server(url) => (Dialect::Postgres, url.to_string(), postgres_pool()),
        };
        let failed = || failure::of(dialect, "open", &place);
        let options: AnyConnectOptions = url.parse().map_err(failed())?;
        let pool = match tokio::time::timeout(PATIENCE, pool.connect_with(options)).await {
            Ok(pool) => pool.map_err(failed())?,
            Err(_) => return Err(failed()(sqlx::Error::PoolTimedOut)),
        };
        Ok(Self {
            pool,
            place,
            dialect,
            file: location.file().map(Path::to_path_buf),
            consumers: Arc::default(),
        })
    }

    /// Where it is, without a password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Closes the connections; what was recorded is on disk already.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a transaction that writes.
    async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.pool.begin_with(self.dialect.begin()).await
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(sqlx::Error) -> RunError + use<> {
        failure::of(self.dialect, action, &self.place)
    }
}

/// The file as SQLite's driver wants to be told of it; its folder is made.
fn sqlite_url(path: &Path) -> Result<String, RunError> {
    let path = std::path::absolute(path).map_err(RunError::io("find", path))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(RunError::io("make the folder", folder))?;
    }
    let escaped = url::Url::from_file_path(&path).map_err(|()| {
        let source = std::io::Error::from(std::io::ErrorKind::InvalidInput);
        RunError::io("open", &path)(source)
    })?;
    // Drivers wait for other processes for five seconds and check foreign keys by default.
    Ok(format!("sqlite://{}?mode=rwc", escaped.path()))
}

fn sqlite_pool() -> AnyPoolOptions {
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute("PRAGMA journal_mode = WAL").await?;
            connection.execute("PRAGMA synchronous = FULL").await?;
            Ok(())
        })
    })
}

fn postgres_pool() -> AnyPoolOptions {
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE);
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(LET_GO).await?;
            Ok(())
        })
    })
}

/// Instants are kept as text of fixed width, so that text order is time order.
fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Text that is no instant (nobody writes such) reads as the epoch rather than failing a list.
fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).map_or(DateTime::UNIX_EPOCH, |at| at.with_timezone(&Utc))
}

/// What programs said, as any database can keep it: Postgres has no place for a zero byte.
fn words(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
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
