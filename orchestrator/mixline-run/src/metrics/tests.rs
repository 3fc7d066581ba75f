//! What is shown after runs, by the process that ran them and by one that did not.

use std::path::Path;

use super::*;
use crate::dispatcher::Cancel;
use crate::engine::RunOptions;
use crate::fixture::{plan, project, task};

/// Tests are an edge: they read the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a test gives the engine the real clock"
)]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

/// An engine with the pipeline `dag`, whose only step does `body`.
async fn open(dir: &Path, body: &str) -> Engine {
    let project = project(dir, body);
    std::fs::create_dir_all(&project.dags).unwrap();
    let dag = "name = \"dag\"\n[tasks.a]\nstep = \"step-x\"\n";
    std::fs::write(project.dags.join("dag.toml"), dag).unwrap();
    Engine::open(project, clock).await.unwrap()
}

async fn run(engine: &Engine, metrics: &Arc<Metrics>) {
    let subscribers: Vec<Arc<dyn Subscriber>> = vec![Arc::new(Arc::clone(metrics))];
    let (plan, options) = (plan(vec![task("a", &[])]), RunOptions::default());
    let run = engine.run(plan, &options, subscribers, Cancel::default());
    run.await.unwrap();
}

/// The sample of a series.
async fn sample(engine: &Engine, metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.render(engine, false).await.unwrap();
    let value = |line: &str| line.strip_prefix(series)?.trim().parse().ok();
    text.lines().find_map(value)
}

#[tokio::test]
async fn the_last_success_is_known_to_a_process_that_has_just_started() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "ok").await;
    let (before, after) = (Arc::<Metrics>::default(), Arc::<Metrics>::default());
    let series = "mixline_last_success_timestamp_seconds{dag=\"dag\"}";
    assert_eq!(sample(&engine, &before, series).await, None);
    run(&engine, &before).await;
    let seen = sample(&engine, &after, series).await.unwrap();
    assert!((instant(clock()) - seen).abs() < 60.0, "{seen}");
}

#[tokio::test]
async fn counters_begin_at_zero_and_a_killed_process_counts_as_infrastructure() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "kill -KILL $$").await;
    let metrics = Arc::<Metrics>::default();
    let failed = "mixline_runs_total{dag=\"dag\",state=\"failed\",trigger=\"cli\"}";
    let killed = "mixline_attempts_total{dag=\"dag\",task=\"a\",outcome=\"failed\",\
                  class=\"infrastructure\"}";
    assert_eq!(sample(&engine, &metrics, failed).await, Some(0.0));
    assert_eq!(sample(&engine, &metrics, killed).await, Some(0.0));
    let lost = killed.replace("failed", "lost");
    assert_eq!(sample(&engine, &metrics, &lost).await, Some(0.0));
    run(&engine, &metrics).await;
    assert_eq!(sample(&engine, &metrics, failed).await, Some(1.0));
    assert!(sample(&engine, &metrics, killed).await >= Some(1.0));
}

#[tokio::test]
async fn scrapes_at_the_same_time_count_an_open_run_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "sleep 1; ok").await;
    let metrics = Arc::<Metrics>::default();
    let open = || sample(&engine, &metrics, "mixline_runs_open{dag=\"dag\"}");
    assert_eq!(open().await, Some(0.0));
    let watch = async {
        while open().await == Some(0.0) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        tokio::join!(open(), open(), open())
    };
    let (seen, ()) = tokio::join!(watch, run(&engine, &metrics));
    assert_eq!(seen, (Some(1.0), Some(1.0), Some(1.0)));
}
