//! Reading a version in key order without ever holding all of it.
//!
//! Each data file is in key order, but files may overlap: an upsert puts new rows into files of
//! their own. So files are merged: of every open file the next rows are in memory, and what is
//! complete in all of them goes out. No value of the first key column is spread over two pieces, so
//! whoever reads a table by customer sees each customer whole.
//!
//! ```text
//! file 1  a a b | c d …           | what is in memory ends here
//! file 2  a c c c c | e …         complete below c: a a a b goes out
//! ```
//!
//! Memory: about two pieces of every file that holds the present key. Files that do not overlap,
//! as one big commit writes them, are open one at a time.

use std::cmp::Ordering;
use std::collections::VecDeque;

use bytes::Bytes;
use polars::prelude::{AnyValue, DataFrame, PolarsResult};

use super::{DataFile, Log, Snapshot};
use crate::error::StoreError;
use crate::{order, parquet};

/// Rows read from a file at a time; a row group.
const ROWS: usize = parquet::ROW_GROUP;

/// A version, read piece by piece.
#[derive(Debug)]
pub struct Merge {
    log: Log,
    at: Snapshot,
    /// Files not opened yet, by lowest key.
    closed: VecDeque<DataFile>,
    open: Vec<Cursor>,
}

/// A file that is being read.
#[derive(Debug)]
struct Cursor {
    bytes: Bytes,
    rows: usize,
    read: usize,
    /// Rows read and not yet gone out.
    held: DataFrame,
}

impl Log {
    /// The rows of a version in key order, piece by piece; `None` means the newest.
    ///
    /// # Errors
    /// As [`Log::read_as`].
    pub async fn merge(
        &self,
        spec: &mixline_schema::ArtifactSpec,
        version: Option<u64>,
    ) -> Result<Merge, StoreError> {
        let at = self.snapshot_as(spec, version).await?;
        let mut closed = at.files.clone();
        // A file without a known lowest key comes first: nothing says that it can wait.
        closed.sort_by(|a, b| lowest(&at, a).cmp(&lowest(&at, b)));
        Ok(Merge {
            log: self.clone(),
            closed: closed.into(),
            at,
            open: Vec::new(),
        })
    }
}

/// The lowest value of a file's first key column, as its statistics give it.
fn lowest<'a>(at: &Snapshot, file: &'a DataFile) -> Option<&'a str> {
    let first = at.schema.key.first()?;
    file.stats["minValues"][first].as_str()
}

impl Merge {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What the store said; [`StoreError::Columns`].
    pub async fn next(&mut self) -> Result<Option<DataFrame>, StoreError> {
        loop {
            if self.open.is_empty() && !self.open_next().await? {
                return Ok(None);
            }
            if self.waits_for_a_file() {
                self.open_next().await?;
                continue;
            }
            let piece = self.complete();
            if let Some(piece) = piece.map_err(|source| self.log.columns("combine", source))? {
                return Ok(Some(piece));
            }
        }
    }

    async fn open_next(&mut self) -> Result<bool, StoreError> {
        let Some(file) = self.closed.pop_front() else {
            return Ok(false);
        };
        let bytes = self.log.file_bytes(&self.at, &file).await?;
        let mut cursor = Cursor {
            bytes,
            rows: file.rows as usize,
            read: 0,
            held: DataFrame::empty(),
        };
        cursor
            .extend(&self.at)
            .map_err(|source| self.log.columns("decode", source))?;
        self.open.push(cursor);
        Ok(true)
    }

    /// Whether a closed file may hold keys as low as some that are in memory.
    fn waits_for_a_file(&self) -> bool {
        let Some(next) = self.closed.front() else {
            return false;
        };
        let Some(next) = lowest(&self.at, next) else {
            return true;
        };
        let Some(first) = self.at.schema.key.first() else {
            return true;
        };
        let ends = self
            .open
            .iter()
            .filter_map(|cursor| cursor.key(first, cursor.held.height().checked_sub(1)?));
        // Only texts are told from their statistics; others wait for every file.
        ends.into_iter().any(|end| match end {
            AnyValue::String(end) => end >= next,
            AnyValue::StringOwned(end) => end.as_str() >= next,
            _ => true,
        })
    }

