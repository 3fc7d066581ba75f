//! A day of a DAG that runs every minute, with time compressed: nothing is missed, and what is kept
//! is bounded by the retention. `cargo dev bench soak` prints the figures of the whole day.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test, outside of its function"
)]

use std::alloc::System;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cap::Cap;
use chrono::{DateTime, TimeDelta, Utc};
use mixline_artifact::{Store, Table};
use mixline_run::executor::{Executor, Job, Outcome, Stop};
use mixline_run::scheduler::Scheduler;
use mixline_run::store::Retention;
use mixline_run::{Engine, Project, RecordedEvent, RunEnd, RunEvent, RunState, Subscriber};
use mixline_schema::{
    OutputResult, Provenance, StepResult, StepStatus, Window, WriteMode, catalog,
};
use sqlx::SqlitePool;

/// Counts what is held. Resident memory would also tell of threads that wait for work: a day in
/// half a minute never lets one end.
#[global_allocator]
static HELD: Cap<System> = Cap::new(System, usize::MAX);

/// Simulated minutes; a day is 1,440.
const MINUTES_VARIABLE: &str = "MIXLINE_SOAK_MINUTES";
/// From how many minutes on memory is judged: before, caches and statements are still being made.
const GROWN_UP: i64 = 600;
/// How much more may be held at the end than at half-time, as a factor.
const FLAT: f64 = 1.03;
/// Ticks until a minute that has not run never will.
const PATIENCE: usize = 20_000;
/// Tables that grow with time.
const TABLES: &[&str] = &[
    "runs",
    "run_events",
    "task_attempts",
    "fires",
    "slots",
    "commits",
];

/// When the day begins: 1 March 2026, in seconds since the epoch.
const FIRST: i64 = 1_772_323_200;
/// The simulated clock.
static NOW: AtomicI64 = AtomicI64::new(FIRST);

fn simulated() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW.load(Ordering::Relaxed), 0).unwrap()
}

const DAG: &str = r#"
name = "minute"
[schedule]
cron = "* * * * *"
zone = "Europe/Berlin"
catch_up = "all"
[tasks.a]
step = "step-x"
outputs = { out = "soaked" }
"#;

const DESCRIPTOR: &str = r#"{"name":"step-x","about":"x","code_version":"1","windowed":true,
  "inputs":[],"outputs":[{"name":"out","artifact":"controls","schema_version":1,"optional":false,
  "doc":"x","mode":"upsert"}],"config_schema":{},"exit_codes":{}}"#;

fn project(dir: &Path) -> Project {
    use std::os::unix::fs::PermissionsExt as _;
    let (bin, dags) = (dir.join("bin"), dir.join("dags"));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(&dags).unwrap();
    std::fs::write(dags.join("minute.toml"), DAG).unwrap();
    let script = format!("#!/bin/sh\ncat <<'EOF'\n{DESCRIPTOR}\nEOF\n");
    let step: PathBuf = bin.join("step-x");
    std::fs::write(&step, script).unwrap();
    std::fs::set_permissions(&step, std::fs::Permissions::from_mode(0o755)).unwrap();
    Project::load(dir, Some(&bin)).unwrap()
}

/// Does what a step would, without a process for each. Every tenth commits a row: a longer log, in
/// the memory of this one process, would be what is measured.
#[derive(Debug)]
struct Commits;

#[async_trait::async_trait]
impl Executor for Commits {
    async fn run(&self, job: &Job, _: Stop) -> Outcome {
        let window = job.context.window.unwrap();
        let minute = window.start.timestamp() / 60;
        let outputs = match minute % 10 {
            0 => vec![commit(job, window).await],
            _ => Vec::new(),
        };
        Outcome::Succeeded(Box::new(StepResult {
            status: StepStatus::Succeeded,
            step: job.step.clone(),
            outputs,
            fingerprint: job.context.fingerprint.clone(),
            seconds: 0.0,
            peak_rss_mib: 0.0,
            checks: BTreeMap::new(),
            error: None,
        }))
    }

    async fn reattach(&self, _: &Job, _: Stop) -> Outcome {
        Outcome::Lost
    }

    async fn leaves_trace(&self, _: &Job) -> bool {
        false
    }
}

/// Commits a row as a new process would, which has read nothing yet.
async fn commit(job: &Job, window: Window) -> OutputResult {
    let context = &job.context;
    let run = context.run.clone().unwrap();
    let provenance = Provenance {
        step: job.step.clone(),
        code_version: "1".to_owned(),
        slot: format!("{}.{} {window}", run.dag, run.task),
        run: Some(run),
        fingerprint: context.fingerprint.clone().unwrap(),
        inputs: Vec::new(),
        window: Some(window),
        seed: context.seed,
        forced: false,
        committed_at: simulated(),
    };
    let value = window.start.timestamp() as f64;
    let rows = vec![mixline_artifact::testing::row(0, "soak", value)];
    let table = Table::<catalog::Controls>::from_rows(rows).unwrap();
    let store = Store::open_with(&context.store, []).unwrap();
    let log = store.log("soaked").unwrap();
    let done = log.commit(table, WriteMode::Upsert, provenance).await;
    let done = done.unwrap();
    OutputResult {
        port: "out".to_owned(),
        artifact: "soaked".to_owned(),
        version: done.version,
        rows: done.rows,
        digest: done.digest,
    }
}

/// Runs of each minute that ended well. Its length is the day's from the start: what is measured
/// must not grow by being measured.
struct Ended(Mutex<Vec<usize>>);

impl Ended {
    fn minutes(&self) -> usize {
        let ended = self.0.lock().unwrap();
        ended.iter().filter(|runs| **runs > 0).count()
    }
}

