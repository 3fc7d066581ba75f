//! Upsert: which rows change, and which files must be written anew.

use std::collections::HashMap;

use futures::{StreamExt as _, TryStreamExt as _};
use polars::prelude::{DataFrame, PolarsResult};

use super::stats::Keys;
use super::{DataFile, Log, PARALLEL, Snapshot};
use crate::error::StoreError;
use crate::{frame, order, rowhash};

/// What an upsert does to a version.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Files that go.
    pub(crate) removed: Vec<DataFile>,
    /// Contents of files that come, each already in key order.
    pub(crate) frames: Vec<DataFrame>,
}

/// The new rows, found by key.
struct Incoming<'a> {
    rows: &'a DataFrame,
    hashes: Vec<u128>,
    by_key: HashMap<u128, usize>,
    placed: Vec<bool>,
}

impl Log {
    /// The change that upserting `rows` (unique keys, `base`'s columns) makes.
    pub(crate) async fn upsert(
        &self,
        base: &Snapshot,
        rows: &DataFrame,
    ) -> Result<Change, StoreError> {
        let combine = |source| self.columns("combine", source);
        let keys = Keys::of(&base.schema, rows).map_err(combine)?;
        let mut incoming = Incoming::new(rows, &base.schema.key()).map_err(combine)?;
        let mut change = Change::default();
        let hit = base
            .files
            .iter()
            .filter(|f| keys.may_be_in(&base.schema, &f.stats));
        let hit: Vec<DataFile> = hit.cloned().collect();
        let mut read = futures::stream::iter(hit)
            .map(|file| async { self.read_file(base, &file).await.map(|rows| (file, rows)) })
            .buffered(PARALLEL);
        while let Some((file, stored)) = read.try_next().await? {
            let merged = incoming
                .merge(&stored, &base.schema.key())
                .map_err(combine)?;
            if let Some(merged) = merged {
                change.removed.push(file);
                if merged.height() > 0 {
                    change.frames.push(merged);
                }
            }
        }
        let fresh = incoming.unplaced();
        if !fresh.is_empty() {
            change
                .frames
                .push(frame::take(rows, &fresh).map_err(combine)?);
        }
        Ok(change)
    }
}

impl<'a> Incoming<'a> {
    fn new(rows: &'a DataFrame, key: &[&str]) -> PolarsResult<Self> {
        let keys = rowhash::rows(rows, Some(key))?;
        Ok(Self {
            rows,
            hashes: rowhash::rows(rows, None)?,
            by_key: keys
                .into_iter()
                .enumerate()
                .map(|(row, key)| (key, row))
                .collect(),
            placed: vec![false; rows.height()],
        })
    }

    /// A stored file with its changed rows replaced; `None` when none really changes.
    fn merge(&mut self, stored: &DataFrame, key: &[&str]) -> PolarsResult<Option<DataFrame>> {
        let (keys, hashes) = (
            rowhash::rows(stored, Some(key))?,
            rowhash::rows(stored, None)?,
        );
        let (mut kept, mut taken) = (Vec::with_capacity(keys.len()), Vec::new());
        for (row, key) in keys.iter().enumerate() {
            let Some(&new) = self.by_key.get(key) else {
                kept.push(row);
                continue;
            };
            // A key stored twice (by appends) ends up once.
            if std::mem::replace(&mut self.placed[new], true) {
                continue;
            }
            if self.hashes[new] == hashes[row] {
                kept.push(row)
            } else {
                taken.push(new)
            }
        }
        if kept.len() == keys.len() {
            return Ok(None);
        }
        let mut merged = frame::take(stored, &kept)?;
        merged.vstack_mut(&frame::take(self.rows, &taken)?)?;
        order::arranged(merged, key).map(|merged| Some(merged.frame))
    }

    fn unplaced(&self) -> Vec<usize> {
        (0..self.placed.len())
            .filter(|&row| !self.placed[row])
            .collect()
    }
}
