//! Fires over weeks of ticks, with restarts, rivals and overlaps.

use std::path::Path;

use chrono::TimeDelta;
use mixline_schema::Window;

use super::*;
use crate::fixture::project;
use crate::store::{Retention, SCHEDULE};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// Tests are an edge: they read the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a test gives the engine the real clock"
)]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

async fn open(dir: &Path, schedule: &str, body: &str) -> Engine {
    std::fs::create_dir_all(dir.join("dags")).unwrap();
    let dag = format!("name = \"daily\"\n[schedule]\n{schedule}\n[tasks.a]\nstep = \"step-x\"\n");
    std::fs::write(dir.join("dags/daily.toml"), dag).unwrap();
    let engine = Engine::open(project(dir, body), clock).await.unwrap();
    // Windows lie in the past of the clock, and are not to be forgotten.
    let (days, runs) = (10_000, 1000);
    engine.with_retention(Retention { days, runs })
}

async fn windows(engine: &Engine, state: FireState) -> Vec<Window> {
    let fires = engine.state().fires("daily", Some(state)).await.unwrap();
    fires.into_iter().map(|fire| fire.window).collect()
}

/// Ticks at one instant until nothing is pending or running.
async fn settle(scheduler: &mut Scheduler, now: DateTime<Utc>) {
    for _ in 0..400 {
        scheduler.tick(now).await.unwrap();
        let engine = &scheduler.engine;
        let open = windows(engine, FireState::Pending).await.len()
            + windows(engine, FireState::Running).await.len();
        if open == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("fires are left over");
}

const DAILY: &str = "cron = \"0 6 * * *\"\nzone = \"UTC\"\ncatch_up = \"all\"";

#[tokio::test]
async fn missed_windows_run_once_each_in_order_however_many_schedulers_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), DAILY, "ok").await;
    let mut first = Scheduler::new(engine.clone(), Vec::new());
    first.tick(at("2026-03-01T07:00:00Z")).await.unwrap();
    assert!(
        engine
            .state()
            .fires("daily", None)
            .await
            .unwrap()
            .is_empty(),
        "history is not fired"
    );
    let now = at("2026-03-04T07:00:00Z");
    let mut second = Scheduler::new(engine.clone(), Vec::new());
    let (one, two) = tokio::join!(first.tick(now), second.tick(now));
    one.and(two).unwrap();
    settle(&mut first, now).await;
    let done = windows(&engine, FireState::Done).await;
    let expected: Vec<Window> = (1..4)
        .map(|day| Window {
            start: at(&format!("2026-03-{day:02}T06:00:00Z")),
            end: at(&format!("2026-03-{:02}T06:00:00Z", day + 1)),
        })
        .collect();
    assert_eq!(done, expected);
    let runs = engine
        .state()
        .runs(&crate::store::RunFilter::default())
        .await
        .unwrap();
    let mut ran: Vec<_> = runs.iter().map(|run| run.window.unwrap()).collect();
    ran.reverse();
    assert_eq!(ran, expected, "one run for each window, oldest first");
    assert!(runs.iter().all(|run| run.trigger == SCHEDULE));
}

#[tokio::test]
async fn ticks_at_any_time_and_restarts_lose_and_double_nothing_over_a_change_of_clocks() {
    let dir = tempfile::tempdir().unwrap();
    let schedule = "cron = \"30 2 * * *\"\nzone = \"Europe/Berlin\"\ncatch_up = \"all\"\n\
                    catch_up_cap = 1000";
    let engine = open(dir.path(), schedule, "ok").await;
    let dag = engine.load_dag("daily").unwrap();
    let schedule = dag.schedule.clone().unwrap();
    let (start, end) = (at("2026-03-01T00:00:00Z"), at("2026-11-30T00:00:00Z"));
    let mut now = start;
    let mut step = 7_u64;
    while now < end {
        // A scheduler that lives for one tick only.
        let scheduler = Scheduler::new(engine.clone(), Vec::new());
        scheduler.fire("daily", &schedule, now).await.unwrap();
        step = step
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        now += TimeDelta::minutes(i64::try_from(step >> 33).unwrap() % 4000);
    }
    let scheduler = Scheduler::new(engine.clone(), Vec::new());
    scheduler.fire("daily", &schedule, end).await.unwrap();
    let fired = windows(&engine, FireState::Pending).await;
    assert_eq!(fired.len(), 274, "1 March to 29 November, each night once");
    assert!(
        fired.windows(2).all(|pair| pair[0].end == pair[1].start),
        "no gap, no overlap"
    );
}

