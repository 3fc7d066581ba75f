//! OpenLineage events to a server that fails, is slow, drops connections and restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use mixline_conformance::{Answer, Receiver};
use serde_json::Value;

use super::*;
use crate::dispatcher::Cancel;
use crate::engine::{Engine, RunOptions};
use crate::executor::MockExecutor;
use crate::fixture::{plan, project, task};
use crate::lineage;

const PATIENCE: Duration = Duration::from_secs(30);

/// Tests are an edge: they read the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a test gives the engine the real clock"
)]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

async fn open(dir: &Path, url: &str) -> (Engine, Vec<Arc<dyn Consumer>>) {
    let project = project(dir, "ok");
    let variable = |name: &str| match name {
        "OPENLINEAGE_URL" => Some(url.to_owned()),
        "OPENLINEAGE_API_KEY" => Some("topsecret".to_owned()),
        "OPENLINEAGE__TRANSPORT__TIMEOUT" => Some("60".to_owned()),
        // As large deployments have it; the receiver takes both.
        "OPENLINEAGE__TRANSPORT__COMPRESSION" => Some("gzip".to_owned()),
        _ => None,
    };
    let consumers = lineage::consumers(&project, &variable).unwrap();
    let engine = Engine::open(project, clock).await.unwrap();
    let engine = engine.with_executor(Arc::new(MockExecutor));
    (engine.with_consumers(&consumers), consumers)
}

/// Runs `a → b`; both are mock attempts.
async fn run(engine: &Engine, relay: Option<&Relay>) -> String {
    let subscribers = relay.map(Relay::subscriber).into_iter().collect();
    let tasks = plan(vec![task("a", &[]), task("b", &["a"])]);
    let options = RunOptions::default();
    let run = engine.run(tasks, &options, subscribers, Cancel::default());
    run.await.unwrap().run_id
}

/// Event types by OpenLineage run, in the order in which the server took them.
fn stories(receiver: &Receiver) -> BTreeMap<String, Vec<String>> {
    let mut stories = BTreeMap::<String, Vec<String>>::new();
    for (_, event) in receiver.taken() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let id = text(&event["run"]["runId"]);
        stories
            .entry(id)
            .or_default()
            .push(text(&event["eventType"]));
    }
    stories
}

/// Every OpenLineage run of `runs` runs of ours began and ended once.
fn assert_told_once(receiver: &Receiver, runs: usize) {
    let stories = stories(receiver);
    assert_eq!(
        stories.len(),
        3 * runs,
        "a run and two attempts each: {stories:?}"
    );
    for (id, story) in stories {
        assert_eq!(story, ["START", "COMPLETE"], "{id}");
    }
}

#[tokio::test]
async fn a_server_that_is_well_is_told_everything_once_and_the_outbox_empties() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start([]).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    run(&engine, Some(&relay)).await;
    assert_eq!(relay.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 2);
    assert!(
        receiver
            .taken()
            .iter()
            .all(|(path, _)| path == "/api/v1/lineage")
    );
    assert_eq!(receiver.authorizations()[0], "Bearer topsecret");
}

#[tokio::test]
async fn failures_delays_and_dropped_connections_lose_nothing() {
    let script = [
        Answer::Refuse(503),
        Answer::Take,
        Answer::Drop,
        Answer::Refuse(429),
        Answer::Slow(Duration::from_millis(200)),
        Answer::Refuse(401),
    ];
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(script).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    assert_eq!(relay.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 1);
    assert_eq!(receiver.requests(), 6 + 4, "four were in vain");
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_repeated_and_no_other() {
    let script = [Answer::Take, Answer::TakeAndDrop];
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(script).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    assert_eq!(relay.finish(PATIENCE).await, []);
    let taken = receiver.taken();
    assert_eq!(taken.len(), 7);
    assert_eq!(
        taken[1], taken[2],
        "byte for byte, so that a server can tell"
    );
    let mut once = taken;
    once.dedup();
    assert_eq!(once.len(), 6);
}

#[tokio::test]
async fn an_event_that_is_refused_for_good_stands_in_nobodys_way() {
    let (dir, receiver) = (
        tempfile::tempdir().unwrap(),
        Receiver::start([Answer::Refuse(422)]).await,
    );
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    assert_eq!(relay.finish(PATIENCE).await, []);
    assert_eq!((receiver.taken().len(), receiver.requests()), (5, 6));
}

#[tokio::test]
async fn what_a_server_missed_is_told_by_the_next_process() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start([]).await);
    // Nobody listens there.
    let (engine, consumers) = open(dir.path(), "http://127.0.0.1:9").await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    let left = relay.finish(Duration::from_millis(100)).await;
    assert_eq!((left.len(), left[0].runs), (1, 1));
    assert_eq!(left[0].error.as_deref(), Some("no connection"));
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    assert_eq!(relay.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 1);
}

