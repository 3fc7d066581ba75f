//! Runs DAGs on their schedules, for as long as it lives.
//!
//! Every tick does the same three things, and each may be repeated without harm:
//!
//! 1. *fire*: windows that are due since the cursor become rows, and the cursor moves with them;
//! 2. *start*: the oldest pending row of each DAG becomes a run, by the DAG's overlap policy;
//! 3. *take over*: runs whose orchestrator is gone are brought to their end.
//!
//! Nothing is remembered between ticks that is not in the state database, so a scheduler may die
//! at any moment. Of several on one database, one leads and ticks; the others wait for its lease
//! to end (`seat.rs`).
//!
//! A tick asks the database and nobody else. What may take long, planning a DAG, running it, taking
//! a run over, is a work of its own (`work.rs`), and one that fails rests a while (`rest.rs`).

mod alarm;
mod rest;
mod seat;
#[cfg(test)]
mod tests;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mixline_artifact::StoreError;
use mixline_plan::{Dag, Overlap, Schedule, due};
use tokio::sync::Notify;
use tokio::task::{self, JoinError, JoinSet};

use crate::dispatcher::{Cancel, Subscriber};
use crate::engine::Engine;
use crate::error::{RunError, chain};
use crate::metrics::Metrics;
use crate::store::{Fire, FireState, RunRow, Term};

use alarm::Alarm;
use rest::Resting;
use seat::Seat;
use work::Work;

/// A fire starts at most this late.
const PACE: Duration = Duration::from_secs(5);

/// The scheduler of one project.
pub struct Scheduler {
    engine: Engine,
    subscribers: Vec<Arc<dyn Subscriber>>,
    metrics: Arc<Metrics>,
    works: JoinSet<Result<(), RunError>>,
    /// What each of the works is about.
    about: HashMap<task::Id, Work>,
    resting: Resting,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// A work that is over.
type Over = Result<(task::Id, Result<(), RunError>), JoinError>;

impl Scheduler {
    /// A scheduler whose runs tell `subscribers`.
    #[must_use]
    pub fn new(engine: Engine, subscribers: Vec<Arc<dyn Subscriber>>) -> Self {
        Self {
            engine,
            subscribers,
            metrics: Arc::default(),
            works: JoinSet::new(),
            about: HashMap::new(),
            resting: Resting::default(),
        }
    }

    /// The same scheduler, whose ticks and runs are counted.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.subscribers.push(Arc::new(Arc::clone(&metrics)));
        Self { metrics, ..self }
    }

    /// Ticks until it is stopped. Steps that run then go on by themselves; the next scheduler, or
    /// `mixline resume`, takes their runs over.
    ///
    /// # Errors
    /// [`RunError::Alarm`], and [`RunError::Store`] for a store that would lose commits. What goes
    /// wrong in a tick is logged, and the next tick tries again.
    pub async fn run(mut self, stop: Cancel) -> Result<(), RunError> {
        self.look_around().await?;
        let bell = Arc::new(Notify::new());
        let alarm = Alarm::every(PACE, Arc::clone(&bell)).await?;
        let mut seat = Seat::seek(self.engine.clone());
        loop {
            let now = (self.engine.clock())();
            let term = seat.term();
            let ticked = tokio::select! {
                ticked = self.tick_in(term, now) => ticked,
                () = stop.cancelled() => break,
            };
            self.say(now, &ticked);
            tokio::select! {
                () = bell.notified() => {}
                () = seat.changed() => {}
                Some(over) = self.works.join_next_with_id() => self.over(over),
                () = stop.cancelled() => break,
            }
        }
        alarm.stop().await;
        seat.leave().await;
        Ok(())
    }

    /// What is done once, before the first tick.
    async fn look_around(&self) -> Result<(), RunError> {
        self.engine.forget_old_runs().await;
        self.engine.forget_stray_logs().await;
        match self.engine.probe_store().await {
            Err(RunError::Store { source, .. }) if !matches!(*source, StoreError::Probe { .. }) => {
                let error = chain(&*source);
                tracing::warn!(error, "the store cannot be probed now; runs will say so");
                Ok(())
            }
            probed => probed,
        }
    }

    /// A tick of a leader, or of one that stands by.
    async fn tick_in(&mut self, term: Option<Term>, now: DateTime<Utc>) -> Result<(), RunError> {
        let Some(term) = term else {
            // Who stands by is well as long as the database tells it who leads.
            return self.engine.state().leader().await.map(drop);
        };
        self.engine = self.engine.under(term);
        self.tick(now).await
    }

    fn say(&self, now: DateTime<Utc>, ticked: &Result<(), RunError>) {
        let good = matches!(ticked, Ok(()) | Err(RunError::Deposed));
        self.metrics.ticked(now, good);
        match ticked {
            Ok(()) => {}
            Err(RunError::Deposed) => tracing::info!("a tick came after the term's end"),
            Err(error) => {
                let error = chain(error);
                tracing::warn!(error, "a tick failed; the next one tries again");
            }
        }
    }

