//! A table that is read piece by piece, for tables that shall never be in memory as a whole.
//!
//! The counterpart of [`Pieces`](crate::Pieces): pieces come in key order, and no value of the first
//! key column is spread over two of them. The next piece is read while the one before is worked on.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use mixline_schema::Artifact;
use polars::prelude::DataFrame;
use tokio::runtime::Handle;

use crate::error::StoreError;
use crate::log::Log;
use crate::table::Table;

type Frames = Box<dyn Iterator<Item = Result<DataFrame, StoreError>> + Send>;
type Open = Arc<dyn Fn() -> Frames + Send + Sync>;

/// A table's pieces before they are checked against a declaration.
#[derive(Clone)]
pub struct Stream {
    open: Open,
}

impl Stream {
    /// The pieces of a version. Must be made where a tokio runtime is; may be read anywhere.
    #[must_use]
    pub fn of_version(log: Log, spec: &'static mixline_schema::ArtifactSpec, version: u64) -> Self {
        let runtime = Handle::current();
        let open = move || -> Frames {
            let (log, runtime) = (log.clone(), runtime.clone());
            // One piece waits here while the reader works on another.
            let (sender, receiver) = sync_channel(1);
            std::thread::spawn(move || {
                runtime.block_on(async {
                    let mut merge = match log.merge(spec, Some(version)).await {
                        Ok(merge) => merge,
                        Err(error) => return drop(sender.send(Err(error))),
                    };
                    while let Some(piece) = merge.next().await.transpose() {
                        let failed = piece.is_err();
                        // A reader that has gone wants no more.
                        if sender.send(piece).is_err() || failed {
                            return;
                        }
                    }
                });
            });
            Box::new(receiver.into_iter())
        };
        Self {
            open: Arc::new(open),
        }
    }

    /// The pieces of a frame in key order, of about `rows` rows each.
    #[must_use]
    pub fn of_frame(frame: DataFrame, key: Option<&'static str>, rows: usize) -> Self {
        let open = move || -> Frames {
            let (frame, mut start) = (frame.clone(), 0);
            Box::new(std::iter::from_fn(move || {
                if start >= frame.height() {
                    return None;
                }
                let end = end_of_piece(&frame, key, start, rows.max(1));
                let piece = frame.slice(start as i64, end - start);
                start = end;
                Some(Ok(piece))
            }))
        };
        Self {
            open: Arc::new(open),
        }
    }
}

/// Where a piece that begins at `start` ends: after `rows` rows or, if the key goes on, with it.
fn end_of_piece(frame: &DataFrame, key: Option<&str>, start: usize, rows: usize) -> usize {
    let mut end = (start + rows).min(frame.height());
    let Some(column) = key.and_then(|key| frame.column(key).ok()) else {
        return end;
    };
    while end < frame.height() && column.get(end).ok() == column.get(end - 1).ok() {
        end += 1;
    }
    end
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

/// A table of one artifact, read piece by piece, as often as needed.
#[derive(Clone)]
pub struct Batches<A: Artifact> {
    stream: Stream,
    rows: PhantomData<fn() -> A>,
}

impl<A: Artifact> Batches<A> {
    /// The pieces of a stream of this artifact.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            rows: PhantomData,
        }
    }

    /// The pieces, from the first, each checked against the declaration.
    ///
    /// Each item may fail: the store may not answer ([`StoreError`]), or rows may break the
    /// contract ([`StoreError::Contract`]).
    pub fn iter(&self) -> impl Iterator<Item = Result<Table<A>, StoreError>> + Send + use<A> {
        (self.stream.open)().map(|piece| Ok(Table::parse(piece?)?))
    }
}

impl<A: Artifact> From<Table<A>> for Batches<A> {
    fn from(table: Table<A>) -> Self {
        let key = A::spec().key.first().copied();
        Self::new(Stream::of_frame(table.into_df(), key, ROWS))
    }
}

/// Rows of a piece that is cut from a table in memory.
const ROWS: usize = 250_000;

impl<A: Artifact> fmt::Debug for Batches<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batches<{}>", A::NAME)
    }
}
