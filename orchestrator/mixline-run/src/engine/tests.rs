//! Whole runs: mock attempts, shell scripts as steps, and crashes.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mixline_schema::catalog;
use serde_json::json;

use super::*;
use crate::event::{RecordedEvent, RunEnd};
use crate::executor::MockExecutor;
use crate::fixture::{plan, project, reads, task, with, writes};
use crate::state::TaskState;
use mixline_plan::PlannedTask;

/// Tests are an edge: they read the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a test gives the engine the real clock"
)]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

async fn open(dir: &Path, body: &str) -> Engine {
    Engine::open(project(dir, body), clock).await.unwrap()
}

async fn run(engine: &Engine, tasks: Vec<PlannedTask>) -> RunSummary {
    let options = RunOptions::default();
    engine
        .run(plan(tasks), &options, Vec::new(), Cancel::default())
        .await
        .unwrap()
}

fn states(summary: &RunSummary) -> Vec<TaskState> {
    summary.tasks.iter().map(|task| task.state).collect()
}

/// An orchestrator that is not there any more.
const DEAD: Owner = Owner {
    machine: 0,
    pid: 0x3fff_ffff,
    start: 1,
};

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Subscriber for Recorder {
    fn on_event(&self, recorded: &RecordedEvent, _: &RunState) {
        let body = serde_json::to_value(&recorded.event).unwrap();
        self.0
            .lock()
            .unwrap()
            .push(body["type"].as_str().unwrap().to_owned());
    }
}

struct Panics;

impl Subscriber for Panics {
    fn on_event(&self, _: &RecordedEvent, _: &RunState) {
        panic!("a subscriber has a bad day");
    }
}

#[tokio::test]
async fn a_mock_chain_succeeds_and_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "ok")
        .await
        .with_executor(Arc::new(MockExecutor));
    let recorder = Arc::new(Recorder::default());
    let subscribers: Vec<Arc<dyn Subscriber>> = vec![Arc::new(Panics), recorder.clone()];
    let tasks = vec![task("a", &[]), task("b", &["a"])];
    let options = RunOptions::default();
    let summary = engine
        .run(plan(tasks), &options, subscribers, Cancel::default())
        .await
        .unwrap();
    assert_eq!(summary.state, RunEnd::Succeeded);
    let heard = recorder.0.lock().unwrap().clone();
    assert_eq!(heard.first().unwrap(), "run_created");
    assert_eq!(heard.last().unwrap(), "run_finished");
    let row = engine.state().run(&summary.run_id[..30]).await.unwrap();
    assert_eq!((row.state.as_str(), row.tasks), ("succeeded", 2));
    let again = engine.state().run_state(&summary.run_id).await.unwrap();
    assert_eq!(RunSummary::of(&again), summary);
    assert_eq!(
        engine
            .state()
            .events(&summary.run_id, 0)
            .await
            .unwrap()
            .len(),
        heard.len()
    );
}

#[tokio::test]
async fn a_transient_failure_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "ok")
        .await
        .with_executor(Arc::new(MockExecutor));
    let flaky = with(
        task("a", &[]),
        json!({"mock": {"exit": 75, "until_attempt": 3}}),
    );
    let summary = run(
        &engine,
        vec![PlannedTask {
            retries: 2,
            ..flaky
        }],
    )
    .await;
    assert_eq!(
        (summary.state, summary.tasks[0].attempts),
        (RunEnd::Succeeded, 3)
    );
}

#[tokio::test]
async fn a_failed_task_takes_its_message_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "echo 'the column is missing' >&2; exit 65").await;
    let summary = run(&engine, vec![task("a", &[]), task("b", &["a"])]).await;
    assert_eq!(summary.state, RunEnd::Failed);
    assert_eq!(
        states(&summary),
        [TaskState::Failed, TaskState::UpstreamFailed]
    );
    assert_eq!(summary.tasks[0].exit_code, Some(65));
    let message = summary.tasks[0].message.clone().unwrap();
    assert!(message.contains("the column is missing"), "{message}");
    let object = format!("_runs/{}/a/1.log", summary.run_id);
    let log = engine.store().get_object(&object).await.unwrap().unwrap();
    assert_eq!(&log[..], b"the column is missing\n");
}

#[tokio::test]
async fn nothing_to_do_skips_and_what_needs_it_is_skipped_for_want_of_input() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "exit 99").await;
    let first = writes(task("a", &[]), "media_daily");
    let second = reads(task("b", &["a"]), "a", "media_daily");
    let summary = run(&engine, vec![first, second]).await;
    assert_eq!(summary.state, RunEnd::Succeeded);
    assert_eq!(states(&summary), [TaskState::Skipped, TaskState::Skipped]);
    let message = summary.tasks[1].message.clone().unwrap();
    assert!(message.contains("media_daily"), "{message}");
}

