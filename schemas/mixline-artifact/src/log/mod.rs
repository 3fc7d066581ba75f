//! The commit log of one artifact: a Delta table's `_delta_log`.
//!
//! The entry is the commit. Data files are written first, under names nobody else uses; a
//! conditional create of the next number then makes them visible, all at once or not at all.

mod alias;
mod compact;
mod entry;
mod gc;
mod merge;
mod schema;
mod stats;
mod upsert;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use mixline_schema::{Artifact, ArtifactSpec, Digest, Provenance, WriteMode};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use polars::prelude::DataFrame;

pub use entry::DataFile;
use entry::Entry;
pub(crate) use entry::EntryCache;
pub use gc::{GcReport, Retention};
pub use merge::Merge;
use schema::TableSchema;
pub use write::{CommitOutcome, Committed};

use crate::error::StoreError;
use crate::store::Store;
use crate::table::Table;
use crate::{order, parquet};

/// How many objects are read at a time.
const PARALLEL: usize = 16;

/// The versions of one artifact. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Log {
    store: Store,
    name: Arc<str>,
}

/// What the log says about one version.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRecord {
    /// Version.
    pub version: u64,
    /// Delta's word for what was done.
    pub operation: String,
    /// Write mode; absent when another program committed.
    pub mode: Option<WriteMode>,
    /// Rows of the whole table after the commit.
    pub rows: u64,
    /// Content digest of the whole table.
    pub digest: Digest,
    /// Where it came from; absent when another program committed.
    pub provenance: Option<Provenance>,
    /// When it was committed.
    pub timestamp: DateTime<Utc>,
}

/// What a version consists of.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Version.
    pub version: u64,
    /// Data files.
    pub files: Vec<DataFile>,
    /// Rows.
    pub rows: u64,
    /// Content digest.
    pub digest: Digest,
    /// Schema version of the stored rows.
    pub schema_version: u32,
    pub(crate) schema: TableSchema,
}

impl Log {
    pub(crate) fn new(store: Store, name: &str) -> Self {
        Self {
            store,
            name: name.into(),
        }
    }

