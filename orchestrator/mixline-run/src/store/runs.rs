//! Runs and their events.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mixline_schema::{FingerprintInputs, Window};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{
    StateDb, Term, fires, from_json, instant, instant_text, leases, outbox, signed, to_json,
    unsigned, words,
};
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
    /// Somebody asked to stop it.
    pub cancel_requested: bool,
    /// Time since the owner's last sign of life, by the database's clock; absent when it gave none.
    pub silent: Option<Duration>,
}

/// A process that runs a run. On one machine, number and start time name it for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The machine; 0 for runs of versions that knew only one.
    pub machine: u64,
    /// Process number.
    pub pid: u32,
    /// Start, in clock ticks since boot; 0 where that cannot be found out.
    pub start: u64,
}

/// What a sign of life is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The run is still ours.
    pub mine: bool,
    /// Somebody asked to stop the run.
    pub cancel: bool,
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

/// The trigger of runs that a schedule asked for.
pub const SCHEDULE: &str = "schedule";

const COLUMNS: &str = "run_id, dag, state, trigger_kind, window_start, window_end, seed, tasks, \
     created_at, ended_at, owner_machine, owner_pid, owner_start, cancel_requested";

/// Whether the owner is the one of places 2, 3 and 4.
const OWNED: &str = "COALESCE(owner_machine, 0) = $2 AND COALESCE(owner_pid, -1) = $3 \
     AND COALESCE(owner_start, -1) = $4";