#[tokio::test]
async fn a_timeout_stops_the_whole_group() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "sleep 60 & wait").await;
    let timeout = Some(Duration::from_millis(200));
    let began = Instant::now();
    let summary = run(
        &engine,
        vec![PlannedTask {
            timeout,
            ..task("a", &[])
        }],
    )
    .await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(summary.state, RunEnd::Failed);
    let message = summary.tasks[0].message.clone().unwrap();
    assert!(message.contains("timed out after 0.2 s"), "{message}");
}

#[tokio::test]
async fn cancel_stops_what_runs_and_never_starts_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "exec sleep 60").await;
    let cancel = Cancel::default();
    let switch = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        switch.cancel();
    });
    let tasks = plan(vec![task("a", &[]), task("b", &["a"])]);
    let summary = engine
        .run(tasks, &RunOptions::default(), Vec::new(), cancel)
        .await
        .unwrap();
    assert_eq!(summary.state, RunEnd::Cancelled);
    assert_eq!(
        states(&summary),
        [TaskState::Cancelled, TaskState::Cancelled]
    );
    assert_eq!(summary.tasks[1].attempts, 0);
}

#[tokio::test]
async fn another_process_can_cancel_through_the_state_database() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "exec sleep 60").await;
    let other = Engine::open(engine.project().clone(), clock).await.unwrap();
    let running = tokio::spawn(async move { run(&engine, vec![task("a", &[])]).await });
    let row = wait_for_run(&other).await;
    assert!(other.state().request_cancel(&row).await.unwrap());
    assert_eq!(running.await.unwrap().state, RunEnd::Cancelled);
}

async fn wait_for_run(engine: &Engine) -> String {
    loop {
        if let Some(row) = engine.state().open_runs().await.unwrap().first() {
            return row.run_id.clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts a run as a process that then vanishes, and waits until its attempt is under way.
async fn crash(dir: &Path, body: &str, tasks: Vec<PlannedTask>) -> Engine {
    let engine = open(dir, body).await;
    let lost = engine.clone().with_owner(DEAD);
    let running = tokio::spawn(async move { run(&lost, tasks).await });
    let run_id = wait_for_run(&engine).await;
    while !engine
        .project()
        .log_file(&run_id, "a", 1)
        .with_extension("pid")
        .exists()
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.abort();
    let _ = running.await;
    engine
}

async fn resume(engine: &Engine) -> RunSummary {
    let mut resumed = engine.resume(Vec::new(), Cancel::default()).await.unwrap();
    assert_eq!(resumed.len(), 1);
    resumed.remove(0).ended.unwrap()
}

#[tokio::test]
async fn after_a_crash_a_live_process_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let body = "echo x >> starts; sleep 1; ok";
    let engine = crash(dir.path(), body, vec![task("a", &[]), task("b", &["a"])]).await;
    let summary = resume(&engine).await;
    assert_eq!(summary.state, RunEnd::Succeeded);
    assert_eq!(
        (summary.tasks[0].attempts, summary.tasks[1].attempts),
        (1, 1)
    );
    let starts = std::fs::read_to_string(dir.path().join("starts")).unwrap();
    assert_eq!(starts.lines().count(), 2);
    assert!(engine.state().open_runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn after_a_crash_a_dead_process_is_lost_and_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let body = "if [ -e again ]; then ok; else exec sleep 60; fi";
    let engine = crash(dir.path(), body, vec![task("a", &[])]).await;
    let run_id = wait_for_run(&engine).await;
    let pid_file = engine
        .project()
        .log_file(&run_id, "a", 1)
        .with_extension("pid");
    let text = std::fs::read_to_string(pid_file).unwrap();
    procfs::signal_group(
        text.split_once(' ').unwrap().0.parse().unwrap(),
        libc::SIGKILL,
    );
    std::fs::write(dir.path().join("again"), "").unwrap();
    let summary = resume(&engine).await;
    assert_eq!(
        (summary.state, summary.tasks[0].attempts),
        (RunEnd::Succeeded, 2)
    );
    let events = engine.state().events(&run_id, 0).await.unwrap();
    assert!(
        events
            .iter()
            .any(|e| matches!(e.event, RunEvent::AttemptLost { .. }))
    );
}

#[tokio::test]
async fn a_run_whose_step_is_missing_here_is_left_to_others_until_it_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let engine = crash(dir.path(), "sleep 60", vec![task("a", &[])]).await;
    std::fs::remove_file(dir.path().join("bin/step-x")).unwrap();
    let resumed = engine.resume(Vec::new(), Cancel::default()).await.unwrap();
    let [
        Resumed {
            row,
            ended: Err(error),
        },
    ] = resumed.as_slice()
    else {
        panic!("{resumed:?}");
    };
    assert!(matches!(error, RunError::NoStep { .. }), "{error}");
    let left = engine.state().run(&row.run_id).await.unwrap();
    assert_eq!(left.owner, row.owner, "nobody has taken it");
    engine.state().request_cancel(&row.run_id).await.unwrap();
    assert_eq!(resume(&engine).await.state, RunEnd::Cancelled);
}

#[tokio::test]
async fn a_run_with_a_live_orchestrator_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "sleep 1; ok").await;
    let other = engine.clone();
    let running = tokio::spawn(async move { run(&other, vec![task("a", &[])]).await });
    wait_for_run(&engine).await;
    assert!(
        engine
            .resume(Vec::new(), Cancel::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(running.await.unwrap().state, RunEnd::Succeeded);
}

/// Commits an empty table to the store as the task would.
async fn commit(engine: &Engine, planned: &PlannedTask, fingerprint: mixline_schema::Digest) {
    use mixline_artifact::Table;
    use mixline_schema::{Provenance, WriteMode};
    let rows = Table::<catalog::MediaDaily>::empty();
    let provenance = Provenance {
        step: planned.step.clone(),
        code_version: planned.code.clone(),
        run: None,
        slot: planned.slot.clone(),
        fingerprint,
        inputs: Vec::new(),
        window: None,
        seed: 0,
        forced: false,
        committed_at: clock(),
    };
    let log = engine.store().log("media_daily").unwrap();
    log.commit(rows, WriteMode::Replace, provenance)
        .await
        .unwrap();
    let artifacts = BTreeSet::from(["media_daily".to_owned()]);
    history::sync(engine.state(), engine.store(), &artifacts)
        .await
        .unwrap();
}

#[tokio::test]
async fn outputs_that_exist_under_the_fingerprint_are_reused_and_cut_the_run_off() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "echo 'must not run' >&2; exit 70").await;
    let planned = writes(task("a", &[]), "media_daily");
    let history = mixline_plan::History::default();
    let (fingerprint, ..) = mixline_plan::settle(&planned, &BTreeMap::new(), &history);
    commit(&engine, &planned, fingerprint).await;
    let summary = run(&engine, vec![planned]).await;
    assert_eq!(states(&summary), [TaskState::Reused]);
    assert_eq!(summary.tasks[0].outputs[0].version, 0);
    assert_eq!(summary.tasks[0].attempts, 0);
}

