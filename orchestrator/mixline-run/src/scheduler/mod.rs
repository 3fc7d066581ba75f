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

mod alarm;
mod seat;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mixline_plan::{Dag, Overlap, Schedule, due};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::dispatcher::{Cancel, Subscriber};
use crate::engine::{Engine, PlanOptions, RunOptions};
use crate::error::RunError;
use crate::metrics::Metrics;
use crate::store::{Fire, FireState, RunRow, SCHEDULE};

use alarm::Alarm;
use seat::Seat;

/// A fire starts at most this late.
const PACE: Duration = Duration::from_secs(5);

/// The scheduler of one project.
pub struct Scheduler {
    engine: Engine,
    subscribers: Vec<Arc<dyn Subscriber>>,
    metrics: Arc<Metrics>,
    runs: JoinSet<()>,
    takeover: JoinSet<()>,
    /// What was last wrong with each DAG, so that it is said once and not at every tick.
    complaints: BTreeMap<String, String>,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A scheduler whose runs tell `subscribers`.
    #[must_use]
    pub fn new(engine: Engine, subscribers: Vec<Arc<dyn Subscriber>>) -> Self {
        Self {
            engine,
            subscribers,
            metrics: Arc::default(),
            runs: JoinSet::new(),
            takeover: JoinSet::new(),
            complaints: BTreeMap::new(),
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
    /// [`RunError::Alarm`]. What goes wrong in a tick is logged, and the next tick tries again.
    pub async fn run(mut self, stop: Cancel) -> Result<(), RunError> {
        let bell = Arc::new(Notify::new());
        let alarm = Alarm::every(PACE, Arc::clone(&bell)).await?;
        let mut seat = Seat::seek(self.engine.clone());
        loop {
            let now = (self.engine.clock())();
            let ticked = match seat.term() {
                Some(term) => {
                    self.engine = self.engine.under(term);
                    self.tick(now).await
                }
                // Who stands by is well as long as the database tells it who leads.
                None => self.engine.state().leader().await.map(drop),
            };
            let good = matches!(ticked, Ok(()) | Err(RunError::Deposed));
            self.metrics.ticked(now, good);
            match ticked {
                Ok(()) => {}
                Err(RunError::Deposed) => tracing::info!("a tick came after the term's end"),
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "a tick failed; the next one tries again");
                }
            }
            tokio::select! {
                () = bell.notified() => {}
                () = seat.changed() => {}
                Some(_) = self.runs.join_next() => {}
                Some(_) = self.takeover.join_next() => {}
                () = stop.cancelled() => break,
            }
        }
        alarm.stop().await;
        seat.leave().await;
        Ok(())
    }

    /// Fires, starts and takes over what there is at `now`.
    ///
    /// # Errors
    /// What the state database said. A DAG that cannot be read or planned is logged instead.
    pub async fn tick(&mut self, now: DateTime<Utc>) -> Result<(), RunError> {
        while self.runs.try_join_next().is_some() {}
        while self.takeover.try_join_next().is_some() {}
        let open = self.engine.state().open_runs().await?;
        for name in self.engine.dags()? {
            let dag = match self.engine.load_dag(&name) {
                Ok(dag) => dag,
                Err(error) => {
                    self.complain(&name, &error);
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

    /// Whether the DAG may run: moves its cursor over what is due, unless it is paused.
    async fn fire(
        &self,
        dag: &str,
        schedule: &Schedule,
        now: DateTime<Utc>,
    ) -> Result<bool, RunError> {
        let db = self.engine.state();
        // The schedule of a DAG that is seen for the first time begins now.
        let Some(cursor) = db.cursor(dag).await? else {
            let term = self.engine.term();
            return db.fire(dag, &[], now, now, term).await.map(|_| true);
        };
        if cursor.paused {
            return Ok(false);
        }
        let windows = due(schedule, cursor.at, now);
        if let Some(last) = windows.last() {
            let term = self.engine.term();
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
            .fires(&dag.name, Some(FireState::Pending))
            .await?;
        if pending.is_empty() {
            return Ok(());
        }
        let busy: Vec<&RunRow> = open.iter().filter(|run| run.dag == dag.name).collect();
        match busy.is_empty() {
            true => self.launch(dag, &pending[0]).await,
            false => self.overlap(schedule.overlap, &pending, &busy).await,
        }
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
        // Windows that were waiting before the run began are being caught up, not overlapping.
        let overlaps = |fire: &&Fire| began.is_some_and(|began| fire.created_at >= began);
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

    async fn launch(&mut self, dag: &Dag, fire: &Fire) -> Result<(), RunError> {
        let options = PlanOptions {
            window: Some(fire.window),
            ..PlanOptions::default()
        };
        let plan = match self.engine.plan_dag(dag, &options).await {
            Ok(plan) => plan,
            Err(error) if is_lasting(&error) => {
                self.complain(&dag.name, &error);
                let text = chain(&error);
                return self
                    .engine
                    .state()
                    .end_fire(fire, FireState::Failed, Some(&text), self.engine.term())
                    .await;
            }
            Err(error) => {
                self.complain(&dag.name, &error);
                return Ok(());
            }
        };
        self.complaints.remove(&dag.name);
        let (engine, subscribers) = (self.engine.clone(), self.subscribers.clone());
        let (dag, window) = (dag.name.clone(), fire.window);
        self.runs.spawn(async move {
            let options = RunOptions { trigger: SCHEDULE.to_owned(), ..RunOptions::default() };
            match engine.run(plan, &options, subscribers, Cancel::default()).await {
                Ok(run) => {
                    tracing::info!(dag, %window, run = run.run_id, state = run.state.as_str(), "ended");
                }
                Err(RunError::FireTaken { .. } | RunError::Deposed) => {}
                Err(error) => tracing::error!(dag, %window, error = %chain(&error), "could not run"),
            }
        });
        Ok(())
    }

    /// Brings runs to their end whose orchestrator is gone.
    fn take_over(&mut self, open: &[RunRow]) {
        for row in open.iter().filter(|run| self.engine.is_orphan(run)) {
            let (engine, row, subscribers) =
                (self.engine.clone(), row.clone(), self.subscribers.clone());
            self.takeover.spawn(async move {
                let (dag, run) = (row.dag.clone(), row.run_id.clone());
                match engine.take_over(&row, subscribers, Cancel::default()).await {
                    Ok(Some(ended)) => {
                        tracing::info!(
                            dag,
                            run,
                            state = ended.state.as_str(),
                            "taken over, and ended"
                        );
                        engine.forget_old_runs().await;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(dag, run, error = %chain(&error), "could not take over");
                    }
                }
            });
        }
    }

    fn complain(&mut self, dag: &str, error: &RunError) {
        let text = chain(error);
        if self.complaints.get(dag) != Some(&text) {
            tracing::error!(dag, error = %text, "cannot be run on its schedule");
            self.complaints.insert(dag.to_owned(), text);
        }
    }
}

/// Whether the same would happen again until somebody changes a file.
fn is_lasting(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Plan { .. } | RunError::NoStep { .. } | RunError::Describe { .. }
    )
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
