//! Runs and their events.

use chrono::{DateTime, TimeDelta, Utc};
use mixline_schema::{FingerprintInputs, Window};
use serde::Deserialize;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{StateDb, fires, from_json, instant, instant_text, outbox, signed, to_json, unsigned};
use crate::error::RunError;
use crate::event::{RecordedEvent, RunEvent};
use crate::state::{RunState, TaskState};

/// One line of the list of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Run id.
    pub run_id: String,
    /// DAG name.
    pub dag: String,
    /// `running`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// Who asked.
    pub trigger: String,
    /// Data interval, when it had one.
    pub window: Option<Window>,
    /// Random seed.
    pub seed: u64,
    /// Number of tasks.
    pub tasks: u64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it finished.
    pub ended_at: Option<DateTime<Utc>>,
    /// The orchestrator that runs it.
    pub owner: Option<Owner>,
}

/// A process that runs a run: number and start time name it for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Process number.
    pub pid: u32,
    /// Start, in clock ticks since boot.
    pub start: u64,
}

/// Which runs to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only runs of this DAG.
    pub dag: Option<String>,
    /// Only runs in this state.
    pub state: Option<String>,
    /// At most this many; 0 means all.
    pub limit: u32,
}

/// How long runs are remembered. Outputs are not touched: they live in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days a finished run is kept.
    pub days: u32,
    /// Finished runs kept per DAG.
    pub runs: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 90,
            runs: 1000,
        }
    }
}

/// The trigger of runs that a schedule asked for.
pub const SCHEDULE: &str = "schedule";

const COLUMNS: &str = "SELECT run_id, dag, state, trigger_kind, window_start, window_end, seed, \
     tasks, created_at, ended_at, owner_pid, owner_start FROM runs";

impl StateDb {
    /// Appends events to the log of a run and brings the projections up to date, in one
    /// transaction: all of it happened, or none. `state` is the fold including the events.
    ///
    /// # Errors
    /// [`RunError::Locked`] or [`RunError::State`].
    pub async fn append(
        &self,
        events: &[RecordedEvent],
        state: &RunState,
        owner: Option<Owner>,
    ) -> Result<(), RunError> {
        let failed = || self.failed("append to");
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed())?;
        for recorded in events {
            if let RunEvent::RunCreated { plan, trigger, .. } = &recorded.event {
                insert_run(&mut tx, recorded, owner)
                    .await
                    .map_err(failed())?;
                outbox::enlist(&mut tx, &self.consumers, &recorded.run_id)
                    .await
                    .map_err(failed())?;
                if let Some(window) = plan.window.filter(|_| trigger == SCHEDULE) {
                    let fire = (plan.dag.as_str(), window);
                    let taken = fires::take(&mut tx, fire, &recorded.run_id).await;
                    if !taken.map_err(failed())? {
                        let (dag, window) = (plan.dag.clone(), window.to_string());
                        return Err(RunError::FireTaken { dag, window });
                    }
                }
            }
            let body = to_json("an event", &recorded.event)?;
            sqlx::query(
                "INSERT INTO run_events (run_id, seq, at, task, body) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(&recorded.run_id)
            .bind(signed(recorded.seq))
            .bind(instant_text(recorded.at))
            .bind(recorded.event.task())
            .bind(body)
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
            project_attempt(&mut tx, recorded).await.map_err(failed())?;
            if let Some((slot, document)) = settled_slot(recorded, state) {
                let document = (document, to_json("a fingerprint document", document)?);
                remember_slot(&mut tx, recorded, slot, document)
                    .await
                    .map_err(failed())?;
            }
        }
        tx.commit().await.map_err(failed())
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, RunError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push(" WHERE 1 = 1");
        if let Some(dag) = &filter.dag {
            query.push(" AND dag = ").push_bind(dag);
        }
        if let Some(state) = &filter.state {
            query.push(" AND state = ").push_bind(state);
        }
        query.push(" ORDER BY created_at DESC, run_id DESC");
        if filter.limit > 0 {
            query.push(" LIMIT ").push_bind(i64::from(filter.limit));
        }
        let rows = query
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(rows.iter().map(run_row).collect())
    }

