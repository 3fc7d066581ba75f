//! A day of a DAG that runs every minute, with time compressed: nothing is missed, and what is kept
//! is bounded by the retention. `cargo dev bench soak` prints the figures of the whole day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use mixline_artifact::{Store, Table};
use mixline_schema::{
    OutputResult, Provenance, StepResult, StepStatus, Window, WriteMode, catalog,
};

use super::*;
use crate::event::{RecordedEvent, RunEnd, RunEvent};
use crate::executor::{Executor, Job, Outcome, Stop};
use crate::project::Project;
use crate::state::RunState;
use crate::store::Retention;

/// Simulated minutes; a day is 1,440.
const MINUTES_VARIABLE: &str = "MIXLINE_SOAK_MINUTES";

/// Seconds since the epoch on the simulated clock. 1 March 2026.
static NOW: AtomicI64 = AtomicI64::new(1_772_323_200);

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

/// Counts the runs of each window that ended well.
#[derive(Default)]
struct Ended(Mutex<BTreeMap<Window, usize>>);

impl Subscriber for Ended {
    fn on_event(&self, recorded: &RecordedEvent, state: &RunState) {
        if let RunEvent::RunFinished {
            state: RunEnd::Succeeded,
        } = recorded.event
        {
            let window = state.plan().unwrap().window.unwrap();
            *self.0.lock().unwrap().entry(window).or_default() += 1;
        }
    }
}

/// Resident memory in MiB.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096.0 / 1_048_576.0
}

/// Ticks at the present minute until everything that is due has run.
async fn settle(scheduler: &mut Scheduler) {
    loop {
        scheduler.tick(simulated()).await.unwrap();
        if scheduler.runs.join_next().await.is_none() {
            return;
        }
    }
}

/// Rows of the tables that grow with time.
async fn rows(engine: &Engine) -> BTreeMap<&'static str, i64> {
    let mut rows = BTreeMap::new();
    for table in [
        "runs",
        "run_events",
        "task_attempts",
        "fires",
        "slots",
        "commits",
    ] {
        rows.insert(table, engine.state().count(table).await);
    }
    rows
}

#[tokio::test]
async fn a_day_of_minutes_misses_nothing_and_keeps_what_the_retention_allows() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test goes on is the caller's choice"
    )]
    let minutes = std::env::var(MINUTES_VARIABLE)
        .ok()
        .and_then(|minutes| minutes.parse().ok())
        .unwrap_or(90_i64);
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
    let ended = Arc::new(Ended::default());
    let begin = |engine: &Engine| {
        let ended: Arc<dyn Subscriber> = ended.clone();
        Scheduler::new(engine.clone(), vec![ended])
    };
    let mut scheduler = begin(&engine);
    settle(&mut scheduler).await;
    let first = simulated();
    let mut memory = Vec::new();
    let mut after_half = BTreeMap::new();
    for minute in 1..=minutes {
        NOW.fetch_add(60, Ordering::Relaxed);
        // Every third hour starts with half an hour in which nothing is looked at, and a restart.
        if minute % 180 == 45 {
            scheduler = begin(&engine);
        }
        if (15..45).contains(&(minute % 180)) && minute != minutes {
            continue;
        }
        settle(&mut scheduler).await;
        memory.push(resident());
        if minute == minutes / 2 {
            after_half = rows(&engine).await;
        }
    }
    let now = rows(&engine).await;
    let ran = ended.0.lock().unwrap().clone();
    report(minutes, &ran, &memory, &now, &engine);

    let expected = (0..minutes).map(|minute| Window {
        start: first + TimeDelta::minutes(minute),
        end: first + TimeDelta::minutes(minute + 1),
    });
    let expected: BTreeMap<Window, usize> = expected.map(|window| (window, 1)).collect();
    assert_eq!(ran, expected, "every minute ran, and ran once");
    let cursor = engine.state().cursor("minute").await.unwrap().unwrap();
    assert_eq!(cursor.at, simulated());
    // One more than is kept: the last run is forgotten when the next one ends.
    let most = i64::from(kept) + 1;
    for (table, rows) in &now {
        let each = if *table == "run_events" { 5 } else { 1 };
        assert!(
            *rows <= most * each,
            "{table}: {rows} rows, {kept} runs are kept"
        );
        assert!(
            *rows <= after_half[table] + 5,
            "{table} still grows: {after_half:?} {now:?}"
        );
    }
}

fn report(
    minutes: i64,
    ran: &BTreeMap<Window, usize>,
    memory: &[f64],
    rows: &BTreeMap<&'static str, i64>,
    engine: &Engine,
) {
    let size = |suffix: &str| {
        let file = format!("{}{suffix}", engine.state().place());
        std::fs::metadata(file).map_or(0, |file| file.len()) / 1024
    };
    let at = |tenth: usize| memory[(memory.len() - 1) * tenth / 10];
    eprintln!("{minutes} minutes due, {} ran", ran.values().sum::<usize>());
    eprintln!(
        "resident memory: {:.1} MiB after a tenth, {:.1} MiB after half, {:.1} MiB at the end",
        at(1),
        at(5),
        at(10)
    );
    eprintln!(
        "state database: {} KiB and {} KiB of log; rows {rows:?}",
        size(""),
        size("-wal")
    );
}
