//! The store's contract as functions: every kind of store runs the same suite.

use chrono::{DateTime, Utc};
use mixline_schema::catalog::Controls;
use mixline_schema::{Digest, Provenance, WriteMode};

use crate::{CommitOutcome, Committed, Retention, Store, StoreError, Table};

/// A provenance for tests: `slot`, and a fingerprint made from `seed`.
#[must_use]
pub fn provenance(slot: &str, seed: u64) -> Provenance {
    Provenance {
        step: "test".into(),
        code_version: "0".into(),
        run: None,
        slot: slot.into(),
        fingerprint: Digest::of_bytes(format!("{slot} {seed}").as_bytes()),
        inputs: Vec::new(),
        window: None,
        seed,
        forced: false,
        committed_at: DateTime::<Utc>::UNIX_EPOCH,
    }
}

/// A row of `controls`.
///
/// # Panics
/// Never: the first day exists.
#[must_use]
pub fn row(day: u64, control: &str, value: f64) -> Controls {
    let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    let date = first + chrono::Days::new(day);
    Controls {
        date,
        geo: "all".into(),
        control: control.into(),
        value,
    }
}

/// Commits rows of `controls`.
///
/// # Errors
/// What the store said.
pub async fn commit(
    store: &Store,
    rows: Vec<Controls>,
    mode: WriteMode,
    provenance: Provenance,
) -> Result<Committed, StoreError> {
    let table = Table::from_rows(rows)?;
    store.log("controls")?.commit(table, mode, provenance).await
}

/// Runs the whole contract against a store that holds no `controls` yet.
///
/// # Panics
/// When the store breaks the contract.
pub async fn store_suite(store: &Store) {
    store.probe().await.expect("conditional creates work");
    let log = store.log("controls").expect("a legal name");
    assert_eq!(log.head().await.expect("lists"), None);
    assert!(log.snapshot(None).await.is_err(), "nothing to read yet");

    let put = async |rows, mode, seed| {
        commit(store, rows, mode, provenance("suite", seed))
            .await
            .expect("commits")
    };
    let two = || vec![row(0, "price", 1.0), row(1, "price", 2.0)];
    let first = put(two(), WriteMode::Replace, 0).await;
    assert_eq!(
        (first.version, first.rows, first.outcome),
        (0, 2, CommitOutcome::New)
    );
    let adopted = put(two(), WriteMode::Replace, 0).await;
    assert_eq!(
        (adopted.version, adopted.outcome),
        (0, CommitOutcome::Adopted)
    );
    let same = put(two(), WriteMode::Upsert, 1).await;
    assert_eq!((same.version, same.outcome), (1, CommitOutcome::Unchanged));
    assert_eq!(same.digest, first.digest);

    let rows = vec![row(1, "price", 5.0), row(2, "promo", 1.0)];
    let upserted = put(rows, WriteMode::Upsert, 2).await;
    assert_eq!((upserted.version, upserted.rows), (2, 3));
    let rows = log
        .read_table::<Controls>(None)
        .await
        .expect("reads")
        .rows();
    assert_eq!(
        rows,
        [
            row(0, "price", 1.0),
            row(1, "price", 5.0),
            row(2, "promo", 1.0)
        ]
    );
    let appended = put(vec![row(9, "promo", 0.0)], WriteMode::Append, 3).await;
    assert_eq!((appended.version, appended.rows), (3, 4));

    let old = log
        .read_table::<Controls>(Some(0))
        .await
        .expect("old versions read")
        .rows();
    assert_eq!(old, two());
    assert_eq!(log.history(Some(1)).await.expect("reads").len(), 2);
    log.set_alias("champion", 1).await.expect("sets");
    log.set_alias("champion", 2).await.expect("moves");
    assert_eq!(log.alias("champion").await.expect("reads"), Some(2));
    assert_eq!(store.artifacts().await.expect("lists"), ["controls"]);

    assert!(log.compact_log().await.expect("folds").is_some());
    assert_eq!(
        log.snapshot(None).await.expect("reads").digest,
        appended.digest
    );
    assert_eq!(
        log.read_table::<Controls>(None).await.expect("reads").len(),
        4
    );
    references(store).await;
    objects(store).await;
    collection(store).await;
    racers(store).await;
}