    /// One run, by its id or an unambiguous beginning of it.
    ///
    /// # Errors
    /// [`RunError::NoRun`] or [`RunError::State`].
    pub async fn run(&self, run_id: &str) -> Result<RunRow, RunError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query
            .push(" WHERE substr(run_id, 1, ")
            .push_bind(i64::try_from(run_id.len()).unwrap_or(0));
        query.push(") = ").push_bind(run_id).push(" LIMIT 2");
        let rows = query
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        match rows.as_slice() {
            [row] if !run_id.is_empty() => Ok(run_row(row)),
            _ => Err(RunError::NoRun {
                run_id: run_id.to_owned(),
            }),
        }
    }

    /// The events of a run from position `from` on.
    ///
    /// # Errors
    /// [`RunError::State`] or [`RunError::Damaged`].
    pub async fn events(&self, run_id: &str, from: u64) -> Result<Vec<RecordedEvent>, RunError> {
        let rows = sqlx::query(
            "SELECT seq, at, body FROM run_events WHERE run_id = $1 AND seq >= $2 ORDER BY seq",
        )
        .bind(run_id)
        .bind(signed(from))
        .fetch_all(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        let event = |row: &SqliteRow| {
            Ok(RecordedEvent {
                run_id: run_id.to_owned(),
                seq: unsigned(row.get("seq")),
                at: instant(row.get("at")),
                event: from_json("an event", row.get("body"))?,
            })
        };
        rows.iter().map(event).collect()
    }

    /// The state of a run: tasks with attempts, times, reasons and outputs.
    ///
    /// # Errors
    /// As [`StateDb::events`].
    pub async fn run_state(&self, run_id: &str) -> Result<RunState, RunError> {
        Ok(RunState::fold(&self.events(run_id, 0).await?))
    }

    /// Runs that have not finished.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn open_runs(&self) -> Result<Vec<RunRow>, RunError> {
        let filter = RunFilter {
            state: Some("running".to_owned()),
            ..RunFilter::default()
        };
        self.runs(&filter).await
    }

    /// Makes `new` the owner of a run if it still is as `row` says. `false`: somebody was faster.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn claim(&self, row: &RunRow, new: Owner) -> Result<bool, RunError> {
        let done = sqlx::query(
            "UPDATE runs SET owner_pid = $1, owner_start = $2
             WHERE run_id = $3 AND ended_at IS NULL
               AND COALESCE(owner_pid, -1) = $4 AND COALESCE(owner_start, -1) = $5",
        )
        .bind(i64::from(new.pid))
        .bind(signed(new.start))
        .bind(&row.run_id)
        .bind(row.owner.map_or(-1, |owner| i64::from(owner.pid)))
        .bind(row.owner.map_or(-1, |owner| signed(owner.start)))
        .execute(&self.pool)
        .await
        .map_err(self.failed("write to"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Asks whoever runs the run to stop it. `false` when it is not running.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn request_cancel(&self, run_id: &str) -> Result<bool, RunError> {
        let done = sqlx::query(
            "UPDATE runs SET cancel_requested = 1 WHERE run_id = $1 AND ended_at IS NULL",
        )
        .bind(run_id)
        .execute(&self.pool)
        .await
        .map_err(self.failed("write to"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether somebody asked to stop the run.
    pub(crate) async fn cancel_requested(&self, run_id: &str) -> Result<bool, RunError> {
        let found = sqlx::query("SELECT cancel_requested FROM runs WHERE run_id = $1")
            .bind(run_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(found.is_some_and(|row| row.get::<i64, _>("cancel_requested") != 0))
    }

    /// Forgets finished runs beyond the retention; returns their ids, for their log files.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn prune(
        &self,
        retention: Retention,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, RunError> {
        let oldest = now - TimeDelta::days(i64::from(retention.days));
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT run_id FROM (
               SELECT run_id, created_at,
                 ROW_NUMBER() OVER (PARTITION BY dag ORDER BY created_at DESC) AS place
               FROM runs WHERE ended_at IS NOT NULL) AS ranked
             WHERE created_at < $1 OR place > $2",
        )
        .bind(instant_text(oldest))
        .bind(i64::from(retention.runs))
        .fetch_all(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        for id in &ids {
            sqlx::query("DELETE FROM runs WHERE run_id = $1")
                .bind(id)
                .execute(&self.pool)
                .await
                .map_err(self.failed("prune"))?;
        }
        Ok(ids)
    }
}

async fn insert_run(
    tx: &mut SqliteConnection,
    recorded: &RecordedEvent,
    owner: Option<Owner>,
) -> Result<(), sqlx::Error> {
    let RunEvent::RunCreated { plan, trigger, .. } = &recorded.event else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO runs (run_id, dag, state, trigger_kind, window_start, window_end, seed, tasks,
           created_at, owner_pid, owner_start)
         VALUES ($1, $2, 'running', $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&recorded.run_id)
    .bind(&plan.dag)
    .bind(trigger)
    .bind(plan.window.map(|window| instant_text(window.start)))
    .bind(plan.window.map(|window| instant_text(window.end)))
    .bind(signed(plan.seed))
    .bind(i64::try_from(plan.tasks.len()).unwrap_or(i64::MAX))
    .bind(instant_text(recorded.at))
    .bind(owner.map(|owner| i64::from(owner.pid)))
    .bind(owner.map(|owner| signed(owner.start)))
    .execute(tx)
    .await
    .map(drop)
}

/// The projections of one event: the attempt it is about, or the run it ends.
async fn project_attempt(
    tx: &mut SqliteConnection,
    recorded: &RecordedEvent,
) -> Result<(), sqlx::Error> {
    let at = instant_text(recorded.at);
    let (task, attempt, state, exit_code, error) = match &recorded.event {
        RunEvent::AttemptStarted { task, attempt } => {
            let insert = "INSERT INTO task_attempts (run_id, task, attempt, state, started_at)
                          VALUES ($1, $2, $3, 'running', $4)";
            let query = sqlx::query(insert).bind(&recorded.run_id).bind(task);
            return query
                .bind(i64::from(*attempt))
                .bind(at)
                .execute(tx)
                .await
                .map(drop);
        }
        RunEvent::TaskSkipped { task, .. } => {
            let update = "UPDATE task_attempts SET state = 'skipped', ended_at = $1
                          WHERE run_id = $2 AND task = $3 AND ended_at IS NULL";
            let query = sqlx::query(update)
                .bind(at)
                .bind(&recorded.run_id)
                .bind(task);
            return query.execute(tx).await.map(drop);
        }
        RunEvent::RunFinished { state } => {
            let update = "UPDATE runs SET state = $1, ended_at = $2 WHERE run_id = $3";
            let query = sqlx::query(update).bind(state.as_str()).bind(at);
            query.bind(&recorded.run_id).execute(&mut *tx).await?;
            return fires::end(tx, &recorded.run_id).await;
        }
        RunEvent::AttemptSucceeded { task, attempt, .. } => {
            (task, attempt, TaskState::Succeeded, Some(0), None)
        }
        RunEvent::AttemptFailed {
            task,
            attempt,
            exit_code,
            error,
            ..
        } => (task, attempt, TaskState::Failed, *exit_code, Some(error)),
        RunEvent::AttemptLost { task, attempt } => (task, attempt, TaskState::Lost, None, None),
        _ => return Ok(()),
    };
    sqlx::query(
        "UPDATE task_attempts SET state = $1, ended_at = $2, exit_code = $3, error = $4
         WHERE run_id = $5 AND task = $6 AND attempt = $7",
    )
    .bind(state.as_str())
    .bind(at)
    .bind(exit_code.map(i64::from))
    .bind(error)
    .bind(&recorded.run_id)
    .bind(task)
    .bind(i64::from(*attempt))
    .execute(tx)
    .await
    .map(drop)
}

/// The slot whose outputs the event settled, with the document behind their fingerprint.
fn settled_slot<'a>(
    recorded: &RecordedEvent,
    state: &'a RunState,
) -> Option<(&'a str, &'a FingerprintInputs)> {
    let RunEvent::AttemptSucceeded { task, .. } = &recorded.event else {
        return None;
    };
    let planned = state
        .plan()?
        .tasks
        .iter()
        .find(|planned| planned.name == *task)?;
    Some((&planned.slot, state.task(task)?.document.as_ref()?))
}

async fn remember_slot(
    tx: &mut SqliteConnection,
    recorded: &RecordedEvent,
    slot: &str,
    (document, text): (&FingerprintInputs, String),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO slots (slot, fingerprint, document, run_id, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (slot) DO UPDATE SET fingerprint = excluded.fingerprint,
           document = excluded.document, run_id = excluded.run_id, at = excluded.at",
    )
    .bind(slot)
    .bind(mixline_schema::fingerprint(document).to_string())
    .bind(text)
    .bind(&recorded.run_id)
    .bind(instant_text(recorded.at))
    .execute(tx)
    .await
    .map(drop)
}

fn run_row(row: &SqliteRow) -> RunRow {
    let at = |column: &str| {
        row.get::<Option<String>, _>(column)
            .map(|text| instant(&text))
    };
    let number = |column: &str| row.get::<Option<i64>, _>(column);
    let window = at("window_start").zip(at("window_end"));
    let owner = number("owner_pid").zip(number("owner_start"));
    RunRow {
        run_id: row.get("run_id"),
        dag: row.get("dag"),
        state: row.get("state"),
        trigger: row.get("trigger_kind"),
        window: window.map(|(start, end)| Window { start, end }),
        seed: unsigned(row.get("seed")),
        tasks: unsigned(row.get("tasks")),
        created_at: instant(row.get("created_at")),
        ended_at: at("ended_at"),
        owner: owner.and_then(|(pid, start)| {
            Some(Owner {
                pid: u32::try_from(pid).ok()?,
                start: unsigned(start),
            })
        }),
    }
}
