//! What every state store keeps to.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mixline_schema::{Digest, StepDescriptor, Window};
use uuid::Uuid;

use super::Scratch;
use crate::error::RunError;
use crate::event::{RecordedEvent, RunEnd, RunEvent};
use crate::fixture::{plan, task};
use crate::state::RunState;
use crate::store::{
    Claim, FileStamp, FireState, LEASE, Owner, Retention, RunFilter, RunRow, SCHEDULE, StateDb,
};

const ME: Owner = Owner {
    machine: u64::MAX,
    pid: 41,
    start: u64::MAX - 1,
};
const OTHER: Owner = Owner {
    machine: 2,
    pid: 42,
    start: 7,
};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 123_456_000).unwrap()
}

fn window(day: i64) -> Window {
    let start = DateTime::from_timestamp(1_800_000_000 + day * 86_400, 0).unwrap();
    Window {
        start,
        end: start + TimeDelta::days(1),
    }
}

/// A run, as its dispatcher would write it.
struct Script {
    run_id: String,
    state: RunState,
    owner: Owner,
}

impl Script {
    fn new(run_id: &str) -> Self {
        Self {
            run_id: run_id.to_owned(),
            state: RunState::default(),
            owner: ME,
        }
    }

    async fn append(&mut self, db: &StateDb, events: Vec<RunEvent>) -> Result<(), RunError> {
        let mut state = self.state.clone();
        let mut recorded = Vec::new();
        for event in events {
            let one = RecordedEvent {
                run_id: self.run_id.clone(),
                seq: state.next_seq(),
                at: at(i64::try_from(state.next_seq()).unwrap()),
                event,
            };
            state.apply(&one);
            recorded.push(one);
        }
        db.append(&recorded, &state, self.owner, None).await?;
        self.state = state;
        Ok(())
    }

    async fn finish(&mut self, db: &StateDb) {
        let state = RunEnd::Succeeded;
        self.append(db, vec![RunEvent::RunFinished { state }])
            .await
            .unwrap();
    }
}

fn created(dag: &str, trigger: &str, window: Option<Window>) -> RunEvent {
    let mut plan = plan(vec![task("a", &[]), task("b", &["a"])]);
    plan.dag = dag.to_owned();
    plan.seed = u64::MAX;
    plan.window = window;
    RunEvent::RunCreated {
        plan: Box::new(plan),
        trigger: trigger.to_owned(),
        max_parallel: 2,
        pools: std::collections::BTreeMap::new(),
        origin: Box::default(),
    }
}

fn started(task: &str) -> RunEvent {
    RunEvent::AttemptStarted {
        task: task.to_owned(),
        attempt: 1,
    }
}

async fn row(db: &StateDb, run_id: &str) -> RunRow {
    db.run(run_id).await.unwrap()
}

/// Two openings of one database, as two processes have them.
async fn contract(one: &StateDb, two: &StateDb) {
    runs_and_events(one, two).await;
    nothing_of_a_batch_that_fails(one, two).await;
    ownership(one, two).await;
    cursors_and_fires(one, two).await;
    one_taker(one, two).await;
    leases(one, two).await;
    memories(one, two).await;
    artifact_logs(one, two).await;
    retention(one).await;
    many_at_once(one, two).await;
    outbox(one, two).await;
}