#[tokio::test]
async fn a_server_that_restarts_in_the_middle_is_told_once() {
    let script = [Answer::Take, Answer::Take, Answer::Refuse(500)];
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(script).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    while receiver.requests() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let receiver = receiver.restart().await;
    run(&engine, Some(&relay)).await;
    assert_eq!(relay.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 2);
}

#[tokio::test]
async fn claims_of_a_process_that_was_killed_run_out() {
    let holds = Duration::from_secs(2);
    let script = [Answer::Take, Answer::Take, Answer::Refuse(503)];
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(script).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let killed = Relay::claiming(engine.state(), clock, consumers.clone(), holds);
    run(&engine, Some(&killed)).await;
    while receiver.requests() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    killed.workers.iter().for_each(JoinHandle::abort);
    let early = Relay::start(engine.state(), clock, consumers.clone());
    assert_eq!(
        early.finish(PATIENCE).await.len(),
        1,
        "the claim still holds"
    );
    tokio::time::sleep(holds).await;
    let next = Relay::start(engine.state(), clock, consumers);
    assert_eq!(next.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 1);
}

#[tokio::test]
async fn a_slow_delivery_keeps_its_claim_and_is_not_told_twice() {
    let holds = Duration::from_millis(300);
    let script = [Answer::Slow(holds * 5)];
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(script).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let slow = Relay::claiming(engine.state(), clock, consumers.clone(), holds);
    run(&engine, Some(&slow)).await;
    while receiver.requests() < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(holds * 2).await;
    let other = Relay::start(engine.state(), clock, consumers);
    assert_eq!(other.finish(PATIENCE).await.len(), 1, "it is claimed");
    assert_eq!(slow.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 1);
    assert_eq!(receiver.requests(), 6);
}

