//! The schedule: how far each DAG has come, and what has been fired.

use chrono::{DateTime, Utc};
use mixline_schema::Window;
use sqlx::Row as _;

use super::{StateDb, instant, instant_text};
use crate::error::RunError;

/// A window of a DAG that is to be run, is running or has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fire {
    /// DAG name.
    pub dag: String,
    /// Data interval.
    pub window: Window,
    /// `pending`, `running`, `done` or `dropped`.
    pub state: String,
    /// The run it became.
    pub run_id: Option<String>,
}

impl StateDb {
    /// Up to which instant the DAG has been fired; `None` when it never was.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn cursor(&self, dag: &str) -> Result<Option<DateTime<Utc>>, RunError> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT cursor_at FROM schedules WHERE dag = $1")
                .bind(dag)
                .fetch_optional(&self.pool)
                .await
                .map_err(self.failed("read"))?;
        Ok(found.map(|text| instant(&text)))
    }

    /// Records fires and moves the cursor in one transaction. Returns the windows that are new:
    /// one that another scheduler has fired is not fired again.
    ///
    /// # Errors
    /// [`RunError::Locked`] or [`RunError::State`].
    pub async fn fire(
        &self,
        dag: &str,
        windows: &[Window],
        cursor: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Window>, RunError> {
        let failed = || self.failed("write to");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        let mut new = Vec::new();
        for window in windows {
            let done = sqlx::query(
                "INSERT INTO fires (dag, window_start, window_end, state, created_at)
                 VALUES ($1, $2, $3, 'pending', $4) ON CONFLICT DO NOTHING",
            )
            .bind(dag)
            .bind(instant_text(window.start))
            .bind(instant_text(window.end))
            .bind(instant_text(now))
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
            if done.rows_affected() == 1 {
                new.push(*window);
            }
        }
        sqlx::query(
            "INSERT INTO schedules (dag, cursor_at) VALUES ($1, $2)
             ON CONFLICT (dag) DO UPDATE SET cursor_at = excluded.cursor_at
             WHERE excluded.cursor_at > schedules.cursor_at",
        )
        .bind(dag)
        .bind(instant_text(cursor))
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(new)
    }

    /// Sets the state of a fire and the run it became.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn set_fire(
        &self,
        dag: &str,
        window: Window,
        state: &str,
        run_id: Option<&str>,
    ) -> Result<(), RunError> {
        sqlx::query(
            "UPDATE fires SET state = $1, run_id = COALESCE($2, run_id)
             WHERE dag = $3 AND window_start = $4 AND window_end = $5",
        )
        .bind(state)
        .bind(run_id)
        .bind(dag)
        .bind(instant_text(window.start))
        .bind(instant_text(window.end))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(self.failed("write to"))
    }

    /// The fires in one state, oldest window first.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn fires(&self, state: &str) -> Result<Vec<Fire>, RunError> {
        let rows = sqlx::query(
            "SELECT dag, window_start, window_end, state, run_id FROM fires WHERE state = $1
             ORDER BY window_start, dag",
        )
        .bind(state)
        .fetch_all(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        let fire = |row: &sqlx::sqlite::SqliteRow| Fire {
            dag: row.get("dag"),
            window: Window {
                start: instant(row.get("window_start")),
                end: instant(row.get("window_end")),
            },
            state: row.get("state"),
            run_id: row.get("run_id"),
        };
        Ok(rows.iter().map(fire).collect())
    }
}