#[tokio::test]
async fn steps_are_described_once_and_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "ok").await;
    let path = engine.find_step("step-x").unwrap();
    let first = engine.describe(&path).await.unwrap();
    assert_eq!(first.descriptor.name, "step-x");
    let stamp = crate::store::FileStamp::of(&path).unwrap();
    let known = engine
        .state()
        .step(&path.display().to_string(), stamp)
        .await
        .unwrap();
    assert_eq!(known.unwrap().1, first.code);
    assert!(matches!(
        engine.find_step("../step-x"),
        Err(RunError::NoStep { .. })
    ));
}

#[tokio::test]
async fn a_database_that_somebody_else_holds_is_named_and_nothing_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "touch started; ok").await;
    let url = format!("sqlite://{}", engine.state().place());
    let other = sqlx::sqlite::SqlitePool::connect(&url).await.unwrap();
    let mut holder = other.acquire().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let tasks = plan(vec![task("a", &[])]);
    let options = RunOptions::default();
    let refused = engine
        .run(tasks, &options, Vec::new(), Cancel::default())
        .await;
    let error = refused.unwrap_err();
    assert!(matches!(error, RunError::Locked { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("state.db is locked by another process"),
        "{error}"
    );
    assert!(!dir.path().join("started").exists());
}

#[tokio::test]
async fn old_runs_are_forgotten_with_what_they_said() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { days: 90, runs: 2 };
    let engine = open(dir.path(), "ok").await.with_retention(retention);
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(run(&engine, vec![task("a", &[])]).await.run_id);
    }
    let all = crate::store::RunFilter::default();
    assert_eq!(engine.state().runs(&all).await.unwrap().len(), 2);
    let objects = engine.store().list_objects("_runs").await.unwrap();
    let expected = runs[2..].iter().map(|run| format!("_runs/{run}/a/1.log"));
    assert_eq!(objects, expected.collect::<Vec<_>>());
    let said = engine.task_log(&runs[0], "a", 1).await.unwrap();
    assert_eq!(said, None);
    assert!(!dir.path().join("store/_runs").join(&runs[0]).exists());
}

#[tokio::test]
async fn a_chain_of_forty_processes_keeps_durable_state_cheaply() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "ok").await;
    let name = |index: usize| format!("t{index:02}");
    let chain = (0..40).map(|index| match index {
        0 => task(&name(0), &[]),
        _ => task(&name(index), &[&name(index - 1)]),
    });
    let summary = run(&engine, chain.collect()).await;
    eprintln!("40 chained processes: {:.3} s", summary.seconds);
    assert_eq!(summary.state, RunEnd::Succeeded);
    // The bar is 1.5 s on a quiet machine; tests share theirs.
    assert!(summary.seconds < 10.0, "{}", summary.seconds);
}