impl Subscriber for Ended {
    fn on_event(&self, recorded: &RecordedEvent, state: &RunState) {
        if let RunEvent::RunFinished {
            state: RunEnd::Succeeded,
        } = recorded.event
        {
            let window = state.plan().unwrap().window.unwrap();
            assert_eq!(window.end - window.start, TimeDelta::minutes(1));
            let minute = (window.start.timestamp() - FIRST) / 60;
            self.0.lock().unwrap()[usize::try_from(minute).unwrap()] += 1;
        }
    }
}

/// MiB on the heap.
fn held() -> f64 {
    HELD.allocated() as f64 / 1_048_576.0
}

/// Ticks at the present minute until every minute of the day so far has run.
async fn settle(scheduler: &mut Scheduler, ended: &Ended) {
    let due = usize::try_from((NOW.load(Ordering::Relaxed) - FIRST) / 60).unwrap();
    for _ in 0..PATIENCE {
        scheduler.tick(simulated()).await.unwrap();
        if ended.minutes() == due {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("a minute is left over at {}", simulated());
}

/// Rows of the tables that grow with time.
async fn rows(database: &SqlitePool) -> BTreeMap<&'static str, i64> {
    let mut rows = BTreeMap::new();
    for table in TABLES {
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let count = sqlx::query_scalar(count).fetch_one(database).await;
        rows.insert(*table, count.unwrap());
    }
    rows
}

fn minutes() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test goes on is the caller's choice"
    )]
    let minutes = std::env::var(MINUTES_VARIABLE).ok();
    minutes
        .and_then(|minutes| minutes.parse().ok())
        .unwrap_or(90)
}

/// What the day looked like.
struct Day {
    /// MiB on the heap after each minute that was looked at.
    memory: Vec<f64>,
    /// Rows at half-time and at the end.
    rows: [BTreeMap<&'static str, i64>; 2],
}

/// Lives through the day. Every third hour starts with half an hour in which nothing is looked at,
/// and a restart.
async fn live(engine: &Engine, ended: &Arc<Ended>, minutes: i64) -> Day {
    let file = format!("sqlite://{}?mode=ro", engine.state().place());
    let database = SqlitePool::connect(&file).await.unwrap();
    let begin = || {
        let ended: Arc<dyn Subscriber> = ended.clone();
        Scheduler::new(engine.clone(), vec![ended])
    };
    let mut scheduler = begin();
    settle(&mut scheduler, ended).await;
    let mut memory = Vec::with_capacity(usize::try_from(minutes).unwrap());
    let mut half = BTreeMap::new();
    for minute in 1..=minutes {
        NOW.fetch_add(60, Ordering::Relaxed);
        if minute % 180 == 45 {
            scheduler = begin();
        }
        if (15..45).contains(&(minute % 180)) && minute != minutes {
            continue;
        }
        settle(&mut scheduler, ended).await;
        memory.push(held());
        if minute == minutes / 2 {
            half = rows(&database).await;
        }
    }
    let end = rows(&database).await;
    Day {
        memory,
        rows: [half, end],
    }
}

#[tokio::test]
async fn a_day_of_minutes_misses_nothing_and_keeps_what_the_retention_allows() {
    let minutes = minutes();
    let kept = u32::try_from(minutes / 6).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::open(project(dir.path()), simulated).await.unwrap();
    let retention = Retention {
        days: 90,
        runs: kept,
    };
    let engine = engine
        .with_executor(Arc::new(Commits))
        .with_retention(retention);
    let once = vec![1; usize::try_from(minutes).unwrap()];
    let ended = Arc::new(Ended(Mutex::new(vec![0; once.len()])));
    let day = live(&engine, &ended, minutes).await;
    report(&day, &engine);
    assert_eq!(*ended.0.lock().unwrap(), once, "every minute ran, and once");
    let cursor = engine.state().cursor("minute").await.unwrap().unwrap();
    assert_eq!(cursor.at, simulated());
    rows_are_bounded(&day, i64::from(kept));
    if minutes >= GROWN_UP {
        memory_is_flat(&day);
    }
}

fn rows_are_bounded(day: &Day, kept: i64) {
    let [half, end] = &day.rows;
    // Two more than are kept: a run that has ended is forgotten when later ones have.
    let most = kept + 2;
    for (table, rows) in end {
        let each = if *table == "run_events" { 5 } else { 1 };
        assert!(*rows <= most * each, "{table}: {rows} rows, {kept} kept");
        assert!(
            *rows <= half[table] + 2 * each,
            "{table} grows: {half:?} {end:?}"
        );
    }
}

/// The most that was held in the last fifth is what was held in the fifth around half-time.
fn memory_is_flat(day: &Day) {
    let fifth = day.memory.len() / 5;
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let half = most(&day.memory[2 * fifth..3 * fifth]);
    let end = most(&day.memory[4 * fifth..]);
    assert!(end <= half * FLAT, "{half:.2} MiB held, then {end:.2}");
}

fn report(day: &Day, engine: &Engine) {
    let size = |suffix: &str| {
        let file = format!("{}{suffix}", engine.state().place());
        std::fs::metadata(file).map_or(0, |file| file.len()) / 1024
    };
    for tenth in [1, 3, 5, 7, 10] {
        let at = (day.memory.len() - 1) * tenth / 10;
        eprintln!("heap after {tenth} tenths: {:.2} MiB", day.memory[at]);
    }
    eprintln!(
        "state database: {} KiB and {} KiB of log; rows {:?}",
        size(""),
        size("-wal"),
        day.rows[1]
    );
}