/// Takes everything but the first two runs that it is told of, at which it fails until it is cured.
#[derive(Debug, Default)]
struct Picky {
    bad: Mutex<BTreeSet<String>>,
    cured: AtomicBool,
    told: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Consumer for Picky {
    fn name(&self) -> &str {
        "picky"
    }

    fn parcels(&self, events: &[RecordedEvent]) -> Vec<Parcel> {
        let parcel = |event: &RecordedEvent| Parcel {
            seq: event.seq,
            body: Value::String(event.run_id.clone()),
        };
        events.iter().map(parcel).collect()
    }

    async fn deliver(&self, parcel: &Parcel) -> Result<(), Trouble> {
        let run = parcel.body.as_str().unwrap().to_owned();
        let is_bad = {
            let mut bad = self.bad.lock().unwrap();
            bad.contains(&run) || bad.len() < 2 && bad.insert(run.clone())
        };
        if is_bad && !self.cured.load(Ordering::Relaxed) {
            let why = "the server answered 500".to_owned();
            return Err(Trouble::Stuck { why });
        }
        self.told.lock().unwrap().push(run);
        Ok(())
    }
}

#[tokio::test]
async fn events_that_always_fail_hold_up_their_runs_only() {
    let dir = tempfile::tempdir().unwrap();
    let picky = Arc::new(Picky::default());
    let consumers: Vec<Arc<dyn Consumer>> = vec![picky.clone()];
    let engine = Engine::open(project(dir.path(), "ok"), clock)
        .await
        .unwrap();
    let engine = engine
        .with_executor(Arc::new(MockExecutor))
        .with_consumers(&consumers);
    let relay = Relay::start(engine.state(), clock, consumers.clone());
    for number in 1..=2 {
        run(&engine, Some(&relay)).await;
        while picky.bad.lock().unwrap().len() < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let well = run(&engine, Some(&relay)).await;
    let left = relay.finish(Duration::from_secs(3)).await;
    assert_eq!((left.len(), left[0].runs), (1, 2), "{left:?}");
    assert_eq!(left[0].error.as_deref(), Some("the server answered 500"));
    assert!(!picky.told.lock().unwrap().is_empty(), "the other run");
    assert!(picky.told.lock().unwrap().iter().all(|run| *run == well));

    picky.cured.store(true, Ordering::Relaxed);
    let relay = Relay::start(engine.state(), clock, consumers.clone());
    for _ in 0..100 {
        if engine.state().backlogs().await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(relay.finish(PATIENCE).await, []);
    let told: BTreeSet<String> = picky.told.lock().unwrap().drain(..).collect();
    assert_eq!(told.len(), 3, "in the end everything is told");
}

#[tokio::test]
async fn only_a_document_that_is_refused_as_such_is_left_out() {
    let kinds: [(&str, &[u16]); 3] = [
        ("never", &[400, 413, 422]),
        ("stuck", &[500, 504, 409]),
        (
            "away",
            &[
                301, 401, 403, 404, 405, 406, 410, 411, 415, 421, 429, 501, 502, 503,
            ],
        ),
    ];
    for (kind, statuses) in kinds {
        let script = statuses.iter().map(|status| Answer::Refuse(*status));
        let receiver = Receiver::start(script).await;
        let http = Http::new(&HttpSettings::new(&receiver.url())).unwrap();
        for status in statuses {
            let trouble = http.post("", &Value::Null).await.unwrap_err();
            let seen = match &trouble {
                Trouble::Away { .. } => "away",
                Trouble::Stuck { .. } => "stuck",
                Trouble::Never { .. } => "never",
            };
            assert_eq!(seen, kind, "{status}: {}", trouble.why());
            assert!(trouble.why().contains(&status.to_string()));
        }
    }
}

#[tokio::test]
async fn a_wrong_address_loses_nothing() {
    let script = [405, 415, 410].map(Answer::Refuse);
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(script).await);
    let (engine, consumers) = open(dir.path(), &receiver.url()).await;
    let relay = Relay::start(engine.state(), clock, consumers);
    run(&engine, Some(&relay)).await;
    assert_eq!(relay.finish(PATIENCE).await, []);
    assert_told_once(&receiver, 1);
}

#[tokio::test]
async fn two_processes_tell_each_run_once() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start([]).await);
    let (first, consumers) = open(dir.path(), &receiver.url()).await;
    let (second, others) = open(dir.path(), &receiver.url()).await;
    let one = Relay::start(first.state(), clock, consumers);
    let other = Relay::start(second.state(), clock, others);
    for _ in 0..3 {
        tokio::join!(run(&first, Some(&one)), run(&second, Some(&other)));
    }
    let (left, _) = tokio::join!(one.finish(PATIENCE), other.finish(PATIENCE));
    let third = Relay::start(
        first.state(),
        clock,
        open(dir.path(), &receiver.url()).await.1,
    );
    assert_eq!(third.finish(PATIENCE).await, [], "after {left:?}");
    assert_told_once(&receiver, 6);
}

#[tokio::test]
async fn a_run_that_nobody_wants_to_know_of_enters_no_outbox() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::open(project(dir.path(), "ok"), clock)
        .await
        .unwrap();
    let engine = engine.with_executor(Arc::new(MockExecutor));
    run(&engine, None).await;
    assert_eq!(engine.state().backlogs().await.unwrap(), []);
    assert_eq!(
        Relay::start(engine.state(), clock, vec![])
            .finish(PATIENCE)
            .await,
        []
    );
}
