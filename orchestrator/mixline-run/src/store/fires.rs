//! The schedule: how far each DAG has come, and what has been fired.
//!
//! A fire is one row, unique by DAG and window, written in the transaction that moves the cursor.
//! It becomes a run in the transaction that creates the run, and ends in the one that ends it. So
//! whatever dies when, and however many schedulers there are, no window is lost and none runs
//! twice.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use mixline_schema::Window;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::{StateDb, Term, instant, instant_text, leases, words};
use crate::error::RunError;

/// How far a fire has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FireState {
    /// Due, and waiting for its turn.
    Pending,
    /// It became a run, which goes on.
    Running,
    /// Its run ended, well or not.
    Done,
    /// Left out by the DAG's overlap policy.
    Dropped,
    /// It could not be planned; the error is kept.
    Failed,
}

impl FireState {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for FireState {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let all = [
            Self::Pending,
            Self::Running,
            Self::Done,
            Self::Dropped,
            Self::Failed,
        ];
        all.into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(())
    }
}

/// A window of a DAG that is to be run, is running or has run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fire {
    /// DAG name.
    pub dag: String,
    /// Data interval.
    pub window: Window,
    /// How far it has come.
    pub state: FireState,
    /// The run it became.
    pub run_id: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was found due.
    pub created_at: DateTime<Utc>,
}

/// How far a DAG's schedule has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cursor {
    /// Fires up to here have been recorded.
    pub at: DateTime<Utc>,
    /// Whether nothing new is to be fired for now.
    pub paused: bool,
}

impl StateDb {
    /// How far the DAG's schedule has come; `None` when no scheduler has seen it.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn cursor(&self, dag: &str) -> Result<Option<Cursor>, RunError> {
        let row = sqlx::query("SELECT cursor_at, paused FROM schedules WHERE dag = $1")
            .bind(dag)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(row.map(|row| Cursor {
            at: instant(row.get("cursor_at")),
            paused: row.get::<i64, _>("paused") != 0,
        }))
    }

    /// Pauses the schedule of a DAG, or lets it go on from its cursor.
    ///
    /// # Errors
    /// [`RunError::Locked`] or [`RunError::State`].
    pub async fn set_paused(
        &self,
        dag: &str,
        paused: bool,
        now: DateTime<Utc>,
    ) -> Result<(), RunError> {
        sqlx::query(
            "INSERT INTO schedules (dag, cursor_at, paused) VALUES ($1, $2, $3)
             ON CONFLICT (dag) DO UPDATE SET paused = excluded.paused",
        )
        .bind(dag)
        .bind(instant_text(now))
        .bind(i64::from(paused))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(self.failed("write to"))
    }

    /// Records fires and moves the cursor in one transaction. Returns the windows that are new:
    /// one that another scheduler has fired is not fired again.
    ///
    /// # Errors
    /// [`RunError::Deposed`] when the term has ended; otherwise what the state database said.
    pub async fn fire(
        &self,
        dag: &str,
        windows: &[Window],
        cursor: DateTime<Utc>,
        now: DateTime<Utc>,
        term: Option<Term>,
    ) -> Result<Vec<Window>, RunError> {
        let failed = || self.failed("write to");
        let mut tx = self.begin().await.map_err(failed())?;
        if !leases::hold(&mut tx, term).await.map_err(failed())? {
            return Err(RunError::Deposed);
        }
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

    /// Ends a fire that has not become a run.
    ///
    /// # Errors
    /// [`RunError::Deposed`] when the term has ended; otherwise what the state database said.
    pub async fn end_fire(
        &self,
        fire: &Fire,
        state: FireState,
        error: Option<&str>,
        term: Option<Term>,
    ) -> Result<(), RunError> {
        let failed = || self.failed("write to");
        let mut tx = self.begin().await.map_err(failed())?;
        if !leases::hold(&mut tx, term).await.map_err(failed())? {
            return Err(RunError::Deposed);
        }
        sqlx::query(
            "UPDATE fires SET state = $1, error = $2
             WHERE dag = $3 AND window_start = $4 AND window_end = $5 AND state = 'pending'",
        )
        .bind(state.as_str())
        .bind(error.map(words))
        .bind(&fire.dag)
        .bind(instant_text(fire.window.start))
        .bind(instant_text(fire.window.end))
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    /// The fires of a DAG, oldest window first; those in one state when one is given.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn fires(&self, dag: &str, state: Option<FireState>) -> Result<Vec<Fire>, RunError> {
        let rows = sqlx::query(
            "SELECT dag, window_start, window_end, state, run_id, error, created_at FROM fires
             WHERE dag = $1 AND (state = $2 OR CAST($2 AS TEXT) IS NULL) ORDER BY window_start, window_end",
        )
        .bind(dag)
        .bind(state.map(FireState::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        Ok(rows.iter().filter_map(fire).collect())
    }
}

/// `None` for a state of a newer version.
fn fire(row: &AnyRow) -> Option<Fire> {
    Some(Fire {
        dag: row.get("dag"),
        window: Window {
            start: instant(row.get("window_start")),
            end: instant(row.get("window_end")),
        },
        state: row.get::<String, _>("state").parse().ok()?,
        run_id: row.get("run_id"),
        error: row.get("error"),
        created_at: instant(row.get("created_at")),
    })
}

/// Makes a pending fire the run `run_id`. `false` when it is not pending any more, or when another
/// fire of the DAG is running. Takers of one DAG take turns at the row of its schedule, so that
/// each sees what the other has taken.
pub(super) async fn take(
    tx: &mut AnyConnection,
    (dag, window): (&str, Window),
    run_id: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE schedules SET cursor_at = cursor_at WHERE dag = $1")
        .bind(dag)
        .execute(&mut *tx)
        .await?;
    let done = sqlx::query(
        "UPDATE fires SET state = 'running', run_id = $1
         WHERE dag = $2 AND window_start = $3 AND window_end = $4 AND state = 'pending'
           AND NOT EXISTS (SELECT 1 FROM fires WHERE dag = $2 AND state = 'running')",
    )
    .bind(run_id)
    .bind(dag)
    .bind(instant_text(window.start))
    .bind(instant_text(window.end))
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the fire of a run, if a fire made it.
pub(super) async fn end(tx: &mut AnyConnection, run_id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE fires SET state = 'done' WHERE run_id = $1 AND state = 'running'")
        .bind(run_id)
        .execute(tx)
        .await
        .map(drop)
}