async fn runs_and_events(one: &StateDb, two: &StateDb) {
    let mut first = Script::new("0001-first");
    let begun = vec![created("shop", "cli", Some(window(0))), started("a")];
    first.append(one, begun).await.unwrap();
    let mut second = Script::new("0002-second");
    let begun = vec![created("other", "api", None)];
    second.append(two, begun).await.unwrap();

    let seen = row(two, "0001").await;
    assert_eq!(
        (seen.dag.as_str(), seen.state.as_str()),
        ("shop", "running")
    );
    assert_eq!(
        (seen.trigger.as_str(), seen.tasks, seen.seed),
        ("cli", 2, u64::MAX)
    );
    assert_eq!((seen.window, seen.created_at), (Some(window(0)), at(0)));
    assert_eq!((seen.owner, seen.ended_at), (Some(ME), None));
    assert!(seen.silent.is_some_and(|silent| silent < LEASE), "{seen:?}");
    for unknown in ["", "000", "0003", "%"] {
        let error = two.run(unknown).await.unwrap_err();
        assert!(
            matches!(error, RunError::NoRun { .. }),
            "{unknown}: {error}"
        );
    }
    assert_eq!(two.open_runs().await.unwrap().len(), 2);

    // Postgres refuses a zero byte in text, and a step may print one.
    let error = "the column is\0missing \u{1F4A5}".to_owned();
    let failed = RunEvent::AttemptFailed {
        task: "a".to_owned(),
        attempt: 1,
        class: mixline_schema::ErrorClass::Data,
        exit_code: Some(65),
        error: error.clone(),
        assertions: Vec::new(),
    };
    let end = RunEvent::RunFinished {
        state: RunEnd::Failed,
    };
    first.append(one, vec![failed, end]).await.unwrap();
    let events = two.events("0001-first", 0).await.unwrap();
    assert_eq!(
        events.iter().map(|e| e.seq).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    assert_eq!(events[3].at, at(3));
    assert_eq!(two.events("0001-first", 2).await.unwrap().len(), 2);
    let state = two.run_state("0001-first").await.unwrap();
    assert_eq!(state.task("a").unwrap().message.as_ref(), Some(&error));
    let ended = row(two, "0001-first").await;
    assert_eq!(
        (ended.state.as_str(), ended.ended_at),
        ("failed", Some(at(3)))
    );

    let filter = |dag: Option<&str>, state: Option<&str>, limit| RunFilter {
        dag: dag.map(str::to_owned),
        state: state.map(str::to_owned),
        limit,
    };
    for (which, expected) in [
        (filter(None, None, 0), 2),
        (filter(Some("shop"), None, 0), 1),
        (filter(None, Some("running"), 0), 1),
        (filter(Some("shop"), Some("running"), 0), 0),
        (filter(None, None, 1), 1),
    ] {
        assert_eq!(one.runs(&which).await.unwrap().len(), expected, "{which:?}");
    }
    let newest_first = one.runs(&filter(None, None, 0)).await.unwrap();
    assert_eq!(newest_first[0].run_id, "0002-second");
    second.finish(two).await;
}

async fn nothing_of_a_batch_that_fails(one: &StateDb, two: &StateDb) {
    let mut run = Script::new("0003-batch");
    run.append(one, vec![created("shop", "cli", None)])
        .await
        .unwrap();
    let mut rival = Script::new("0003-batch");
    rival.state = run.state.clone();
    run.append(one, vec![started("a")]).await.unwrap();
    // The place of the first event is taken, so none of the three is kept.
    let batch = vec![started("b"), RunEvent::CancelRequested, started("a")];
    rival.append(two, batch).await.unwrap_err();
    assert_eq!(one.events("0003-batch", 0).await.unwrap().len(), 2);
    run.finish(one).await;
}

async fn ownership(one: &StateDb, two: &StateDb) {
    let mut run = Script::new("0004-owned");
    run.append(one, vec![created("shop", "cli", None)])
        .await
        .unwrap();
    let pulse = one.pulse("0004-owned", ME).await.unwrap();
    assert_eq!((pulse.mine, pulse.cancel), (true, false));
    assert!(two.request_cancel("0004-owned").await.unwrap());
    assert!(one.pulse("0004-owned", ME).await.unwrap().cancel);
    assert!(!one.pulse("0004-owned", OTHER).await.unwrap().mine);

    let seen = row(two, "0004-owned").await;
    assert!(two.claim(&seen, OTHER).await.unwrap());
    assert!(!one.claim(&seen, ME).await.unwrap(), "somebody was faster");
    assert!(!one.pulse("0004-owned", ME).await.unwrap().mine);
    let late = run.append(one, vec![started("a")]).await.unwrap_err();
    assert!(matches!(late, RunError::Superseded { .. }), "{late}");
    assert_eq!(one.events("0004-owned", 0).await.unwrap().len(), 1);
    run.owner = OTHER;
    run.append(two, vec![started("a")]).await.unwrap();
    run.finish(two).await;
    let ended = row(one, "0004-owned").await;
    assert!(!one.claim(&ended, ME).await.unwrap(), "it has ended");
    assert!(!one.request_cancel("0004-owned").await.unwrap());
}

async fn cursors_and_fires(one: &StateDb, two: &StateDb) {
    assert_eq!(one.cursor("daily").await.unwrap(), None);
    let windows = [window(0), window(1)];
    let new = one.fire("daily", &windows, windows[1].end, at(0), None);
    assert_eq!(new.await.unwrap(), windows);
    let again = [window(1), window(2)];
    let new = two.fire("daily", &again, again[1].end, at(1), None);
    assert_eq!(new.await.unwrap(), [window(2)], "one is known already");
    let back = two.fire("daily", &[], window(0).start, at(1), None);
    back.await.unwrap();
    let cursor = one.cursor("daily").await.unwrap().unwrap();
    assert_eq!((cursor.at, cursor.paused), (window(2).end, false));
    one.set_paused("daily", true, at(2)).await.unwrap();
    let cursor = two.cursor("daily").await.unwrap().unwrap();
    assert_eq!((cursor.at, cursor.paused), (window(2).end, true));

    let mut run = Script::new("0005-fire");
    let begun = vec![created("daily", SCHEDULE, Some(window(0)))];
    run.append(one, begun).await.unwrap();
    let mut rival = Script::new("0006-rival");
    for day in [0, 1] {
        let begun = vec![created("daily", SCHEDULE, Some(window(day)))];
        let error = rival.append(two, begun).await.unwrap_err();
        assert!(matches!(error, RunError::FireTaken { .. }), "{error}");
    }
    assert!(matches!(
        two.run("0006-rival").await,
        Err(RunError::NoRun { .. })
    ));
    let running = two.fires("daily", Some(FireState::Running)).await.unwrap();
    assert_eq!(running[0].run_id.as_deref(), Some("0005-fire"));
    run.finish(one).await;
    let done = two.fires("daily", Some(FireState::Done)).await.unwrap();
    assert_eq!((done.len(), done[0].window), (1, window(0)));

    let waiting = two.fires("daily", Some(FireState::Pending)).await.unwrap();
    let reason = Some("no\0step");
    let failed = two.end_fire(&waiting[0], FireState::Failed, reason, None);
    failed.await.unwrap();
    let dropped = two.end_fire(&done[0], FireState::Dropped, None, None);
    dropped.await.unwrap();
    let all = one.fires("daily", None).await.unwrap();
    let states: Vec<FireState> = all.iter().map(|fire| fire.state).collect();
    let expected = [FireState::Done, FireState::Failed, FireState::Pending];
    assert_eq!(states, expected, "what has become a run is left alone");
    assert!(all[1].error.as_ref().is_some_and(|e| e.contains("step")));
    assert_eq!(all[2].created_at, at(1));
}

/// However many take fires of a DAG at once, one of them gets one.
async fn one_taker(one: &StateDb, two: &StateDb) {
    let windows: Vec<Window> = (0..8).map(window).collect();
    one.fire("raced", &windows, windows[7].end, at(0), None)
        .await
        .unwrap();
    let takers = windows.iter().enumerate().map(|(index, window)| {
        let db = if index % 2 == 0 { one } else { two };
        async move {
            let mut run = Script::new(&format!("0007-race-{index}"));
            let begun = vec![created("raced", SCHEDULE, Some(*window))];
            run.append(db, begun).await.map(|()| run)
        }
    });
    let taken = futures::future::join_all(takers).await;
    let (won, lost): (Vec<_>, Vec<_>) = taken.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for error in lost.into_iter().filter_map(Result::err) {
        assert!(matches!(error, RunError::FireTaken { .. }), "{error:?}");
    }
    for mut run in won.into_iter().flatten() {
        run.finish(one).await;
    }
}

async fn leases(one: &StateDb, two: &StateDb) {
    let (ours, theirs) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(one.leader().await.unwrap(), None);
    let takers = (0..8).map(|index| {
        let db = if index % 2 == 0 { one } else { two };
        db.take_lease(Uuid::new_v4(), OTHER, "host")
    });
    let taken = futures::future::join_all(takers).await;
    let first: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(first.len(), 1, "one of eight");
    one.release_lease(first[0]).await.unwrap();

    let term = one.take_lease(ours, ME, "host a").await.unwrap().unwrap();
    assert_eq!(term.number(), 2);
    assert_eq!(two.take_lease(theirs, OTHER, "host b").await.unwrap(), None);
    assert!(one.renew_lease(term).await.unwrap());
    let leader = two.leader().await.unwrap().unwrap();
    assert_eq!((leader.host.as_str(), leader.owner), ("host a", ME));
    let remaining = u64::try_from(leader.remaining_ms).unwrap();
    assert!(Duration::from_millis(remaining) <= LEASE, "{remaining}");
    let (early, late) = ([window(0)], [window(1)]);
    let fired = one.fire("led", &early, early[0].end, at(0), Some(term));
    assert_eq!(fired.await.unwrap().len(), 1);

    two.end_lease_of(&leader).await.unwrap();
    let next = two.take_lease(theirs, OTHER, "host b").await.unwrap();
    let next = next.unwrap();
    assert_eq!(next.number(), 3);
    // The old leader can do nothing any more, not even end its successor's lease.
    assert!(!one.renew_lease(term).await.unwrap());
    one.release_lease(term).await.unwrap();
    one.end_lease_of(&leader).await.unwrap();
    assert!(two.renew_lease(next).await.unwrap());
    let late = one.fire("led", &late, late[0].end, at(0), Some(term));
    assert!(matches!(late.await, Err(RunError::Deposed)));
    assert_eq!(two.cursor("led").await.unwrap().unwrap().at, window(0).end);
    let fires = two.fires("led", None).await.unwrap();
    let late = one.end_fire(&fires[0], FireState::Dropped, None, Some(term));
    assert!(matches!(late.await, Err(RunError::Deposed)));
    let run = Script::new("0008-late");
    let mut state = RunState::default();
    let recorded = RecordedEvent {
        run_id: run.run_id,
        seq: 0,
        at: at(0),
        event: created("led", SCHEDULE, Some(window(0))),
    };
    state.apply(&recorded);
    let late = one.append(&[recorded], &state, ME, Some(term)).await;
    assert!(matches!(late, Err(RunError::Deposed)), "{late:?}");
    assert_eq!(fires, two.fires("led", None).await.unwrap());
    two.release_lease(next).await.unwrap();
}

async fn memories(one: &StateDb, two: &StateDb) {
    let descriptor: StepDescriptor = serde_json::from_value(serde_json::json!({
        "name": "step-x", "about": "x", "code_version": "1", "inputs": [], "outputs": [],
        "config_schema": {}, "exit_codes": {},
    }))
    .unwrap();
    let stamp = FileStamp {
        size: u64::MAX,
        modified: 5,
    };
    let newer = FileStamp {
        modified: 6,
        ..stamp
    };
    assert!(one.step("/bin/step-x", stamp).await.unwrap().is_none());
    for digest in ["b3:00", "b3:01"] {
        one.remember_step("/bin/step-x", stamp, &descriptor, digest)
            .await
            .unwrap();
    }
    let (known, digest) = two.step("/bin/step-x", stamp).await.unwrap().unwrap();
    assert_eq!((known.name.as_str(), digest.as_str()), ("step-x", "b3:01"));
    assert!(two.step("/bin/step-x", newer).await.unwrap().is_none());

    let digest = Digest::of_bytes(b"rows");
    for stamp in [stamp, newer] {
        one.remember_file("/a.csv", stamp, &digest).await.unwrap();
    }
    assert_eq!(two.file_digest("/a.csv", stamp).await.unwrap(), None);
    assert_eq!(
        two.file_digest("/a.csv", newer).await.unwrap(),
        Some(digest)
    );
}

fn commit(version: u64, slot: &str, run_id: &str) -> mixline_artifact::CommitRecord {
    let fingerprint = Digest::of_bytes(format!("{slot} {version}").as_bytes());
    mixline_artifact::CommitRecord {
        version,
        operation: "WRITE".to_owned(),
        mode: None,
        rows: 3,
        digest: Digest::of_bytes(&version.to_be_bytes()),
        provenance: Some(mixline_schema::Provenance {
            step: "step-x".to_owned(),
            code_version: "1".to_owned(),
            run: Some(mixline_schema::RunRef {
                run_id: run_id.to_owned(),
                dag: "shop".to_owned(),
                task: "a".to_owned(),
                attempt: 1,
            }),
            slot: slot.to_owned(),
            fingerprint,
            inputs: Vec::new(),
            window: None,
            seed: 0,
            forced: false,
            committed_at: at(0),
        }),
        timestamp: at(0),
    }
}

async fn artifact_logs(one: &StateDb, two: &StateDb) {
    one.bind_store("s3://one").await.unwrap();
    let commits = [commit(0, "shop.a", "r0"), commit(1, "shop.a", "r1")];
    one.remember_commits("media", &commits, false)
        .await
        .unwrap();
    let more = [commit(1, "shop.a", "r1"), commit(2, "shop.b [x, y)", "r2")];
    two.remember_commits("media", &more, false).await.unwrap();
    let heads = two.known_heads().await.unwrap();
    assert_eq!((heads.len(), heads["media"].0.version), (1, 2));
    let slots = vec![
        "shop.a".to_owned(),
        "shop.b [x, y)".to_owned(),
        "no".to_owned(),
    ];
    let newest = one.slot_commits(&slots).await.unwrap();
    let version = |slot: &str| newest[&(slot.to_owned(), "media".to_owned())].version;
    assert_eq!(
        (newest.len(), version("shop.a"), version("shop.b [x, y)")),
        (2, 1, 2)
    );
    let fingerprint = commits[1].provenance.as_ref().unwrap().fingerprint.clone();
    let found = |run| two.slot_commit_of("shop.a", "media", &fingerprint, run);
    let known = found("r1").await.unwrap().unwrap();
    assert_eq!((known.version, known.rows), (1, 3));
    assert!(found("r0").await.unwrap().is_none());
    // More slots than a statement takes values.
    let many: Vec<String> = (0..40_000).map(|slot| format!("none.{slot}")).collect();
    assert!(one.slot_commits(&many).await.unwrap().is_empty());
    assert!(one.last_documents(&many).await.unwrap().is_empty());
    assert!(one.slot_commits(&[]).await.unwrap().is_empty());

    two.remember_commits("media", &[commit(0, "shop.a", "r0")], true)
        .await
        .unwrap();
    assert_eq!(one.known_heads().await.unwrap()["media"].0.version, 0);
    one.bind_store("s3://one").await.unwrap();
    assert_eq!(one.known_heads().await.unwrap().len(), 1);
    one.bind_store("s3://two").await.unwrap();
    assert!(two.known_heads().await.unwrap().is_empty());
}

async fn retention(db: &StateDb) {
    let day = "kept.day [2026-03-01, 2026-03-02)";
    let windows: Vec<Window> = (0..4).map(window).collect();
    db.fire("kept", &windows, windows[3].end, at(0), None)
        .await
        .unwrap();
    for (index, window) in windows.iter().enumerate() {
        let mut run = Script::new(&format!("0009-kept-{index}"));
        let begun = vec![created("kept", SCHEDULE, Some(*window))];
        run.append(db, begun).await.unwrap();
        run.finish(db).await;
    }
    let run = |index: usize| format!("0009-kept-{index}");
    let commits = [
        commit(0, day, &run(0)),
        commit(1, "kept.all", &run(0)),
        commit(2, "kept.all", &run(1)),
        commit(3, "kept.other", &run(0)),
        commit(4, "kept.other [x, y)", &run(0)),
    ];
    db.remember_commits("kept", &commits, false).await.unwrap();
    let two_of_each = Retention { days: 90, runs: 2 };
    let forgotten = db.prune(two_of_each, at(100)).await.unwrap();
    for index in [0, 1] {
        assert!(forgotten.contains(&run(index)), "{forgotten:?}");
        assert!(db.events(&run(index), 0).await.unwrap().is_empty());
    }
    let runs = db.runs(&RunFilter::default()).await.unwrap();
    let kept = runs.iter().filter(|run| run.dag == "kept").count();
    assert_eq!(kept, 2);
    assert_eq!(db.fires("kept", None).await.unwrap().len(), 2);
    // The window's commit and the one that was replaced are gone; the newest of a slot without a
    // window stays, and so does the head.
    let slots = [day, "kept.all", "kept.other", "kept.other [x, y)"].map(str::to_owned);
    let left = db.slot_commits(&slots).await.unwrap();
    let versions: Vec<u64> = left.values().map(|commit| commit.version).collect();
    assert_eq!(versions, [2, 3, 4]);
    let everything = Retention { days: 1, runs: 99 };
    let later = at(100) + TimeDelta::days(2);
    assert!(!db.prune(everything, later).await.unwrap().is_empty());
    assert!(db.runs(&RunFilter::default()).await.unwrap().is_empty());
    let pending = db.fires("daily", None).await.unwrap();
    assert!(
        pending.iter().all(|fire| fire.state == FireState::Pending),
        "what has not run is not forgotten: {pending:?}"
    );
    assert_eq!(
        db.prune(everything, later).await.unwrap(),
        [] as [String; 0]
    );
}

/// Many dispatchers write at once, over two openings: nothing is lost and nobody is told to wait.
async fn many_at_once(one: &StateDb, two: &StateDb) {
    let writers = (0..24).map(|index| {
        let db = if index % 2 == 0 { one } else { two };
        async move {
            let mut run = Script::new(&format!("0010-many-{index:02}"));
            let begun = vec![created(&format!("dag{index}"), "cli", None)];
            run.append(db, begun).await.unwrap();
            for _ in 0..10 {
                db.pulse(&run.run_id, ME).await.unwrap();
                run.append(db, vec![RunEvent::CancelRequested])
                    .await
                    .unwrap();
            }
            run.finish(db).await;
        }
    });
    futures::future::join_all(writers).await;
    let runs = two.runs(&RunFilter::default()).await.unwrap();
    let many = runs.iter().filter(|run| run.run_id.starts_with("0010"));
    assert_eq!(many.filter(|run| run.state == "succeeded").count(), 24);
    for index in 0..24 {
        let events = one.events(&format!("0010-many-{index:02}"), 0).await;
        assert_eq!(events.unwrap().len(), 12);
    }
}

/// A claim that nobody waits for.
fn claim(claimant: &str) -> Claim<'_> {
    Claim {
        consumer: "lineage",
        claimant,
        holds: Duration::from_secs(120),
    }
}