    /// What is complete in all open files; `None` when more must be read first, which it does.
    fn complete(&mut self) -> PolarsResult<Option<DataFrame>> {
        let key = self.at.schema.key();
        let Some(first) = key.first() else {
            return self.whole();
        };
        let mut limit: Option<AnyValue<'static>> = None;
        for cursor in self.open.iter().filter(|cursor| !cursor.is_exhausted()) {
            let end = cursor.key(first, cursor.held.height().saturating_sub(1));
            if let Some(end) = end.map(AnyValue::into_static)
                && limit.as_ref().is_none_or(|limit| before(&end, limit))
            {
                limit = Some(end);
            }
        }
        let mut pieces = Vec::new();
        for cursor in &mut self.open {
            let rows = cursor.rows_before(first, limit.as_ref());
            if rows > 0 {
                pieces.push(cursor.take(rows));
            }
        }
        for cursor in &mut self.open {
            // Whoever set the limit has nothing left below it.
            let end = cursor.key(first, cursor.held.height().saturating_sub(1));
            let at_limit = end.map(AnyValue::into_static) == limit || cursor.held.height() == 0;
            if !cursor.is_exhausted() && at_limit {
                cursor.extend(&self.at)?;
            }
        }
        self.open
            .retain(|cursor| cursor.held.height() > 0 || !cursor.is_exhausted());
        merged(pieces, &key)
    }

    /// Tables without a key: file by file.
    fn whole(&mut self) -> PolarsResult<Option<DataFrame>> {
        let Some(cursor) = self.open.first_mut() else {
            return Ok(None);
        };
        let rows = cursor.held.height();
        let piece = cursor.take(rows);
        if cursor.is_exhausted() {
            self.open.remove(0);
        } else {
            cursor.extend(&self.at)?;
        }
        Ok((rows > 0).then_some(piece))
    }
}

impl Cursor {
    fn is_exhausted(&self) -> bool {
        self.read >= self.rows
    }

    /// Reads some more rows.
    fn extend(&mut self, at: &Snapshot) -> PolarsResult<()> {
        let rows = ROWS.min(self.rows - self.read);
        let more = parquet::decode_slice(self.bytes.clone(), self.read, rows)?;
        let more = at.schema.conform(&more)?;
        self.read += rows;
        if self.held.height() == 0 {
            self.held = more;
        } else {
            self.held.vstack_mut(&more)?;
        }
        if self.is_exhausted() {
            self.bytes = Bytes::new();
        }
        Ok(())
    }

    fn key(&self, first: &str, row: usize) -> Option<AnyValue<'_>> {
        self.held.column(first).ok()?.get(row).ok()
    }

    /// How many of the held rows come before a key; all of them without one.
    fn rows_before(&self, first: &str, limit: Option<&AnyValue<'_>>) -> usize {
        let Some(limit) = limit else {
            return self.held.height();
        };
        let (mut low, mut high) = (0, self.held.height());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(first, middle) {
                Some(key) if before(&key, limit) => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    fn take(&mut self, rows: usize) -> DataFrame {
        let taken = self.held.slice(0, rows);
        self.held = self.held.slice(rows as i64, usize::MAX);
        taken
    }
}

fn before(a: &AnyValue<'_>, b: &AnyValue<'_>) -> bool {
    a.partial_cmp(b) == Some(Ordering::Less)
}

/// Pieces of several files as one, in key order.
fn merged(pieces: Vec<DataFrame>, key: &[&str]) -> PolarsResult<Option<DataFrame>> {
    let mut pieces = pieces.into_iter();
    let Some(mut all) = pieces.next() else {
        return Ok(None);
    };
    let mut several = false;
    for piece in pieces {
        all.vstack_mut(&piece)?;
        several = true;
    }
    if several {
        all = order::arranged(all, key)?.frame;
    }
    Ok(Some(all))
}
