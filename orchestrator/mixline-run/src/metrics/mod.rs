//! Metrics for Prometheus: what runs, how long, how often it fails, and what waits.
//!
//! What happens is counted from the event stream, by a [`Subscriber`]; what *is* (open runs, the
//! last success, waiting fires, the outbox) is read from the state database when somebody asks, so
//! it is right whoever did it. Counters of every pipeline begin at 0, so that the first failure is
//! an increase. Labels are DAG, task, state and consumer, which are few; run ids are for logs and
//! traces.

mod http;
mod look;
mod process;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use mixline_schema::ErrorClass;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::dispatcher::Subscriber;
use crate::engine::Engine;
use crate::error::RunError;
use crate::event::{RecordedEvent, RunEnd, RunEvent};
use crate::state::RunState;
use crate::store::SCHEDULE;

use look::{Seen, Timetable};

pub use http::serve;

type Labels = Vec<(&'static str, String)>;
type Seconds = Gauge<f64, AtomicU64>;

/// Upper bounds of durations: a step takes milliseconds to minutes, a run minutes to hours.
const DURATIONS: [f64; 12] = [
    0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0,
];

/// How an attempt ended, and the class of its failure. A process that is gone without a word and
/// one that was killed are both of class `infrastructure`.
#[derive(Debug, Clone, Copy)]
struct Outcome(&'static str, &'static str);

const INFRASTRUCTURE: &str = "infrastructure";
const SUCCEEDED: Outcome = Outcome("succeeded", "");
const SKIPPED: Outcome = Outcome("skipped", "");
const LOST: Outcome = Outcome("lost", INFRASTRUCTURE);

/// How attempts end; all but those that were stopped on request, which nobody waits for.
const OUTCOMES: [Outcome; 8] = [
    SUCCEEDED,
    SKIPPED,
    LOST,
    Outcome("failed", "transient"),
    Outcome("failed", INFRASTRUCTURE),
    Outcome("failed", "data"),
    Outcome("failed", "config"),
    Outcome("failed", "bug"),
];

/// Who asks for runs.
const TRIGGERS: [&str; 3] = [SCHEDULE, "cli", "backfill"];

/// How often something may be scraped between two ticks of a scheduler that is well.
const STALE_SECONDS: i64 = 60;

/// Everything that is measured.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    runs: Family<Labels, Counter>,
    run_duration: Family<Labels, Histogram>,
    last_success: Family<Labels, Seconds>,
    attempts: Family<Labels, Counter>,
    attempt_duration: Family<Labels, Histogram>,
    peak_memory: Family<Labels, Gauge>,
    reused: Family<Labels, Counter>,
    rows: Family<Labels, Gauge>,
    ticks: Family<Labels, Counter>,
    last_tick: Seconds,
    open: Family<Labels, Gauge>,
    schedules: Schedules,
    outbox: Family<Labels, Gauge>,
    database: Gauge,
    process: process::Process,
    /// Instant of the last tick, in seconds since the epoch.
    ticked: AtomicI64,
    /// Run and task → when the attempt began.
    began: Mutex<BTreeMap<(String, String), DateTime<Utc>>>,
    /// Held from showing what is to writing it.
    showing: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let histograms =
            || Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(DURATIONS));
        let all = Self {
            runs: kept(&mut registry, "mixline_runs", "Runs that ended"),
            run_duration: timed(
                &mut registry,
                "mixline_run_duration",
                "Time from creation to end of a run",
                histograms(),
            ),
            last_success: timed(
                &mut registry,
                "mixline_last_success_timestamp",
                "When a run of the DAG last succeeded",
                Family::default(),
            ),
            attempts: kept(
                &mut registry,
                "mixline_attempts",
                "Attempts of tasks that ended",
            ),
            attempt_duration: timed(
                &mut registry,
                "mixline_attempt_duration",
                "Time an attempt took",
                histograms(),
            ),
            peak_memory: sized(
                &mut registry,
                "mixline_attempt_peak_memory",
                "Peak resident memory of the task's last attempt",
                Family::default(),
            ),
            reused: kept(
                &mut registry,
                "mixline_tasks_reused",
                "Tasks whose work existed already",
            ),
            rows: kept(
                &mut registry,
                "mixline_artifact_rows",
                "Rows in the newest version that a run committed",
            ),
            ticks: kept(
                &mut registry,
                "mixline_scheduler_ticks",
                "Ticks of the scheduler",
            ),
            last_tick: timed(
                &mut registry,
                "mixline_scheduler_last_tick_timestamp",
                "When the scheduler last ticked",
                Gauge::default(),
            ),
            open: kept(&mut registry, "mixline_runs_open", "Runs that are going on"),
            schedules: Schedules::register(&mut registry),
            outbox: kept(
                &mut registry,
                "mixline_outbox_runs",
                "Runs a consumer has not been told of in full",
            ),
            database: sized(
                &mut registry,
                "mixline_state_database",
                "Size of the state database",
                Gauge::default(),
            ),
            process: process::Process::register(&mut registry),
            ticked: AtomicI64::new(0),
            began: Mutex::default(),
            showing: Mutex::default(),
            registry: Registry::default(),
        };
        let build = kept::<Family<Labels, Gauge>>(
            &mut registry,
            "mixline_build_info",
            "The running program",
        );
        build
            .get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())])
            .set(1);
        Self { registry, ..all }
    }
}

