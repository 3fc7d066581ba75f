//! A store that fails at random, also after it has done what it was asked: the log must come out
//! whole. Every commit that reports success is there exactly once; one that reports failure may be
//! there or not, but never twice, and no version is ever half written.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use mixline_artifact::testing::{commit, provenance, row};
use mixline_artifact::{CommitOutcome, Store};
use mixline_schema::WriteMode;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Fails about one write in three, half of the time after writing.
#[derive(Debug)]
struct Flaky {
    inner: Arc<InMemory>,
    dice: AtomicU64,
}

impl Flaky {
    fn over(inner: Arc<InMemory>, seed: u64) -> Store {
        Store::over(
            "memory:",
            Arc::new(Self {
                inner,
                dice: AtomicU64::new(seed),
            }),
        )
    }

    /// The next number of a fixed sequence (SplitMix64).
    fn roll(&self) -> u64 {
        let mut z = self
            .dice
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn broken() -> Error {
    Error::Generic {
        store: "flaky",
        source: "503 slow down".into(),
    }
}

impl fmt::Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flaky")
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(&self, at: &Path, what: PutPayload, how: PutOptions) -> Result<PutResult> {
        match self.roll() % 6 {
            0 => Err(broken()),
            1 => {
                // Done, but the answer is lost; or a retry below us hears of its own success.
                let done = self.inner.put_opts(at, what, how).await;
                done.and(Err(broken()))
            }
            _ => self.inner.put_opts(at, what, how).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, how).await
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}

/// Committers that race over one flaky store; each retries its own work a few times.
async fn race(seed: u64) {
    let objects = Arc::new(InMemory::new());
    let workers = (0..8_u64).map(|worker| {
        let store = Flaky::over(Arc::clone(&objects), seed * 100 + worker);
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