/// Runs are told by one claimant at a time, from where the last one stopped.
async fn outbox(one: &StateDb, two: &StateDb) {
    // Two consumers of one name are one.
    let names = vec!["lineage".to_owned(), "lineage".to_owned()];
    let telling = one.clone().with_consumers(names);
    let (ours, theirs) = (claim("ours"), claim("theirs"));
    let mut run = Script::new("0900-told");
    let begun = vec![created("told", "cli", None), started("a")];
    run.append(&telling, begun).await.unwrap();
    let waiting = two.undelivered(theirs).await.unwrap();
    assert_eq!(waiting.len(), 1, "earlier runs had no consumer");
    assert_eq!(
        (waiting[0].run_id.as_str(), waiting[0].next),
        ("0900-told", 0)
    );

    let claims = futures::join!(
        one.claim_delivery(ours, "0900-told"),
        two.claim_delivery(theirs, "0900-told")
    );
    let (first, second) = (claims.0.unwrap(), claims.1.unwrap());
    assert_eq!(
        first.xor(second),
        Some(0),
        "one claims it: {first:?}, {second:?}"
    );
    let (holder, other) = match first {
        Some(_) => (ours, theirs),
        None => (theirs, ours),
    };
    assert!(two.undelivered(other).await.unwrap().is_empty());
    assert!(one.delivered(holder, "0900-told", 2).await.unwrap());
    assert!(!two.delivered(other, "0900-told", 9).await.unwrap());
    one.delivery_failed(holder, "0900-told", "away\0")
        .await
        .unwrap();
    let backlog = two.backlogs().await.unwrap();
    assert_eq!((backlog.len(), backlog[0].runs), (1, 1));
    assert_eq!(backlog[0].error.as_deref(), Some("away\u{fffd}"));

    // The holder's orchestrator is gone.
    two.forget_claims("0900-told").await.unwrap();
    let next = two.claim_delivery(other, "0900-told").await.unwrap();
    assert_eq!(next, Some(2));
    assert!(!one.delivered(holder, "0900-told", 9).await.unwrap());
    assert!(!one.renew_delivery(holder, "0900-told").await.unwrap());
    turns(one, two, "0900-told").await;
    one.delivered_all(claim("late"), "0900-told").await.unwrap();
    assert!(two.backlogs().await.unwrap().is_empty());

    // What is forgotten is not told any more.
    let mut forgotten = Script::new("0901-forgotten");
    let begun = vec![created("told", "cli", None)];
    forgotten.append(&telling, begun).await.unwrap();
    forgotten.finish(&telling).await;
    assert_eq!(one.count("outbox").await, 1);
    let none = Retention { days: 90, runs: 0 };
    one.prune(none, at(0)).await.unwrap();
    assert_eq!(one.count("outbox").await, 0);
    let mut dropped = Script::new("0902-dropped");
    let begun = vec![created("told", "cli", None)];
    dropped.append(&telling, begun).await.unwrap();
    assert_eq!(one.forget_consumer("other").await.unwrap(), 0);
    assert_eq!(one.forget_consumer("lineage").await.unwrap(), 1);
    assert_eq!(one.count("outbox").await, 0);
}