/// What is seen of schedules.
#[derive(Debug)]
struct Schedules {
    fires: Family<Labels, Gauge>,
    oldest_fire: Family<Labels, Seconds>,
    next_fire: Family<Labels, Seconds>,
    paused: Family<Labels, Gauge>,
}

impl Schedules {
    fn register(registry: &mut Registry) -> Self {
        Self {
            fires: kept(
                registry,
                "mixline_fires",
                "Intervals by how far they have come",
            ),
            oldest_fire: timed(
                registry,
                "mixline_fire_oldest_pending",
                "How long the oldest waiting interval has waited",
                Family::default(),
            ),
            next_fire: timed(
                registry,
                "mixline_next_fire_timestamp",
                "When the DAG fires next",
                Family::default(),
            ),
            paused: kept(
                registry,
                "mixline_schedule_paused",
                "Whether the DAG's schedule is paused",
            ),
        }
    }

    fn show(&self, dag: &str, timetable: &Timetable) {
        let labels = of_dag(dag);
        if let Some(next) = timetable.next {
            self.next_fire.get_or_create(&labels).set(instant(next));
        }
        let paused = i64::from(timetable.paused);
        self.paused.get_or_create(&labels).set(paused);
        for (state, count) in &timetable.fires {
            let labels = vec![("dag", dag.to_owned()), ("state", (*state).to_owned())];
            self.fires.get_or_create(&labels).set(*count);
        }
        self.oldest_fire
            .get_or_create(&labels)
            .set(timetable.waited);
    }
}

fn kept<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn timed<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn sized<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Bytes, metric.clone());
    metric
}

impl Metrics {
    /// Counts a tick of the scheduler.
    pub fn ticked(&self, now: DateTime<Utc>, good: bool) {
        let outcome = if good { "ok" } else { "error" };
        self.ticks
            .get_or_create(&vec![("outcome", outcome.to_owned())])
            .inc();
        if good {
            self.last_tick.set(instant(now));
            self.ticked.store(now.timestamp(), Ordering::Relaxed);
        }
    }

    /// Whether the scheduler has ticked lately.
    fn is_alive(&self, now: DateTime<Utc>) -> bool {
        now.timestamp() - self.ticked.load(Ordering::Relaxed) <= STALE_SECONDS
    }

    /// Looks at what is, and writes everything in OpenMetrics or, for old scrapers, Prometheus text.
    async fn render(&self, engine: &Engine, open_metrics: bool) -> Result<String, RunError> {
        let seen = Seen::now(engine).await?;
        // Nobody else shows what they saw while this is written.
        let _showing = self.showing.lock().unwrap_or_else(PoisonError::into_inner);
        self.show(&seen);
        self.process.look();
        let mut text = String::new();
        let encoded = if open_metrics {
            prometheus_client::encoding::text::encode(&mut text, &self.registry)
        } else {
            prometheus_client::encoding::prometheus_text::encode(&mut text, &self.registry)
        };
        // Writing to a string does not fail.
        encoded.unwrap_or_else(|_| text.clear());
        Ok(text)
    }

    /// Shows what was seen, in place of what was shown before.
    fn show(&self, seen: &Seen) {
        self.open.clear();
        for (dag, runs) in &seen.open {
            self.open.get_or_create(&of_dag(dag)).set(*runs);
        }
        self.outbox.clear();
        for backlog in &seen.outbox {
            let consumer = vec![("consumer", backlog.consumer.clone())];
            let runs = signed(backlog.runs);
            self.outbox.get_or_create(&consumer).set(runs);
        }
        self.last_success.clear();
        for (dag, at) in &seen.successes {
            self.last_success
                .get_or_create(&of_dag(dag))
                .set(instant(*at));
        }
        self.database.set(signed(seen.bytes));
        for (dag, tasks) in &seen.tasks {
            self.begin_counting(dag, tasks);
        }
        for (dag, timetable) in &seen.schedules {
            self.schedules.show(dag, timetable);
        }
    }

