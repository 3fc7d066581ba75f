//! An object store over which things go wrong, by dice: the same seed gives the same faults for the
//! same calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

/// How often something goes wrong, in per mille of calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Odds {
    /// Writes that fail and wrote nothing: 500, 503, a connection that was never made.
    pub(crate) refused: u64,
    /// Writes that were done, and whose answer was lost: a time-out, a torn connection.
    pub(crate) unheard: u64,
    /// Writes that were done and then retried below us, so that the true owner is told 412 (a
    /// precondition) or 409 (it exists).
    pub(crate) disowned: u64,
    /// Writes that fail now and are done later, when the sender has gone on: a request that was
    /// still under way.
    pub(crate) late: u64,
    /// Reads that fail before the first byte.
    pub(crate) unread: u64,
    /// Reads whose connection is torn in the middle.
    pub(crate) torn: u64,
    /// Listings that fail.
    pub(crate) unlisted: u64,
    /// Listings that do not show the newest objects yet.
    pub(crate) stale: u64,
    /// Calls that take some time before they do anything.
    pub(crate) slow: u64,
}

/// Everything goes wrong: a write in six, a read in thirty (an attempt makes dozens), a listing in
/// sixteen.
pub(crate) const ROUGH: Odds = Odds {
    refused: 50,
    unheard: 50,
    disowned: 40,
    late: 20,
    unread: 15,
    torn: 15,
    unlisted: 20,
    stale: 40,
    slow: 100,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Faulty<S> {
    inner: Arc<S>,
    odds: Odds,
    dice: AtomicU64,
    faults: Arc<AtomicU64>,
}

impl<S: ObjectStore> Faulty<S> {
    /// The store `inner` as seen over a bad connection; what goes wrong is counted in `faults`.
    pub(crate) fn over(inner: Arc<S>, odds: Odds, seed: u64, faults: Arc<AtomicU64>) -> Self {
        Self {
            inner,
            odds,
            dice: AtomicU64::new(seed),
            faults,
        }
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

    /// Which of the faults of these odds happens now, if one does.
    fn fault(&self, odds: &[u64]) -> Option<usize> {
        let mut dice = self.roll() % 1000;
        for (which, odds) in odds.iter().enumerate() {
            if dice < *odds {
                self.faults.fetch_add(1, Ordering::Relaxed);
                return Some(which);
            }
            dice -= odds;
        }
        None
    }

    async fn dawdle(&self) {
        if self.fault(&[self.odds.slow]).is_some() {
            tokio::time::sleep(Duration::from_millis(self.roll() % 8)).await;
        }
    }
}

fn broken(what: &'static str) -> Error {
    Error::Generic {
        store: "faulty",
        source: what.into(),
    }
}

/// What the owner is told whose first try was heard and whose second was refused.
fn disowned(at: &Path, dice: u64) -> Error {
    let path = at.to_string();
    match dice % 2 {
        0 => Error::AlreadyExists {
            path,
            source: "409 conflict".into(),
        },
        _ => Error::Precondition {
            path,
            source: "412 precondition failed".into(),
        },
    }
}

impl<S: ObjectStore> fmt::Display for Faulty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl<S: ObjectStore> ObjectStore for Faulty<S> {
    async fn put_opts(&self, at: &Path, what: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.dawdle().await;
        let odds = &self.odds;
        let conditional = how.mode == PutMode::Create;
        match self.fault(&[odds.refused, odds.unheard, odds.late, odds.disowned]) {
            None => self.inner.put_opts(at, what, how).await,
            Some(0) => Err(broken("503 slow down")),
            Some(2) => {
                let (inner, at) = (Arc::clone(&self.inner), at.clone());
                let wait = Duration::from_millis(self.roll() % 30);
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    inner.put_opts(&at, what, how).await
                });
                Err(broken("timed out"))
            }
            Some(3) if conditional => {
                let done = self.inner.put_opts(at, what, how).await;
                done.and(Err(disowned(at, self.roll())))
            }
            Some(_) => {
                let done = self.inner.put_opts(at, what, how).await;
                done.and(Err(broken("the connection was reset")))
            }
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
        self.dawdle().await;
        let fault = self.fault(&[self.odds.unread, self.odds.torn]);
        if fault == Some(0) {
            return Err(broken("500 internal error"));
        }
        let found = self.inner.get_opts(at, how).await?;
        match fault {
            Some(_) => tear(found, self.roll()).await,
            None => Ok(found),
        }
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}

impl<S: ObjectStore> Faulty<S> {
    fn listing(
        &self,
        found: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.fault(&[self.odds.unlisted, self.odds.stale]) {
            None => found,
            Some(0) => {
                let some = usize::try_from(self.roll() % 4).unwrap_or_default();
                let end = stream::once(async { Err(broken("the connection was reset")) });
                found.take(some).chain(end).boxed()
            }
            Some(_) => stale(found).boxed(),
        }
    }
}

/// The listing without the object that sorts last: in a log, the newest.
fn stale(
    found: BoxStream<'static, Result<ObjectMeta>>,
) -> impl stream::Stream<Item = Result<ObjectMeta>> {
    let all = async move {
        let mut all: Vec<Result<ObjectMeta>> = found.collect().await;
        let key = |object: &Result<ObjectMeta>| object.as_ref().ok().map(|o| o.location.clone());
        let last = all.iter().enumerate().max_by_key(|(_, object)| key(object));
        if let Some((last, _)) = last {
            drop(all.remove(last));
        }
        stream::iter(all)
    };
    stream::once(all).flatten()
}

/// The first half of the bytes, and then the end of the connection.
async fn tear(found: GetResult, dice: u64) -> Result<GetResult> {
    let (meta, range, attributes) = (
        found.meta.clone(),
        found.range.clone(),
        found.attributes.clone(),
    );
    let extensions = found.extensions.clone();
    let bytes = found.bytes().await?;
    let half = usize::try_from(dice).unwrap_or(0) % bytes.len().max(1);
    let parts: Vec<Result<Bytes>> = vec![
        Ok(bytes.slice(..half)),
        Err(broken("the connection was reset")),
    ];
    Ok(GetResult {
        payload: GetResultPayload::Stream(stream::iter(parts).boxed()),
        meta,
        range,
        attributes,
        extensions,
    })
}
