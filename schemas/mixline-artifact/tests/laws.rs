//! Laws of the log, over random histories: what a version holds, when two versions are equal, and
//! what garbage collection may take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use mixline_artifact::testing::{commit, provenance, row};
use mixline_artifact::{Retention, Store, StoreError};
use mixline_schema::WriteMode;
use mixline_schema::catalog::Controls;
use object_store::memory::InMemory;
use proptest::prelude::*;

/// Rows of one commit: day, control, value.
type Rows = Vec<(u64, u8, i8)>;

/// The same table kept the simple way.
type Model = BTreeMap<(u64, u8), i8>;

fn controls(rows: &Model) -> Vec<Controls> {
    rows.iter()
        .map(|((day, name), v)| row(*day, &format!("c{name}"), f64::from(*v)))
        .collect()
}

fn commits() -> impl Strategy<Value = Vec<(bool, Rows)>> {
    let rows = proptest::collection::vec((0_u64..6, 0_u8..3, -2_i8..3), 0..8);
    proptest::collection::vec((proptest::bool::weighted(0.8), rows), 1..8)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_version_holds_what_a_map_would_hold_and_digests_tell_contents_apart(
        history in commits()
    ) {
        block_on(async {
            let store = Store::in_memory();
            let mut model = Model::new();
            let mut versions: Vec<Model> = Vec::new();
            for (place, (upsert, rows)) in history.iter().enumerate() {
                let given: Model = rows.iter().map(|(day, name, v)| ((*day, *name), *v)).collect();
                if *upsert { model.extend(&given) } else { model.clone_from(&given) }
                let mode = if *upsert { WriteMode::Upsert } else { WriteMode::Replace };
                let at = provenance("slot", place as u64);
                let done = commit(&store, controls(&given), mode, at).await.expect("commits");
                assert_eq!(done.version, place as u64);
                assert_eq!(done.rows, model.len() as u64);
                versions.push(model.clone());
            }
            let log = store.log("controls").expect("a legal name");
            let records = log.history(None).await.expect("reads");
            for (version, expected) in versions.iter().enumerate() {
                let table = log.read_table::<Controls>(Some(version as u64)).await.expect("reads");
                assert_eq!(table.rows(), controls(expected));
                assert_eq!(table.digest(), records[version].digest, "the digest is the content's");
            }
            for (a, left) in versions.iter().enumerate() {
                for (b, right) in versions.iter().enumerate() {
                    assert_eq!(left == right, records[a].digest == records[b].digest);
                }
            }
        });
    }
}

/// Sixteen versions, each a replacement; `champion` points at version 2.
async fn sixteen() -> Store {
    let store = Store::in_memory();
    for version in 0..16 {
        let rows = vec![row(version, "a", 1.0)];
        commit(&store, rows, WriteMode::Replace, provenance("s", version))
            .await
            .expect("commits");
    }
    store
        .log("controls")
        .expect("legal")
        .set_alias("champion", 2)
        .await
        .expect("sets");
    store
}

fn policy(pins: &[u64]) -> Retention {
    let pins: BTreeSet<_> = pins.iter().map(|v| ("controls".to_owned(), *v)).collect();
    Retention {
        keep_last: 3,
        min_age: TimeDelta::hours(1),
        pins,
    }
}

/// Long after every commit.
fn later() -> DateTime<Utc> {
    DateTime::from_timestamp(32_503_680_000, 0).expect("the year 3000")
}

#[tokio::test]
async fn gc_takes_what_nobody_keeps_and_says_so_to_whoever_asks_for_it() {
    let store = sixteen().await;
    let log = store.log("controls").expect("legal");
    let trial = log.gc(&policy(&[5]), later(), true).await.expect("counts");
    assert_eq!(
        trial.removed.len(),
        16 - 5,
        "three newest, the alias and the pin stay"
    );
    log.read(Some(0)).await.expect("a dry run removes nothing");
    let report = log
        .gc(&policy(&[5]), later(), false)
        .await
        .expect("collects");
    assert_eq!(report.removed, trial.removed);
    assert_eq!(report.kept, BTreeSet::from([2, 5, 13, 14, 15]));
    for kept in report.kept {
        log.read(Some(kept)).await.expect("kept versions read");
    }
    let error = log.read(Some(7)).await.expect_err("it is gone");
    assert!(
        matches!(error, StoreError::Collected { version: 7, .. }),
        "{error}"
    );
    assert_eq!(
        log.history(None).await.expect("reads").len(),
        16,
        "the history stays"
    );
}

#[tokio::test]
async fn gc_leaves_young_files_alone_and_keeps_what_kept_versions_were_made_from() {
    let store = sixteen().await;
    let log = store.log("controls").expect("legal");
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let report = log.gc(&policy(&[]), now, false).await.expect("looks");
    assert!(
        report.removed.is_empty(),
        "all files are younger than an hour"
    );

    let mut made = provenance("made", 1);
    let (artifact, digest) = (
        "controls".to_owned(),
        log.commit_info(4).await.expect("reads").digest,
    );
    made.inputs = vec![mixline_schema::InputRef {
        port: "in".into(),
        artifact,
        version: 4,
        digest,
    }];
    let outcome = store.log("outcome").expect("legal");
    let frame = mixline_artifact::Table::<mixline_schema::catalog::Outcome>::empty();
    outcome
        .commit(frame, WriteMode::Replace, made)
        .await
        .expect("commits");
    let report = log
        .gc(&policy(&[]), later(), false)
        .await
        .expect("collects");
    assert_eq!(report.kept, BTreeSet::from([2, 4, 13, 14, 15]));
}

#[tokio::test]
async fn a_long_log_reads_the_same_after_compaction() {
    let objects = Arc::new(InMemory::new());
    let store = Store::over("memory:", objects.clone());
    for version in 0..60 {
        let rows = vec![row(version % 7, "a", version as f64)];
        commit(&store, rows, WriteMode::Upsert, provenance("s", version))
            .await
            .expect("commits");
    }
    let log = store.log("controls").expect("legal");
    let before = log
        .read_table::<Controls>(None)
        .await
        .expect("reads")
        .rows();
    assert_eq!(log.compact_log().await.expect("folds"), Some((0, 59)));
    let rows = vec![row(3, "a", -1.0)];
    commit(&store, rows, WriteMode::Upsert, provenance("s", 60))
        .await
        .expect("commits");
    // A reader that has seen none of it.
    let fresh = Store::over("memory:", objects);
    let log = fresh.log("controls").expect("legal");
    assert_eq!(
        log.read_table::<Controls>(Some(59))
            .await
            .expect("reads")
            .rows(),
        before
    );
    assert_eq!(
        log.read_table::<Controls>(None).await.expect("reads").len(),
        before.len()
    );
}
