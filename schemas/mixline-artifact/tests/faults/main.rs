//! A store that fails at random, also after it has done what it was asked: the log must come out
//! whole. Every commit that reports success is there exactly once; one that reports failure may be
//! there or not, but never twice, and no version is ever half written.

mod pipelines;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use mixline_artifact::testing::{commit, provenance, row};
use mixline_artifact::{CommitOutcome, Store};
use mixline_schema::WriteMode;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore as _, PutOptions};

use store::{Faulty, Odds, ROUGH};

/// A store over objects that only a bad connection leads to, as a new process opens it.
fn faulty(objects: &Arc<InMemory>, odds: Odds, seed: u64) -> Store {
    let faults = Arc::new(AtomicU64::new(0));
    let objects = Faulty::over(Arc::clone(objects), odds, seed, faults);
    Store::over("memory:", Arc::new(objects))
}

/// Committers that race over one faulty store; each retries its own work a few times.
async fn race(seed: u64) {
    let objects = Arc::new(InMemory::new());
    let workers = (0..8_u64).map(|worker| {
        let store = faulty(&objects, ROUGH, seed * 100 + worker);
        tokio::spawn(async move {
            let mut told = Vec::new();
            for round in 0..6 {
                let at = provenance(&format!("slot {worker} {round}"), seed);
                for _ in 0..8 {
                    let rows = vec![row(worker, "a", round as f64), row(100 + round, "b", 1.0)];
                    if let Ok(done) = commit(&store, rows, WriteMode::Upsert, at.clone()).await {
                        told.push((at.fingerprint.to_string(), done.version));
                        break;
                    }
                }
            }
            told
        })
    });
    let mut told = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        told.extend(worker.await.expect("no worker panics"));
    }
    let store = Store::over("memory:", objects);
    let log = store.log("controls").expect("a legal name");
    let history = log.history(None).await.expect("the log reads");
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (place, record) in history.iter().enumerate() {
        assert_eq!(record.version, place as u64, "one order without a gap");
        let fingerprint = record
            .provenance
            .as_ref()
            .expect("ours")
            .fingerprint
            .to_string();
        assert_eq!(
            seen.insert(fingerprint, record.version),
            None,
            "committed twice"
        );
        log.read(Some(record.version))
            .await
            .expect("every visible version reads whole");
    }
    for (fingerprint, version) in &told {
        assert_eq!(
            seen.get(fingerprint),
            Some(version),
            "a success that was reported is there"
        );
    }
    assert!(
        told.len() > 40,
        "the dice let most commits through: {}",
        told.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_and_lies_about_it_loses_and_doubles_nothing() {
    for seed in 0..12 {
        race(seed).await;
    }
}

#[tokio::test]
async fn what_was_written_before_a_failed_commit_is_invisible() {
    let objects = Arc::new(InMemory::new());
    let stray = Path::from("controls/part-1.parquet");
    let options = PutOptions::default();
    objects
        .put_opts(&stray, "half a file".into(), options)
        .await
        .expect("writes");
    let store = Store::over("memory:", objects);
    assert_eq!(
        store
            .log("controls")
            .expect("legal")
            .head()
            .await
            .expect("lists"),
        None
    );
    assert!(store.artifacts().await.expect("lists").is_empty());
    let done = commit(
        &store,
        vec![row(0, "a", 1.0)],
        WriteMode::Append,
        provenance("s", 1),
    )
    .await;
    let done = done.expect("commits");
    assert_eq!(
        (done.version, done.rows, done.outcome),
        (0, 1, CommitOutcome::New)
    );
}

#[tokio::test]
async fn a_listing_that_lags_behind_costs_a_try_and_no_commit() {
    let objects = Arc::new(InMemory::new());
    let calm = Odds {
        refused: 0,
        unheard: 0,
        disowned: 0,
        late: 0,
        unread: 0,
        torn: 0,
        unlisted: 0,
        stale: 1000,
        slow: 0,
    };
    let put = async |seed| {
        let store = faulty(&objects, calm, 1);
        let rows = vec![row(seed, "a", 1.0)];
        let done = commit(&store, rows, WriteMode::Upsert, provenance("s", seed)).await;
        done.expect("commits")
    };
    let told = [put(1).await, put(1).await, put(2).await, put(2).await];
    let told = told.map(|done| (done.version, done.outcome));
    let (new, adopted) = (CommitOutcome::New, CommitOutcome::Adopted);
    assert_eq!(told, [(0, new), (0, adopted), (1, new), (1, adopted)]);
}
