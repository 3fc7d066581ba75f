//! Committing: data files first, then a conditional create of the next entry, always read back.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use mixline_schema::{ArtifactSpec, Digest, Provenance, WriteMode};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};
use polars::prelude::{DataFrame, PolarsResult};
use uuid::Uuid;

use super::entry::{self, CommitNote, DataFile, Entry};
use super::schema::TableSchema;
use super::{Log, PARALLEL, Snapshot, stats};
use crate::error::StoreError;
use crate::pieces::{Held, InOrder, Rows};
use crate::{parquet, rowhash};

const ROWS_PER_FILE: usize = 1_000_000;
/// Data files encoded and written at a time.
const WRITERS: usize = 2;
const TRIES: u32 = 100;

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// A new version with new content.
    New,
    /// A new version with the content of the one before.
    Unchanged,
    /// The newest commit of the slot already had the fingerprint; nothing was written.
    Adopted,
}

/// A version that now exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Version.
    pub version: u64,
    /// Rows of the whole table.
    pub rows: u64,
    /// Content digest of the whole table.
    pub digest: Digest,
    /// How it came about.
    pub outcome: CommitOutcome,
}

/// A commit on its way: what does not depend on the version it lands on.
struct Draft<'a> {
    spec: &'a ArtifactSpec,
    rows: Held,
    mode: WriteMode,
    provenance: Provenance,
    id: String,
    /// Files of the rows as given, written at most once (replace and append).
    parts: Option<Vec<DataFile>>,
}

impl Log {
    /// Commits rows as the next version.
    ///
    /// # Errors
    /// [`StoreError::SchemaVersion`], [`StoreError::Schema`],
    /// [`StoreError::Contention`], or what the store said.
    pub async fn commit(
        &self,
        rows: impl Into<Rows>,
        mode: WriteMode,
        provenance: Provenance,
    ) -> Result<Committed, StoreError> {
        let rows: Rows = rows.into();
        let spec = rows.spec();
        // An upsert looks for each stored row among the new ones, so it needs them all.
        let rows = match mode {
            WriteMode::Upsert => Held::Whole(rows.whole()?.into_df()),
            _ => rows.held,
        };
        let id = Uuid::new_v4().to_string();
        let mut draft = Draft {
            spec,
            rows,
            mode,
            provenance,
            id,
            parts: None,
        };
        for attempt in 0..TRIES {
            let head = self.head().await?;
            if let Some(adopted) = self.adoptable(head, &draft.provenance).await? {
                return Ok(adopted);
            }
            let base = match head {
                Some(head) => Some(self.snapshot(Some(head)).await?),
                None => None,
            };
            if let Some(committed) = self.try_commit(&mut draft, base.as_ref()).await? {
                return Ok(committed);
            }
            tokio::time::sleep(jitter(attempt)).await;
        }
        Err(StoreError::Contention {
            name: self.name().to_owned(),
            tries: TRIES,
        })
    }

    /// The newest commit of the slot, when it has the fingerprint.
    async fn adoptable(
        &self,
        head: Option<u64>,
        provenance: &Provenance,
    ) -> Result<Option<Committed>, StoreError> {
        let Some(head) = head else { return Ok(None) };
        let newest_first = futures::stream::iter((0..=head).rev());
        let mut entries = newest_first
            .map(|version| async move { self.entry(version).await.map(|entry| (version, entry)) })
            .buffered(PARALLEL);
        while let Some((version, entry)) = entries.try_next().await? {
            let Some(note) = entry
                .note
                .as_ref()
                .filter(|n| n.provenance.slot == provenance.slot)
            else {
                continue;
            };
            let done = &note.provenance;
            // Forced work is done again, but not twice by one run that lost the answer.
            let again =
                provenance.forced && (provenance.run.is_none() || done.run != provenance.run);
            let same = done.fingerprint == provenance.fingerprint && !again;
            return Ok(same.then(|| Committed {
                version,
                rows: note.rows,
                digest: note.digest.clone(),
                outcome: CommitOutcome::Adopted,
            }));
        }
        Ok(None)
    }