    /// Fires, starts and takes over what there is at `now`.
    ///
    /// # Errors
    /// What the state database said. A DAG that cannot be read or planned is logged instead.
    pub async fn tick(&mut self, now: DateTime<Utc>) -> Result<(), RunError> {
        while let Some(over) = self.works.try_join_next_with_id() {
            self.over(over);
        }
        let open = self.engine.state().open_runs().await?;
        for name in self.engine.dags()? {
            let dag = match self.engine.load_dag(&name) {
                Ok(dag) => dag,
                Err(error) => {
                    self.resting.complain(&Work::Dag(name), &error);
                    continue;
                }
            };
            if let Some(schedule) = &dag.schedule
                && self.fire(&dag.name, schedule, now).await?
            {
                self.start(&dag, schedule, &open).await?;
            }
        }
        self.take_over(&open);
        Ok(())
    }

    /// Whether the DAG may run: moves its cursor over what is due, unless it is paused or as many
    /// windows wait as may wait at once.
    async fn fire(
        &self,
        dag: &str,
        schedule: &Schedule,
        now: DateTime<Utc>,
    ) -> Result<bool, RunError> {
        let db = self.engine.state();
        let term = self.engine.term();
        // The schedule of a DAG that is seen for the first time begins now.
        let Some(cursor) = db.cursor(dag).await? else {
            return db.fire(dag, &[], now, now, term).await.map(|_| true);
        };
        if cursor.paused {
            return Ok(false);
        }
        let waiting = db.fires(dag, Some(FireState::Pending)).await?.len();
        let room = schedule.catch_up_cap.max(1).saturating_sub(waiting);
        let mut windows = due(schedule, cursor.at, now);
        windows.truncate(room);
        if let Some(last) = windows.last() {
            for window in db.fire(dag, &windows, last.end, now, term).await? {
                tracing::info!(dag, %window, "due");
            }
        }
        Ok(true)
    }

    /// Starts the oldest pending fire, unless a run of the DAG is going on.
    async fn start(
        &mut self,
        dag: &Dag,
        schedule: &Schedule,
        open: &[RunRow],
    ) -> Result<(), RunError> {
        let pending = self
            .engine
            .state()
            .fires(&dag.name, Some(FireState::Pending));
        let pending = pending.await?;
        let Some(oldest) = pending.first() else {
            return Ok(());
        };
        let busy: Vec<&RunRow> = open.iter().filter(|run| run.dag == dag.name).collect();
        if !busy.is_empty() {
            return self.overlap(schedule.overlap, &pending, &busy).await;
        }
        let work = Work::Dag(dag.name.clone());
        if self.may_begin(&work) {
            let (engine, subscribers) = (self.engine.clone(), self.subscribers.clone());
            let run = work::run_fire(engine, subscribers, dag.clone(), oldest.clone());
            self.begin(work, run);
        }
        Ok(())
    }

    /// What becomes of pending fires while a run of their DAG goes on.
    async fn overlap(
        &self,
        policy: Overlap,
        pending: &[Fire],
        busy: &[&RunRow],
    ) -> Result<(), RunError> {
        let db = self.engine.state();
        let began = busy.iter().map(|run| run.created_at).max();
        // Windows that were due before the run began are being caught up, not overlapping.
        let overlaps = |fire: &&Fire| began.is_some_and(|began| fire.window.end >= began);
        let dropped: Vec<&Fire> = match policy {
            Overlap::Queue => return Ok(()),
            Overlap::Skip => pending.iter().filter(overlaps).collect(),
            Overlap::CancelOther => {
                let Some(newest) = pending.last().filter(overlaps) else {
                    return Ok(());
                };
                for run in busy {
                    db.request_cancel(&run.run_id).await?;
                }
                pending.iter().filter(|fire| *fire != newest).collect()
            }
        };
        for fire in dropped {
            tracing::warn!(dag = fire.dag, window = %fire.window, "left out: a run is going on");
            let term = self.engine.term();
            db.end_fire(fire, FireState::Dropped, None, term).await?;
        }
        Ok(())
    }

    /// Brings runs to their end whose orchestrator is gone.
    fn take_over(&mut self, open: &[RunRow]) {
        for row in open {
            let work = Work::Run(row.run_id.clone());
            if self.engine.is_orphan(row) && self.may_begin(&work) {
                let (engine, subscribers) = (self.engine.clone(), self.subscribers.clone());
                self.begin(work, work::take_over(engine, subscribers, row.clone()));
            }
        }
    }

    fn may_begin(&self, work: &Work) -> bool {
        !self.about.values().any(|going| going == work) && !self.resting.rests(work, Instant::now())
    }

    fn begin(
        &mut self,
        work: Work,
        doing: impl Future<Output = Result<(), RunError>> + Send + 'static,
    ) {
        let id = self.works.spawn(doing).id();
        self.about.insert(id, work);
    }

    /// What follows from a work that is over: one that failed rests before it is tried again.
    fn over(&mut self, over: Over) {
        let (id, failure) = match over {
            Ok((id, Ok(()))) => (id, None),
            Ok((id, Err(error))) => (id, Some(error)),
            Err(panicked) => (panicked.id(), Some(RunError::Broken { source: panicked })),
        };
        let Some(work) = self.about.remove(&id) else {
            return;
        };
        match failure {
            None => self.resting.well(&work),
            Some(error) => self.resting.failed(&work, &error, Instant::now()),
        }
    }
}