    /// The artifact's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn path(&self, below: &str) -> Path {
        Path::from(format!("{}/{below}", self.name))
    }

    fn entry_path(&self, version: u64) -> Path {
        self.path(&format!("_delta_log/{version:020}.json"))
    }

    /// File names below a folder of the table, sorted.
    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let prefix = self.path(folder);
        let io = |source| StoreError::Io {
            action: "list",
            path: prefix.to_string(),
            source,
        };
        let listed: Vec<_> = self
            .store
            .objects()
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(io)?;
        let names = listed
            .iter()
            .filter_map(|o| o.location.filename().map(str::to_owned));
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }

    async fn bytes(&self, path: &Path) -> Result<bytes::Bytes, StoreError> {
        let io = |source| StoreError::Io {
            action: "read",
            path: path.to_string(),
            source,
        };
        self.store
            .objects()
            .get(path)
            .await
            .map_err(io)?
            .bytes()
            .await
            .map_err(io)
    }

    /// The newest version; `None` when nothing was committed yet.
    ///
    /// # Errors
    /// What the store said.
    pub async fn head(&self) -> Result<Option<u64>, StoreError> {
        let mut head = self.store.entries().known_head(&self.name);
        let prefix = self.path("_delta_log");
        let io = |source| StoreError::Io {
            action: "list",
            path: prefix.to_string(),
            source,
        };
        let objects = self.store.objects();
        let mut listed = match head {
            Some(known) => objects.list_with_offset(Some(&prefix), &self.entry_path(known)),
            None => objects.list(Some(&prefix)),
        };
        while let Some(object) = listed.try_next().await.map_err(io)? {
            head = head.max(object.location.filename().and_then(version_of));
        }
        if let Some(head) = head {
            self.store.entries().saw_head(&self.name, head);
        }
        Ok(head)
    }

    async fn required_head(&self) -> Result<u64, StoreError> {
        match self.head().await? {
            Some(head) => Ok(head),
            None => Err(self.store.no_artifact(&self.name).await),
        }
    }

    /// The version, when it exists. A listing may lag behind, so one that it does not show is asked
    /// for by its name.
    pub(crate) async fn existing(&self, version: Option<u64>) -> Result<u64, StoreError> {
        let Some(version) = version else {
            return self.required_head().await;
        };
        let head = self.head().await?;
        if head.is_some_and(|head| version <= head) || self.is_there(version).await? {
            return Ok(version);
        }
        match head {
            Some(head) => Err(StoreError::NoVersion {
                name: self.name.to_string(),
                version,
                head,
            }),
            None => Err(self.store.no_artifact(&self.name).await),
        }
    }

    async fn is_there(&self, version: u64) -> Result<bool, StoreError> {
        match self.entry(version).await {
            Ok(_) => {
                self.store.entries().saw_head(&self.name, version);
                Ok(true)
            }
            Err(StoreError::Io {
                source: object_store::Error::NotFound { .. },
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn parsed(&self, path: Path) -> Result<Arc<Entry>, StoreError> {
        if let Some(entry) = self.store.entries().get(path.as_ref()) {
            return Ok(entry);
        }
        let bytes = self.bytes(&path).await?;
        let entry = Arc::new(Entry::parse(path.as_ref(), &bytes)?);
        self.store.entries().put(path.as_ref(), Arc::clone(&entry));
        Ok(entry)
    }

    async fn entry(&self, version: u64) -> Result<Arc<Entry>, StoreError> {
        self.parsed(self.entry_path(version)).await
    }

    /// What the log says about a version.
    ///
    /// # Errors
    /// [`StoreError::NoArtifact`], [`StoreError::NoVersion`], [`StoreError::Damaged`].
    pub async fn commit_info(&self, version: u64) -> Result<CommitRecord, StoreError> {
        let version = self.existing(Some(version)).await?;
        self.record_of(version).await
    }

    /// What the entry of a version says, read once and not kept: whoever follows a log for weeks
    /// asks for each entry once.
    async fn record_of(&self, version: u64) -> Result<CommitRecord, StoreError> {
        let path = self.entry_path(version);
        if let Some(entry) = self.store.entries().get(path.as_ref()) {
            return Ok(record(version, &entry));
        }
        let entry = Entry::parse(path.as_ref(), &self.bytes(&path).await?)?;
        Ok(record(version, &entry))
    }

    /// The records of all versions after `after`, oldest first.
    ///
    /// # Errors
    /// What the store said; [`StoreError::Damaged`].
    pub async fn history(&self, after: Option<u64>) -> Result<Vec<CommitRecord>, StoreError> {
        let Some(head) = self.head().await? else {
            return Ok(Vec::new());
        };
        let first = after.map_or(0, |after| after.saturating_add(1));
        futures::stream::iter(first..=head)
            .map(|version| self.record_of(version))
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    /// What a version consists of; `None` means the newest.
    ///
    /// # Errors
    /// [`StoreError::NoArtifact`], [`StoreError::NoVersion`], [`StoreError::Damaged`].
    pub async fn snapshot(&self, version: Option<u64>) -> Result<Snapshot, StoreError> {
        let version = self.existing(version).await?;
        let paths = self.cover(version).await?;
        let segments: Vec<Arc<Entry>> = futures::stream::iter(paths)
            .map(|path| self.parsed(path))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let (schema, files) = fold(&segments);
        let record = record(version, &*self.entry(version).await?);
        let schema = schema.ok_or_else(|| StoreError::Damaged {
            path: self.entry_path(version).to_string(),
            detail: "no metaData action up to this version".to_owned(),
        })?;
        Ok(Snapshot {
            version,
            rows: files.iter().map(|f| f.rows).sum(),
            digest: record.digest,
            schema_version: schema.version,
            files,
            schema,
        })
    }

    /// The rows of a version, in key order; `None` means the newest.
    ///
    /// # Errors
    /// As [`Log::snapshot`]; [`StoreError::Collected`] when gc removed the version.
    pub async fn read(&self, version: Option<u64>) -> Result<DataFrame, StoreError> {
        let snapshot = self.snapshot(version).await?;
        let parts: Vec<DataFrame> = futures::stream::iter(&snapshot.files)
            .map(|file| self.read_file(&snapshot, file))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let combine = |source| self.columns("combine", source);
        let mut all = snapshot
            .schema
            .conform(&DataFrame::empty())
            .map_err(combine)?;
        for part in parts {
            all.vstack_mut(&part).map_err(combine)?;
        }
        order::arranged(all, &snapshot.schema.key())
            .map(|all| all.frame)
            .map_err(combine)
    }

    /// The rows of a version, when they are of the schema version that `spec` declares.
    ///
    /// # Errors
    /// As [`Log::read`]; [`StoreError::SchemaVersion`].
    pub async fn read_as(
        &self,
        spec: &ArtifactSpec,
        version: Option<u64>,
    ) -> Result<DataFrame, StoreError> {
        let snapshot = self.snapshot_as(spec, version).await?;
        self.read(Some(snapshot.version)).await
    }

    /// What a version consists of, when it is of the schema version that `spec` declares.
    async fn snapshot_as(
        &self,
        spec: &ArtifactSpec,
        version: Option<u64>,
    ) -> Result<Snapshot, StoreError> {
        let snapshot = self.snapshot(version).await?;
        if snapshot.schema_version != spec.schema_version {
            return Err(StoreError::SchemaVersion {
                name: self.name.to_string(),
                stored: snapshot.schema_version,
                expected: spec.schema_version,
            });
        }
        Ok(snapshot)
    }

    /// The rows of a version as a typed table.
    ///
    /// # Errors
    /// As [`Log::read_as`]; [`StoreError::Contract`].
    pub async fn read_table<A: Artifact>(
        &self,
        version: Option<u64>,
    ) -> Result<Table<A>, StoreError> {
        Ok(Table::parse(self.read_as(A::spec(), version).await?)?)
    }

    async fn file_bytes(&self, at: &Snapshot, file: &DataFile) -> Result<bytes::Bytes, StoreError> {
        match self.bytes(&self.path(&file.path)).await {
            Err(
                error @ StoreError::Io {
                    source: object_store::Error::NotFound { .. },
                    ..
                },
            ) => {
                let collected = self.oldest_retained().await?;
                Err(collected.map_or(error, |oldest| StoreError::Collected {
                    name: self.name.to_string(),
                    version: at.version,
                    oldest,
                }))
            }
            other => other,
        }
    }

    async fn read_file(&self, at: &Snapshot, file: &DataFile) -> Result<DataFrame, StoreError> {
        let bytes = self.file_bytes(at, file).await?;
        let decode = |source| self.columns("decode", source);
        at.schema
            .conform(&parquet::decode(bytes).map_err(decode)?)
            .map_err(decode)
    }

    fn columns(&self, action: &'static str, source: polars::error::PolarsError) -> StoreError {
        StoreError::Columns {
            action,
            name: self.name.to_string(),
            source,
        }
    }
}

/// The version an entry's file name stands for.
fn version_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == 20).then(|| digits.parse().ok())?
}

/// Schema and live files after the given entries, in order.
fn fold(entries: &[Arc<Entry>]) -> (Option<TableSchema>, Vec<DataFile>) {
    let mut schema = None;
    let mut files: BTreeMap<&str, &DataFile> = BTreeMap::new();
    for entry in entries {
        schema = entry.schema.as_ref().or(schema);
        for path in &entry.removes {
            files.remove(path.as_str());
        }
        for file in &entry.adds {
            files.insert(&file.path, file);
        }
    }
    (schema.cloned(), files.into_values().cloned().collect())
}

fn record(version: u64, entry: &Entry) -> CommitRecord {
    let note = entry.note.as_ref();
    // Commits of other programs carry no content digest: each counts as new content.
    let foreign = || Digest::from_parts("foreign", &version.to_be_bytes());
    CommitRecord {
        version,
        operation: entry.operation.clone(),
        mode: note.map(|n| n.mode),
        rows: note.map_or_else(|| entry.adds.iter().map(|f| f.rows).sum(), |n| n.rows),
        digest: note.map_or_else(foreign, |n| n.digest.clone()),
        provenance: note.map(|n| n.provenance.clone()),
        timestamp: entry.timestamp,
    }
}