    /// One try on top of `base`; `None` when somebody else took the number.
    async fn try_commit(
        &self,
        draft: &mut Draft<'_>,
        base: Option<&Snapshot>,
    ) -> Result<Option<Committed>, StoreError> {
        let at = draft.provenance.committed_at;
        let id = base.map_or_else(|| Uuid::new_v4().to_string(), |b| b.schema.id().to_owned());
        let schema = TableSchema::of(draft.spec, &id, at);
        self.admit(draft, base, &schema)?;
        let (removed, added) = self.changes(draft, base, &schema).await?;
        let files = base.map_or(&[][..], |b| &b.files);
        let live = files
            .iter()
            .filter(|f| !removed.iter().any(|r| r.path == f.path));
        let (rows, sum) = live.chain(&added).fold((0, 0_u128), |(rows, sum), file| {
            (rows + file.rows, sum.wrapping_add(file.sum))
        });
        let digest = rowhash::digest(draft.spec.name, draft.spec.schema_version, rows, sum);
        let unchanged = base.is_some_and(|b| b.digest == digest && b.schema.same_as(&schema));
        let mut actions = Vec::new();
        if base.is_none() {
            actions.push(entry::protocol_action());
        }
        if base.is_none_or(|b| !b.schema.same_as(&schema)) {
            actions.push(schema.action());
        }
        if !unchanged {
            actions.extend(removed.iter().map(|f| entry::remove_action(&f.path, at)));
            actions.extend(added.iter().map(|f| entry::add_action(f, at)));
        }
        actions.push(entry::info_action(&draft.note(rows, &digest)));
        let version = base.map_or(0, |b| b.version + 1);
        let won = self
            .create_entry(version, &draft.id, entry::lines(&actions))
            .await?;
        let outcome = if unchanged {
            CommitOutcome::Unchanged
        } else {
            CommitOutcome::New
        };
        Ok(won.then_some(Committed {
            version,
            rows,
            digest,
            outcome,
        }))
    }

    fn admit(
        &self,
        draft: &Draft<'_>,
        base: Option<&Snapshot>,
        schema: &TableSchema,
    ) -> Result<(), StoreError> {
        let Some(base) = base.filter(|_| draft.mode != WriteMode::Replace) else {
            return Ok(());
        };
        if base.schema.version != schema.version {
            return Err(StoreError::SchemaVersion {
                name: self.name().to_owned(),
                stored: base.schema.version,
                expected: schema.version,
            });
        }
        let error = |detail| StoreError::Schema {
            name: self.name().to_owned(),
            detail,
        };
        base.schema
            .obstacle(schema)
            .map_or(Ok(()), |detail| Err(error(detail)))
    }

    /// Files to remove and files (already written) to add.
    async fn changes(
        &self,
        draft: &mut Draft<'_>,
        base: Option<&Snapshot>,
        schema: &TableSchema,
    ) -> Result<(Vec<DataFile>, Vec<DataFile>), StoreError> {
        if let (WriteMode::Upsert, Some(base), Held::Whole(rows)) = (draft.mode, base, &draft.rows)
        {
            // Stored rows are read with the new columns, so that both sides have the same ones.
            let base = Snapshot {
                schema: schema.clone(),
                ..base.clone()
            };
            let change = self.upsert(&base, rows).await?;
            let mut added = Vec::new();
            for rows in change.frames {
                added.extend(self.write_parts(schema, slices(&rows)).await?);
            }
            return Ok((change.removed, added));
        }
        let removed = match (draft.mode, base) {
            (WriteMode::Replace, Some(base)) => base.files.clone(),
            _ => Vec::new(),
        };
        if let Some(parts) = &draft.parts {
            return Ok((removed, parts.clone()));
        }
        if let (WriteMode::Replace, Some(base), Held::Whole(rows)) = (draft.mode, base, &draft.rows)
        {
            // Equal content needs no files: the digest says so before anything is written.
            let digest = rowhash::digest_of(draft.spec, rows);
            let digest = digest.map_err(|e| self.columns("encode", e))?;
            if base.digest == digest && base.schema.same_as(schema) {
                return Ok((Vec::new(), Vec::new()));
            }
        }
        let parts = match &mut draft.rows {
            Held::Whole(rows) => self.write_parts(schema, slices(rows)).await?,
            Held::Pieces(pieces) => self.write_pieces(schema, pieces.taken()).await?,
        };
        draft.parts = Some(parts.clone());
        Ok((removed, parts))
    }

    async fn write_parts(
        &self,
        schema: &TableSchema,
        slices: impl Iterator<Item = DataFrame>,
    ) -> Result<Vec<DataFile>, StoreError> {
        futures::stream::iter(slices)
            .map(|slice| self.write_part(schema.clone(), slice))
            .buffered(WRITERS)
            .try_collect()
            .await
    }