impl StateDb {
    /// Appends events to the log of a run and brings the projections up to date, in one
    /// transaction: all of it happened, or none. `state` is the fold including the events.
    ///
    /// # Errors
    /// [`RunError::Superseded`] when another process has taken the run over,
    /// [`RunError::FireTaken`] when its window is run by somebody else, [`RunError::Deposed`] when
    /// the term has ended before a scheduled run began; otherwise what the state database said.
    pub async fn append(
        &self,
        events: &[RecordedEvent],
        state: &RunState,
        owner: Owner,
        term: Option<Term>,
    ) -> Result<(), RunError> {
        let failed = || self.failed("append to");
        let mut tx = self.begin().await.map_err(failed())?;
        for recorded in events {
            if let RunEvent::RunCreated { plan, trigger, .. } = &recorded.event {
                Self::insert_run(&mut tx, recorded, owner)
                    .await
                    .map_err(failed())?;
                outbox::enlist(&mut tx, &self.consumers, &recorded.run_id)
                    .await
                    .map_err(failed())?;
                if let Some(window) = plan.window.filter(|_| trigger == SCHEDULE) {
                    if !leases::hold(&mut tx, term).await.map_err(failed())? {
                        return Err(RunError::Deposed);
                    }
                    let fire = (plan.dag.as_str(), window);
                    let taken = fires::take(&mut tx, fire, &recorded.run_id).await;
                    if !taken.map_err(failed())? {
                        let (dag, window) = (plan.dag.clone(), window.to_string());
                        return Err(RunError::FireTaken { dag, window });
                    }
                }
            }
        }
        if let Some(first) = events.first() {
            let pulse = self.beat(&mut tx, &first.run_id, owner).await;
            if !pulse.map_err(failed())?.mine {
                let run_id = first.run_id.clone();
                return Err(RunError::Superseded { run_id });
            }
        }
        for recorded in events {
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
        let limit = match filter.limit {
            0 => i64::MAX,
            limit => i64::from(limit),
        };
        let rows = self.select_runs(
            "WHERE (dag = $1 OR CAST($1 AS TEXT) IS NULL)
               AND (state = $2 OR CAST($2 AS TEXT) IS NULL)
             ORDER BY created_at DESC, run_id DESC LIMIT $3",
        );
        let rows = sqlx::query(AssertSqlSafe(rows))
            .bind(&filter.dag)
            .bind(&filter.state)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(rows.iter().map(run_row).collect())
    }

    fn select_runs(&self, which: &str) -> String {
        let now = self.dialect.now();
        format!("SELECT {COLUMNS}, {now} - owner_seen AS silent FROM runs {which}")
    }

    /// One run, by its id or an unambiguous beginning of it.
    ///
    /// # Errors
    /// [`RunError::NoRun`] or [`RunError::State`].
    pub async fn run(&self, run_id: &str) -> Result<RunRow, RunError> {
        let begins = self.select_runs("WHERE substr(run_id, 1, CAST($1 AS INTEGER)) = $2 LIMIT 2");
        let rows = sqlx::query(AssertSqlSafe(begins))
            .bind(i32::try_from(run_id.chars().count()).unwrap_or(0))
            .bind(run_id)
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
        let event = |row: &AnyRow| {
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

    /// The ids of all runs that are remembered.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn run_ids(&self) -> Result<BTreeSet<String>, RunError> {
        let ids = sqlx::query_scalar("SELECT run_id FROM runs");
        let ids: Vec<String> = ids
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(ids.into_iter().collect())
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
        let now = self.dialect.now();
        let claim = format!(
            "UPDATE runs SET owner_machine = $5, owner_pid = $6, owner_start = $7, owner_seen = {now}
             WHERE run_id = $1 AND ended_at IS NULL AND {OWNED}"
        );
        let old = row.owner;
        let done = sqlx::query(AssertSqlSafe(claim))
            .bind(&row.run_id)
            .bind(old.map_or(0, |owner| signed(owner.machine)))
            .bind(old.map_or(-1, |owner| i64::from(owner.pid)))
            .bind(old.map_or(-1, |owner| signed(owner.start)))
            .bind(signed(new.machine))
            .bind(i64::from(new.pid))
            .bind(signed(new.start))
            .execute(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(done.rows_affected() == 1)
    }

    /// A sign of life of the run's owner.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn pulse(&self, run_id: &str, owner: Owner) -> Result<Pulse, RunError> {
        let failed = || self.failed("write to");
        let mut connection = self.pool.acquire().await.map_err(failed())?;
        let pulse = self.beat(&mut connection, run_id, owner).await;
        pulse.map_err(failed())
    }

    /// Locks the row of the run for the rest of the transaction, if the run is the owner's.
    async fn beat(
        &self,
        connection: &mut AnyConnection,
        run_id: &str,
        owner: Owner,
    ) -> Result<Pulse, sqlx::Error> {
        let now = self.dialect.now();
        let beat = format!(
            "UPDATE runs SET owner_seen = {now} WHERE run_id = $1 AND {OWNED}
             RETURNING cancel_requested"
        );
        let rows = sqlx::query(AssertSqlSafe(beat))
            .bind(run_id)
            .bind(signed(owner.machine))
            .bind(i64::from(owner.pid))
            .bind(signed(owner.start))
            .fetch_all(connection)
            .await?;
        let row = rows.first();
        Ok(Pulse {
            mine: row.is_some(),
            cancel: row.is_some_and(|row| row.get::<i64, _>("cancel_requested") != 0),
        })
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

    async fn insert_run(
        tx: &mut AnyConnection,
        recorded: &RecordedEvent,
        owner: Owner,
    ) -> Result<(), sqlx::Error> {
        let RunEvent::RunCreated { plan, trigger, .. } = &recorded.event else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO runs (run_id, dag, state, trigger_kind, window_start, window_end, seed,
               tasks, created_at, owner_machine, owner_pid, owner_start)
             VALUES ($1, $2, 'running', $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&recorded.run_id)
        .bind(&plan.dag)
        .bind(trigger)
        .bind(plan.window.map(|window| instant_text(window.start)))
        .bind(plan.window.map(|window| instant_text(window.end)))
        .bind(signed(plan.seed))
        .bind(i64::try_from(plan.tasks.len()).unwrap_or(i64::MAX))
        .bind(instant_text(recorded.at))
        .bind(signed(owner.machine))
        .bind(i64::from(owner.pid))
        .bind(signed(owner.start))
        .execute(tx)
        .await
        .map(drop)
    }
}

/// The projections of one event: the attempt it is about, or the run it ends.
async fn project_attempt(
    tx: &mut AnyConnection,
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
    .bind(error.map(|error| words(error)))
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
    tx: &mut AnyConnection,
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

fn run_row(row: &AnyRow) -> RunRow {
    let at = |column: &str| {
        row.get::<Option<String>, _>(column)
            .map(|text| instant(&text))
    };
    let number = |column: &str| row.get::<Option<i64>, _>(column);
    let window = at("window_start").zip(at("window_end"));
    let machine = number("owner_machine").unwrap_or_default();
    let owner = number("owner_pid").zip(number("owner_start"));
    let silent = number("silent").map(|silent| silent.max(0).unsigned_abs());
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
                machine: unsigned(machine),
                pid: u32::try_from(pid).ok()?,
                start: unsigned(start),
            })
        }),
        cancel_requested: row.get::<i64, _>("cancel_requested") != 0,
        silent: silent.map(Duration::from_millis),
    }
}
