//! The tables, as numbered migrations, one file for each kind of database. A migration that has
//! been released is never edited.
//!
//! They are ours rather than sqlx's migrator because that one takes no lock on SQLite, and two
//! processes that start at once must take turns there too.

use sqlx::AnyConnection;

use super::{Dialect, StateDb};
use crate::error::RunError;

struct Migration {
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        sqlite: include_str!("migrations/sqlite/0001_start.sql"),
        postgres: include_str!("migrations/postgres/0001_start.sql"),
    },
    Migration {
        sqlite: include_str!("migrations/sqlite/0002_orchestrators.sql"),
        postgres: include_str!("migrations/postgres/0002_orchestrators.sql"),
    },
    Migration {
        sqlite: include_str!("migrations/sqlite/0003_outbox.sql"),
        postgres: include_str!("migrations/postgres/0003_outbox.sql"),
    },
];

/// The number of the last migration that is known.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Any number: whoever migrates a Postgres database holds the advisory lock of this name.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1836218469)";

/// Applies what is missing, in one transaction.
///
/// # Errors
/// [`RunError::NewerState`] when a newer version of the program has been here.
pub(super) async fn migrate(db: &StateDb) -> Result<(), RunError> {
    migrate_to(db, MIGRATIONS.len()).await
}

pub(super) async fn migrate_to(db: &StateDb, last: usize) -> Result<(), RunError> {
    // Most of the time there is nothing to do, and a read says so. That it fails may only mean
    // that there is no such table yet; what else is wrong the next statements will say.
    let mut reader = db.pool.acquire().await.map_err(db.failed("open"))?;
    let done = applied(&mut reader).await.unwrap_or(0);
    drop(reader);
    if done >= last {
        return admit(db, done);
    }
    let failed = || db.failed("migrate");
    let mut tx = db.begin().await.map_err(failed())?;
    if db.dialect == Dialect::Postgres {
        sqlx::query(LOCK)
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
    }
    sqlx::query("CREATE TABLE IF NOT EXISTS mixline_migrations (number BIGINT PRIMARY KEY)")
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    // Another process may have been here while we waited.
    let done = applied(&mut tx).await.map_err(failed())?;
    admit(db, done)?;
    for (index, migration) in MIGRATIONS.iter().enumerate().take(last).skip(done) {
        let statements = match db.dialect {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => migration.postgres,
        };
        sqlx::raw_sql(statements)
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        sqlx::query("INSERT INTO mixline_migrations (number) VALUES ($1)")
            .bind(i64::try_from(index + 1).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
    }
    tx.commit().await.map_err(failed())
}

/// The number of the newest migration that was applied; 0 when none was.
async fn applied(connection: &mut AnyConnection) -> Result<usize, sqlx::Error> {
    let newest = sqlx::query_scalar::<_, Option<i64>>("SELECT MAX(number) FROM mixline_migrations")
        .fetch_one(connection)
        .await?;
    Ok(newest
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(0))
}

/// Tables that a newer version has changed are left alone.
fn admit(db: &StateDb, applied: usize) -> Result<(), RunError> {
    if applied <= MIGRATIONS.len() {
        return Ok(());
    }
    Err(RunError::NewerState {
        place: db.place.to_string(),
        applied,
        known: MIGRATIONS.len(),
    })
}
