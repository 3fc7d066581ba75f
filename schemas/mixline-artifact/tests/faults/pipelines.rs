//! Whole pipelines over a store that fails in every way it can: chains of commits, each tried again
//! as the dispatcher would, until all of it is there exactly once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use mixline_artifact::testing::{provenance, row};
use mixline_artifact::{CommitOutcome, Committed, Store, StoreError, Table};
use mixline_schema::catalog::Controls;
use mixline_schema::{Provenance, WriteMode};
use object_store::memory::InMemory;

use crate::store::{Faulty, ROUGH};

/// Pipelines; the bar asks for 1,000.
const PIPELINES_VARIABLE: &str = "MIXLINE_FAULT_PIPELINES";
/// Pipelines at a time, on the same artifacts.
const AT_ONCE: usize = 8;
/// Pipelines that share their artifacts.
const GROUP: u64 = 10;
/// Attempts a task gets.
const ATTEMPTS: u64 = 60;
/// The artifacts of a chain, in order.
const CHAIN: [&str; 3] = ["raw", "mid", "mart"];

struct World {
    objects: Arc<InMemory>,
    faults: Arc<AtomicU64>,
    attempts: AtomicU64,
}

impl World {
    /// The store as a new process sees it: nothing read yet, and dice of its own.
    fn store(&self, seed: u64) -> Store {
        let objects = Faulty::over(
            Arc::clone(&self.objects),
            ROUGH,
            seed.wrapping_mul(0x2545_F491_4F6C_DD1D),
            Arc::clone(&self.faults),
        );
        Store::over("memory:", Arc::new(objects))
    }

    /// One task: reads the version of its input that it was bound to, and commits. Every attempt is
    /// another process with the same fingerprint.
    async fn task(&self, pipeline: u64, task: usize, input: Option<u64>) -> Committed {
        let group = pipeline / GROUP;
        let mut provenance = provenance(&format!("{}.{pipeline}", CHAIN[task]), pipeline);
        provenance.seed = pipeline;
        for attempt in 0..ATTEMPTS {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let seed = (pipeline * 10 + task as u64) * ATTEMPTS + attempt;
            let store = self.store(seed);
            let done = attempt_of(&store, group, (pipeline, task), input, provenance.clone());
            match done.await {
                Ok(done) => return done,
                Err(error) => assert!(may_be_tried_again(&error), "{error:?}"),
            }
        }
        panic!(
            "pipeline {pipeline}, {}: no attempt of {ATTEMPTS} went well",
            CHAIN[task]
        );
    }

    async fn pipeline(&self, pipeline: u64) -> Vec<Committed> {
        let mut told = Vec::new();
        for task in 0..CHAIN.len() {
            let input = told.last().map(|done: &Committed| done.version);
            told.push(self.task(pipeline, task, input).await);
        }
        told
    }
}

fn artifact(group: u64, task: usize) -> String {
    format!("{}_{group}", CHAIN[task])
}

/// What a task makes of the value before it.
fn value(pipeline: u64, task: usize) -> f64 {
    (pipeline + 1) as f64 * 3_f64.powi(task as i32)
}

async fn attempt_of(
    store: &Store,
    group: u64,
    (pipeline, task): (u64, usize),
    input: Option<u64>,
    provenance: Provenance,
) -> Result<Committed, StoreError> {
    let value = match task {
        0 => value(pipeline, 0),
        _ => {
            let log = store.log(&artifact(group, task - 1))?;
            let rows = log.read_table::<Controls>(input).await?.rows();
            let mine = row(pipeline, "v", 0.0).date;
            let found = rows.into_iter().find(|row| row.date == mine);
            found
                .expect("the version it was bound to holds its row")
                .value
                * 3.0
        }
    };
    let table = Table::from_rows(vec![row(pipeline, "v", value)])?;
    let log = store.log(&artifact(group, task))?;
    log.commit(table, WriteMode::Upsert, provenance).await
}

/// Exit codes 74 and 75: what the dispatcher tries again.
fn may_be_tried_again(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { .. } | StoreError::Contention { .. })
}

/// Every commit that was reported is there, once, whole, and says what it should.
async fn check(objects: Arc<InMemory>, told: &BTreeMap<u64, Vec<Committed>>) {
    let store = Store::over("memory:", objects);
    let pipelines = told.len() as u64;
    for group in 0..pipelines.div_ceil(GROUP) {
        let members: Vec<u64> = (group * GROUP..pipelines.min((group + 1) * GROUP)).collect();
        for (task, _) in CHAIN.iter().enumerate() {
            let log = store.log(&artifact(group, task)).expect("a legal name");
            let history = log.history(None).await.expect("the log reads");
            assert_eq!(
                history.len(),
                members.len(),
                "lost or doubled: {}",
                log.name()
            );
            let mut version_of = BTreeMap::new();
            for (place, record) in history.iter().enumerate() {
                assert_eq!(record.version, place as u64, "one order without a gap");
                let pipeline = record.provenance.as_ref().expect("ours").seed;
                assert_eq!(version_of.insert(pipeline, record.version), None, "doubled");
                let rows = log.read_table::<Controls>(Some(record.version)).await;
                let rows = rows.expect("every version reads whole").rows();
                assert_eq!(rows.len() as u64, record.rows);
                assert_eq!(rows.len(), place + 1, "each commit adds its row");
            }
            let head = log
                .read_table::<Controls>(None)
                .await
                .expect("reads")
                .rows();
            let expected: Vec<Controls> = members
                .iter()
                .map(|pipeline| row(*pipeline, "v", value(*pipeline, task)))
                .collect();
            assert_eq!(head, expected);
            for pipeline in members.iter() {
                let reported = told[pipeline][task].version;
                assert_eq!(
                    version_of.get(pipeline),
                    Some(&reported),
                    "what was reported"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelines_over_a_faulty_store_commit_exactly_once() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test goes on is the caller's choice"
    )]
    let pipelines = std::env::var(PIPELINES_VARIABLE)
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(100_u64);
    let world = World {
        objects: Arc::new(InMemory::new()),
        faults: Arc::new(AtomicU64::new(0)),
        attempts: AtomicU64::new(0),
    };
    let run = |pipeline| {
        let world = &world;
        async move { (pipeline, world.pipeline(pipeline).await) }
    };
    let told: BTreeMap<u64, Vec<Committed>> = futures::stream::iter(0..pipelines)
        .map(run)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let first = world.attempts.swap(0, Ordering::Relaxed);
    // Every third pipeline once more: all of it is reused.
    for pipeline in (0..pipelines).step_by(3) {
        let again = world.pipeline(pipeline).await;
        let expected = told[&pipeline]
            .iter()
            .map(|done| (done.version, CommitOutcome::Adopted));
        let again = again.iter().map(|done| (done.version, done.outcome));
        assert!(again.eq(expected), "pipeline {pipeline} was not reused");
    }
    // What was still under way has arrived by now.
    tokio::time::sleep(Duration::from_millis(200)).await;
    check(Arc::clone(&world.objects), &told).await;
    let faults = world.faults.load(Ordering::Relaxed);
    assert!(
        faults > pipelines * 5,
        "the dice were kind: {faults} faults"
    );
    assert!(first > pipelines * 4, "attempts were made again: {first}");
    eprintln!(
        "{pipelines} pipelines, {first} attempts for {} tasks, {faults} faults",
        pipelines * 3
    );
}