    /// Makes the counters of a pipeline that are not there yet.
    fn begin_counting(&self, dag: &str, tasks: &[String]) {
        for end in [RunEnd::Succeeded, RunEnd::Failed, RunEnd::Cancelled] {
            for trigger in TRIGGERS {
                drop(self.runs.get_or_create(&of_runs(dag, end, trigger)));
            }
        }
        for task in tasks {
            for outcome in OUTCOMES {
                drop(
                    self.attempts
                        .get_or_create(&of_attempts(dag, task, outcome)),
                );
            }
        }
    }

    fn began(&self, recorded: &RecordedEvent, task: &str) {
        let key = (recorded.run_id.clone(), task.to_owned());
        self.lock().insert(key, recorded.at);
    }

    fn ended(&self, recorded: &RecordedEvent, dag: &str, task: &str, outcome: Outcome) {
        let labels = vec![("dag", dag.to_owned()), ("task", task.to_owned())];
        let key = (recorded.run_id.clone(), task.to_owned());
        // An attempt that another process began has no known duration here.
        if let Some(began) = self.lock().remove(&key) {
            let took = (recorded.at - began).as_seconds_f64();
            self.attempt_duration.get_or_create(&labels).observe(took);
        }
        self.attempts
            .get_or_create(&of_attempts(dag, task, outcome))
            .inc();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), DateTime<Utc>>> {
        self.began.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn succeeded(&self, dag: &str, task: &str, result: &mixline_schema::StepResult) {
        let labels = vec![("dag", dag.to_owned()), ("task", task.to_owned())];
        let peak = result.peak_rss_mib.clamp(0.0, 1e9) * 1_048_576.0;
        #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
        self.peak_memory.get_or_create(&labels).set(peak as i64);
        for output in &result.outputs {
            let artifact = vec![("artifact", output.artifact.clone())];
            self.rows.get_or_create(&artifact).set(signed(output.rows));
        }
    }

    fn finished(&self, recorded: &RecordedEvent, state: &RunState, dag: &str, end: RunEnd) {
        self.runs
            .get_or_create(&of_runs(dag, end, state.trigger()))
            .inc();
        let began = state.started().unwrap_or(recorded.at);
        let took = (recorded.at - began).as_seconds_f64();
        self.run_duration.get_or_create(&of_dag(dag)).observe(took);
        self.lock().retain(|(run, _), _| *run != recorded.run_id);
    }
}

impl Subscriber for Arc<Metrics> {
    fn on_event(&self, recorded: &RecordedEvent, state: &RunState) {
        let dag = state
            .plan()
            .map(|plan| plan.dag.as_str())
            .unwrap_or_default();
        match &recorded.event {
            RunEvent::AttemptStarted { task, .. } => self.began(recorded, task),
            RunEvent::AttemptSucceeded { task, result, .. } => {
                self.ended(recorded, dag, task, SUCCEEDED);
                self.succeeded(dag, task, result);
            }
            RunEvent::AttemptFailed { task, class, .. } => {
                self.ended(recorded, dag, task, failed(*class));
            }
            RunEvent::AttemptLost { task, .. } => self.ended(recorded, dag, task, LOST),
            RunEvent::TaskSkipped { task, .. } => self.ended(recorded, dag, task, SKIPPED),
            RunEvent::TaskReused { task, .. } => {
                let labels = vec![("dag", dag.to_owned()), ("task", task.clone())];
                self.reused.get_or_create(&labels).inc();
            }
            RunEvent::RunFinished { state: end } => self.finished(recorded, state, dag, *end),
            _ => {}
        }
    }
}

/// What a failed attempt is counted under.
fn failed(class: ErrorClass) -> Outcome {
    let class = match class {
        ErrorClass::Transient => "transient",
        ErrorClass::Infrastructure => INFRASTRUCTURE,
        ErrorClass::Data => "data",
        ErrorClass::Config => "config",
        ErrorClass::Bug => "bug",
        ErrorClass::Stopped => "stopped",
    };
    Outcome("failed", class)
}

fn of_attempts(dag: &str, task: &str, Outcome(outcome, class): Outcome) -> Labels {
    vec![
        ("dag", dag.to_owned()),
        ("task", task.to_owned()),
        ("outcome", outcome.to_owned()),
        ("class", class.to_owned()),
    ]
}

fn of_runs(dag: &str, end: RunEnd, trigger: &str) -> Labels {
    vec![
        ("dag", dag.to_owned()),
        ("state", end.as_str().to_owned()),
        ("trigger", trigger.to_owned()),
    ]
}

fn of_dag(dag: &str) -> Labels {
    vec![("dag", dag.to_owned())]
}

/// Seconds since the epoch.
fn instant(at: DateTime<Utc>) -> f64 {
    (at - DateTime::UNIX_EPOCH).as_seconds_f64()
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