    /// Writes piece after piece. The next one is made on a thread of its own while this one is
    /// encoded; no more than three are in memory.
    async fn write_pieces(
        &self,
        schema: &TableSchema,
        pieces: InOrder,
    ) -> Result<Vec<DataFile>, StoreError> {
        let (sender, mut made) = tokio::sync::mpsc::channel(1);
        let making = tokio::task::spawn_blocking(move || {
            for piece in pieces {
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        let mut parts = Vec::new();
        while let Some(piece) = made.recv().await {
            parts.extend(self.write_parts(schema, slices(&piece?)).await?);
        }
        match making.await {
            Ok(()) => Ok(parts),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Writes one data file. Encoding is work for a thread of its own: the next file is encoded
    /// while this one is on its way.
    async fn write_part(
        &self,
        schema: TableSchema,
        rows: DataFrame,
    ) -> Result<DataFile, StoreError> {
        let encoding = tokio::task::spawn_blocking(move || encode(&schema, rows));
        let encoded = match encoding.await {
            Ok(encoded) => encoded.map_err(|source| self.columns("encode", source))?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        let (file, bytes) = encoded;
        let path = self.path(&file.path);
        let put = self.store.objects().put(&path, bytes.into()).await;
        put.map_err(|source| StoreError::Io {
            action: "write",
            path: path.to_string(),
            source,
        })?;
        Ok(file)
    }

    /// Creates the entry of a version; `false` when it is somebody else's.
    ///
    /// Neither "exists" nor an error says whose the entry is: a retried request may find its own
    /// first success. So the entry is read back. When there is none the same bytes are tried again.
    /// Whosever it is, the version exists now, even if a listing should lag behind.
    async fn create_entry(&self, version: u64, id: &str, bytes: Bytes) -> Result<bool, StoreError> {
        let path = self.entry_path(version);
        let mut tries = 0;
        loop {
            let Err(source) = self.create(&path, bytes.clone()).await else {
                self.store.entries().saw_head(self.name(), version);
                return Ok(true);
            };
            match self.bytes(&path).await {
                Ok(found) => {
                    self.store.entries().saw_head(self.name(), version);
                    let entry = Entry::parse(path.as_ref(), &found)?;
                    return Ok(entry.note.is_some_and(|note| note.commit_id == id));
                }
                Err(_) if tries < 2 => tries += 1,
                Err(_) => {
                    return Err(StoreError::Io {
                        action: "write",
                        path: path.to_string(),
                        source,
                    });
                }
            }
            tokio::time::sleep(jitter(tries)).await;
        }
    }

    pub(super) async fn create(&self, path: &Path, bytes: Bytes) -> object_store::Result<()> {
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        self.store
            .objects()
            .put_opts(path, bytes.into(), options)
            .await
            .map(drop)
    }
}

impl Draft<'_> {
    fn note(&self, rows: u64, digest: &Digest) -> CommitNote {
        CommitNote {
            commit_id: self.id.clone(),
            mode: self.mode,
            rows,
            digest: digest.clone(),
            schema_version: self.spec.schema_version,
            provenance: self.provenance.clone(),
        }
    }
}

/// A frame in pieces of the size of a data file.
fn slices(rows: &DataFrame) -> impl Iterator<Item = DataFrame> {
    let starts = (0..rows.height()).step_by(ROWS_PER_FILE);
    starts.map(|start| rows.slice(start as i64, ROWS_PER_FILE))
}

/// A data file and its bytes, under a name nobody else uses.
fn encode(schema: &TableSchema, mut rows: DataFrame) -> PolarsResult<(DataFile, Bytes)> {
    let (sum, stats) = (rowhash::sum(&rows)?, stats::stats(schema, &rows)?);
    let bytes = parquet::encode(&mut rows)?;
    let file = DataFile {
        path: format!("part-{}.parquet", Uuid::new_v4()),
        size: bytes.len() as u64,
        rows: rows.height() as u64,
        sum,
        stats,
    };
    Ok((file, bytes))
}

/// A random wait that grows with the number of lost races.
fn jitter(attempt: u32) -> Duration {
    let random = u64::from(Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis(random * u64::from(attempt.min(8) + 1) / 16)
}
