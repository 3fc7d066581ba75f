//! The contract of the state store, on every kind of database.

mod contract;
mod migrations;
mod servers;

use mixline_servers::Postgres;
use tempfile::TempDir;

use super::{Location, StateDb};

/// A new database, and who keeps it alive.
pub(crate) struct Scratch {
    pub(crate) location: Location,
    _keeper: Keeper,
}

enum Keeper {
    Folder { _folder: TempDir },
    Server { _server: Postgres },
}

impl Scratch {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Characters that mean something in an address.
        let path = folder.path().join("a folder, 100%?/state.db");
        Self {
            location: Location::File(path),
            _keeper: Keeper::Folder { _folder: folder },
        }
    }

    /// `None` on a machine without Postgres.
    pub(crate) fn postgres() -> Option<Self> {
        let server = Postgres::start()?;
        let location = Location::parse(&server.database(), "/".as_ref()).unwrap();
        Some(Self {
            location,
            _keeper: Keeper::Server { _server: server },
        })
    }

    pub(crate) async fn open(&self) -> StateDb {
        StateDb::open(&self.location).await.unwrap()
    }
}

impl StateDb {
    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let count = sqlx::query_scalar(count).fetch_one(&self.pool);
        count.await.unwrap()
    }
}