/// Claims run out by the database's clock unless they are renewed, and a run that was put off is
/// nobody's until its turn. Leaves the run to `late`.
async fn turns(one: &StateDb, two: &StateDb, run_id: &str) {
    let instant = Duration::from_millis(400);
    two.forget_claims(run_id).await.unwrap();
    let brief = Claim {
        holds: instant,
        ..claim("brief")
    };
    let (late, next) = (claim("late"), Some(2));
    assert_eq!(one.claim_delivery(brief, run_id).await.unwrap(), next);
    for _ in 0..3 {
        tokio::time::sleep(instant / 2).await;
        assert!(one.renew_delivery(brief, run_id).await.unwrap());
        assert_eq!(two.claim_delivery(late, run_id).await.unwrap(), None);
    }
    tokio::time::sleep(instant * 2).await;
    assert_eq!(two.claim_delivery(late, run_id).await.unwrap(), next);

    two.postpone_delivery(late, run_id, (instant, "broken"))
        .await
        .unwrap();
    let why = one.backlogs().await.unwrap()[0].error.clone();
    assert_eq!(why.as_deref(), Some("broken"));
    assert_eq!(one.claim_delivery(brief, run_id).await.unwrap(), None);
    assert_eq!(two.claim_delivery(late, run_id).await.unwrap(), None);
    tokio::time::sleep(instant * 2).await;
    assert_eq!(two.claim_delivery(late, run_id).await.unwrap(), next);
}

async fn on(scratch: &Scratch) {
    let (one, two) = futures::join!(scratch.open(), scratch.open());
    contract(&one, &two).await;
    one.close().await;
    let again = scratch.open().await;
    assert!(!again.runs(&RunFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    on(&Scratch::sqlite()).await;
}

#[tokio::test]
async fn postgres_keeps_the_contract() {
    let Some(scratch) = Scratch::postgres() else {
        return;
    };
    on(&scratch).await;
}
