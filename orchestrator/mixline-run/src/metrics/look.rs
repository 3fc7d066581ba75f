//! What *is*, as the state database and the pipelines say at one moment.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mixline_plan::{Dag, Schedule};

use crate::engine::Engine;
use crate::error::RunError;
use crate::store::{Backlog, Fire, FireState, RunFilter};

/// Everything that is read for one answer. It is read in full before any of it is shown, so that an
/// answer never shows half of it.
#[derive(Debug)]
pub(super) struct Seen {
    /// DAG → runs that go on; every pipeline is in it.
    pub(super) open: BTreeMap<String, i64>,
    pub(super) outbox: Vec<Backlog>,
    /// Size of the state database.
    pub(super) bytes: u64,
    /// DAG → when its newest run that succeeded ended.
    pub(super) successes: BTreeMap<String, DateTime<Utc>>,
    /// DAG → names of its tasks.
    pub(super) tasks: BTreeMap<String, Vec<String>>,
    /// DAG → what its schedule does.
    pub(super) schedules: BTreeMap<String, Timetable>,
}

/// How far the schedule of a DAG has come.
#[derive(Debug)]
pub(super) struct Timetable {
    pub(super) next: Option<DateTime<Utc>>,
    pub(super) paused: bool,
    /// State → intervals in it.
    pub(super) fires: BTreeMap<&'static str, i64>,
    /// Seconds that the oldest pending interval has waited.
    pub(super) waited: f64,
}

impl Seen {
    /// Looks at everything.
    pub(super) async fn now(engine: &Engine) -> Result<Self, RunError> {
        let db = engine.state();
        let mut seen = Self {
            open: BTreeMap::new(),
            outbox: db.backlogs().await?,
            bytes: db.bytes().await?,
            successes: BTreeMap::new(),
            tasks: BTreeMap::new(),
            schedules: BTreeMap::new(),
        };
        for run in db.open_runs().await? {
            *seen.open.entry(run.dag).or_default() += 1;
        }
        for name in engine.dags()? {
            if let Some(at) = last_success(engine, &name).await? {
                seen.successes.insert(name.clone(), at);
            }
            // A DAG file that does not read is told in the log, at every change.
            if let Ok(dag) = engine.load_dag(&name) {
                seen.add(engine, dag).await?;
            }
        }
        Ok(seen)
    }

    async fn add(&mut self, engine: &Engine, dag: Dag) -> Result<(), RunError> {
        if let Some(schedule) = &dag.schedule {
            let timetable = Timetable::now(engine, &dag.name, schedule).await?;
            self.schedules.insert(dag.name.clone(), timetable);
        }
        self.open.entry(dag.name.clone()).or_default();
        self.tasks.insert(dag.name, dag.tasks.into_keys().collect());
        Ok(())
    }
}

async fn last_success(engine: &Engine, dag: &str) -> Result<Option<DateTime<Utc>>, RunError> {
    let newest = RunFilter {
        dag: Some(dag.to_owned()),
        state: Some("succeeded".to_owned()),
        limit: 1,
    };
    let newest = engine.state().runs(&newest).await?;
    Ok(newest.first().and_then(|run| run.ended_at))
}

impl Timetable {
    async fn now(engine: &Engine, dag: &str, schedule: &Schedule) -> Result<Self, RunError> {
        let (db, now) = (engine.state(), (engine.clock())());
        let cursor = db.cursor(dag).await?;
        let fires = db.fires(dag, None).await?;
        Ok(Self {
            next: schedule.next_after(now),
            paused: cursor.is_some_and(|cursor| cursor.paused),
            fires: by_state(&fires),
            waited: waited(&fires, now),
        })
    }
}

fn by_state(fires: &[Fire]) -> BTreeMap<&'static str, i64> {
    let states = [
        FireState::Pending,
        FireState::Running,
        FireState::Done,
        FireState::Dropped,
        FireState::Failed,
    ];
    let mut counts = BTreeMap::from(states.map(|state| (state.as_str(), 0)));
    for fire in fires {
        *counts.entry(fire.state.as_str()).or_default() += 1;
    }
    counts
}

fn waited(fires: &[Fire], now: DateTime<Utc>) -> f64 {
    let pending = fires.iter().filter(|fire| fire.state == FireState::Pending);
    let oldest = pending.map(|fire| fire.created_at).min();
    oldest.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0))
}