/// What a name, a version and an alias mean, and what is said of those that do not exist.
async fn references(store: &Store) {
    let resolve = async |text: &str| {
        let reference = text.parse().expect("a reference");
        let found = store.resolve(&reference).await;
        found.map(|(_, version)| version)
    };
    for (text, version) in [("controls", 3), ("controls@0", 0), ("controls@champion", 2)] {
        assert_eq!(resolve(text).await.expect("resolves"), version, "{text}");
    }
    let late = resolve("controls@9").await;
    assert!(
        matches!(late, Err(StoreError::NoVersion { head: 3, .. })),
        "{late:?}"
    );
    let alias = resolve("controls@nobody").await;
    assert!(
        matches!(alias, Err(StoreError::NoAlias { .. })),
        "{alias:?}"
    );
    let absent = resolve("orders").await;
    assert!(
        matches!(absent, Err(StoreError::NoArtifact { .. })),
        "{absent:?}"
    );
}

/// Plain objects: written over, read, listed, absent, removed.
async fn objects(store: &Store) {
    for text in ["first", "second"] {
        let put = store.put_object("_runs/r/a/1.log", text.into()).await;
        put.expect("writes");
    }
    let read = store.get_object("_runs/r/a/1.log").await.expect("reads");
    assert_eq!(read.as_deref(), Some(&b"second"[..]));
    assert_eq!(store.get_object("_runs/none").await.expect("reads"), None);
    let listed = store.list_objects("_runs").await.expect("lists");
    assert_eq!(listed, ["_runs/r/a/1.log"]);
    assert!(store.list_objects("_none").await.expect("lists").is_empty());
    let other = store.put_object("_runs/other/a/1.log", "kept".into()).await;
    other.expect("writes");
    for _ in 0..2 {
        store.remove_objects("_runs/r").await.expect("removes");
    }
    let left = store.list_objects("_runs").await.expect("lists");
    assert_eq!(left, ["_runs/other/a/1.log"]);
}

/// Files that only old versions need go; the newest version and the aliased one stay.
async fn collection(store: &Store) {
    let log = store.log("controls").expect("a legal name");
    let policy = Retention {
        keep_last: 1,
        min_age: chrono::TimeDelta::zero(),
        pins: std::collections::BTreeSet::new(),
    };
    let later = DateTime::<Utc>::MAX_UTC;
    let plan = log.gc(&policy, later, true).await.expect("plans");
    assert!(plan.dry_run && !plan.removed.is_empty(), "{plan:?}");
    let done = log.gc(&policy, later, false).await.expect("collects");
    assert_eq!(done.removed, plan.removed);
    log.read(None).await.expect("the head reads");
    log.read(Some(2)).await.expect("the aliased version reads");
    let gone = log.read(Some(0)).await;
    assert!(
        matches!(gone, Err(StoreError::Collected { .. })),
        "{gone:?}"
    );
}

/// Committers at once: one order without a gap, and every row there.
async fn racers(store: &Store) {
    const RACERS: u64 = 12;
    let racers = (0..RACERS).map(|racer| {
        // Another process has read nothing yet.
        let store = Store::over(store.url(), std::sync::Arc::clone(store.objects()));
        async move {
            let rows = vec![row(100 + racer, "race", 1.0)];
            let at = provenance(&format!("race {racer}"), racer);
            commit(&store, rows, WriteMode::Upsert, at).await
        }
    });
    let done = futures::future::join_all(racers).await;
    let mut versions: Vec<u64> = done
        .into_iter()
        .map(|done| done.expect("commits").version)
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (4..4 + RACERS).collect::<Vec<_>>());
    let log = store.log("controls").expect("a legal name");
    let rows = log.read_table::<Controls>(None).await.expect("reads").len();
    assert_eq!(rows as u64, 4 + RACERS);
}
