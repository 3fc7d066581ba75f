//! The tables, as numbered migrations. A migration that has been released is never edited.

use super::StateDb;
use crate::error::RunError;

/// Migrations in order; each is a list of statements.
const MIGRATIONS: &[&[&str]] = &[
    &[
        "CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, dag TEXT NOT NULL, state TEXT NOT NULL,
        trigger_kind TEXT NOT NULL, window_start TEXT, window_end TEXT, seed BIGINT NOT NULL,
        tasks BIGINT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT,
        owner_pid BIGINT, owner_start BIGINT, cancel_requested BIGINT NOT NULL DEFAULT 0)",
        "CREATE INDEX runs_by_dag ON runs (dag, created_at)",
        "CREATE INDEX runs_by_time ON runs (created_at)",
        "CREATE TABLE run_events (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, seq BIGINT NOT NULL,
        at TEXT NOT NULL, task TEXT, body TEXT NOT NULL, PRIMARY KEY (run_id, seq))",
        "CREATE TABLE task_attempts (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, task TEXT NOT NULL,
        attempt BIGINT NOT NULL, state TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
        exit_code BIGINT, error TEXT, PRIMARY KEY (run_id, task, attempt))",
        "CREATE TABLE slots (
        slot TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, document TEXT NOT NULL,
        run_id TEXT NOT NULL, at TEXT NOT NULL)",
        "CREATE TABLE commits (
        artifact TEXT NOT NULL, version BIGINT NOT NULL, slot TEXT, fingerprint TEXT,
        digest TEXT NOT NULL, rows_total BIGINT NOT NULL, run_id TEXT, at TEXT NOT NULL,
        PRIMARY KEY (artifact, version))",
        "CREATE INDEX commits_by_slot ON commits (slot, artifact, version)",
        "CREATE TABLE step_cache (
        path TEXT PRIMARY KEY, size BIGINT NOT NULL, modified BIGINT NOT NULL,
        digest TEXT NOT NULL, descriptor TEXT NOT NULL)",
        "CREATE TABLE file_cache (
        path TEXT PRIMARY KEY, size BIGINT NOT NULL, modified BIGINT NOT NULL,
        digest TEXT NOT NULL)",
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE schedules (
        dag TEXT PRIMARY KEY, cursor_at TEXT NOT NULL, paused BIGINT NOT NULL DEFAULT 0)",
        "CREATE TABLE fires (
        dag TEXT NOT NULL, window_start TEXT NOT NULL, window_end TEXT NOT NULL,
        state TEXT NOT NULL, run_id TEXT, error TEXT, created_at TEXT NOT NULL,
        PRIMARY KEY (dag, window_start, window_end))",
    ],
    &["CREATE TABLE outbox (
        consumer TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        next_seq BIGINT NOT NULL DEFAULT 0, claimant TEXT NOT NULL DEFAULT '',
        claimed_until TEXT NOT NULL DEFAULT '', error TEXT, PRIMARY KEY (consumer, run_id))"],
];

/// The number of the last migration that is known.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Applies what is missing, in one transaction.
pub(super) async fn migrate(db: &StateDb) -> Result<(), RunError> {
    let applied = sqlx::query_scalar::<_, i64>("SELECT MAX(number) FROM mixline_migrations")
        .fetch_one(&db.pool)
        .await
        .unwrap_or(0);
    let done = usize::try_from(applied).unwrap_or(0);
    if done >= MIGRATIONS.len() {
        return Ok(());
    }
    let failed = || db.failed("migrate");
    // IMMEDIATE: two processes that start at once take turns instead of failing.
    let mut tx = db
        .pool
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(failed())?;
    sqlx::query("CREATE TABLE IF NOT EXISTS mixline_migrations (number BIGINT PRIMARY KEY)")
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    // Another process may have been here while we waited.
    let applied =
        sqlx::query_scalar::<_, Option<i64>>("SELECT MAX(number) FROM mixline_migrations")
            .fetch_one(&mut *tx)
            .await
            .map_err(failed())?;
    let done = applied
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(0);
    for (index, statements) in MIGRATIONS.iter().enumerate().skip(done) {
        for statement in *statements {
            sqlx::query(*statement)
                .execute(&mut *tx)
                .await
                .map_err(failed())?;
        }
        sqlx::query("INSERT INTO mixline_migrations (number) VALUES ($1)")
            .bind(i64::try_from(index + 1).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
    }
    tx.commit().await.map_err(failed())
}