#[tokio::test]
async fn a_run_still_going_makes_the_next_window_wait_or_be_left_out() {
    for (policy, dropped) in [("queue", 0), ("skip", 1)] {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("{DAILY}\noverlap = \"{policy}\"");
        let body = "while [ ! -e \"$(dirname \"$0\")/go\" ]; do sleep 0.02; done; ok";
        let engine = open(dir.path(), &text, body).await;
        let mut scheduler = Scheduler::new(engine.clone(), Vec::new());
        let begin = clock();
        scheduler.tick(begin).await.unwrap();
        scheduler.tick(begin + TimeDelta::days(1)).await.unwrap();
        while windows(&engine, FireState::Running).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        scheduler.tick(begin + TimeDelta::days(2)).await.unwrap();
        assert_eq!(
            windows(&engine, FireState::Running).await.len(),
            1,
            "{policy}"
        );
        assert_eq!(
            windows(&engine, FireState::Dropped).await.len(),
            dropped,
            "{policy}"
        );
        std::fs::write(dir.path().join("bin/go"), "").unwrap();
        settle(&mut scheduler, begin + TimeDelta::days(2)).await;
        assert_eq!(
            windows(&engine, FireState::Done).await.len(),
            2 - dropped,
            "{policy}"
        );
    }
}

#[tokio::test]
async fn cancel_other_stops_the_run_that_is_going_and_runs_the_newest_window() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{DAILY}\noverlap = \"cancel_other\"");
    let body = "here=$(dirname \"$0\")\n\
                [ -e \"$here/go\" ] || { : > \"$here/asleep\"; exec sleep 60; }; ok";
    let engine = open(dir.path(), &text, body).await;
    let mut scheduler = Scheduler::new(engine.clone(), Vec::new());
    let begin = clock();
    scheduler.tick(begin).await.unwrap();
    scheduler.tick(begin + TimeDelta::days(1)).await.unwrap();
    while !dir.path().join("bin/asleep").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::fs::write(dir.path().join("bin/go"), "").unwrap();
    settle(&mut scheduler, begin + TimeDelta::days(2)).await;
    let runs = engine
        .state()
        .runs(&crate::store::RunFilter::default())
        .await
        .unwrap();
    let states: Vec<&str> = runs.iter().map(|run| run.state.as_str()).collect();
    assert_eq!(states, ["succeeded", "cancelled"]);
}

#[tokio::test]
async fn a_paused_schedule_fires_nothing_until_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), DAILY, "ok").await;
    let mut scheduler = Scheduler::new(engine.clone(), Vec::new());
    scheduler.tick(at("2026-03-01T07:00:00Z")).await.unwrap();
    let now = at("2026-03-02T07:00:00Z");
    engine.state().set_paused("daily", true, now).await.unwrap();
    scheduler.tick(now).await.unwrap();
    assert!(
        engine
            .state()
            .fires("daily", None)
            .await
            .unwrap()
            .is_empty()
    );
    engine
        .state()
        .set_paused("daily", false, now)
        .await
        .unwrap();
    settle(&mut scheduler, now).await;
    assert_eq!(windows(&engine, FireState::Done).await.len(), 1);
}

#[tokio::test]
async fn a_dag_that_cannot_be_planned_fails_its_fire_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), DAILY, "ok").await;
    let mut scheduler = Scheduler::new(engine.clone(), Vec::new());
    scheduler.tick(at("2026-03-01T07:00:00Z")).await.unwrap();
    std::fs::remove_file(dir.path().join("bin/step-x")).unwrap();
    settle(&mut scheduler, at("2026-03-02T07:00:00Z")).await;
    let fires = engine
        .state()
        .fires("daily", Some(FireState::Failed))
        .await
        .unwrap();
    assert!(
        fires[0].error.as_ref().unwrap().contains("step-x"),
        "{fires:?}"
    );
}

#[tokio::test]
async fn a_step_that_is_missing_for_a_moment_costs_no_window() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), DAILY, "ok").await;
    let mut scheduler = Scheduler::new(engine.clone(), Vec::new());
    let (step, aside) = (dir.path().join("bin/step-x"), dir.path().join("aside"));
    let begin = clock();
    scheduler.tick(begin).await.unwrap();
    std::fs::rename(&step, &aside).unwrap();
    let now = begin + TimeDelta::days(1);
    scheduler.tick(now).await.unwrap();
    let failed = scheduler.works.join_next_with_id().await.unwrap();
    scheduler.over(failed);
    std::fs::rename(&aside, &step).unwrap();
    scheduler.tick(now).await.unwrap();
    assert!(scheduler.works.is_empty(), "it rests");
    assert_eq!(windows(&engine, FireState::Pending).await.len(), 1);
    settle(&mut scheduler, now).await;
    assert_eq!(windows(&engine, FireState::Done).await.len(), 1);
}

#[tokio::test]
async fn the_alarm_wakes_a_scheduler_and_a_stop_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), DAILY, "ok").await;
    let stop = Cancel::default();
    let running = tokio::spawn(Scheduler::new(engine.clone(), Vec::new()).run(stop.clone()));
    while engine.state().cursor("daily").await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}
