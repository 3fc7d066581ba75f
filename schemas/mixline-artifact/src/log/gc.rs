//! Garbage collection: data files that no kept version needs. The log itself is never touched.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use serde_json::json;

use super::Log;
use crate::error::StoreError;

/// What is kept whatever happens.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Newest versions of each artifact; the newest is always kept.
    pub keep_last: u64,
    /// Younger objects stay: a commit under way may need them.
    pub min_age: TimeDelta,
    /// Pinned versions, by artifact.
    pub pins: BTreeSet<(String, u64)>,
}

/// What gc removed, or would remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcReport {
    /// Paths within the table.
    pub removed: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that stay readable for certain.
    pub kept: BTreeSet<u64>,
    /// Nothing was deleted.
    pub dry_run: bool,
}

impl Log {
    /// Removes data files that only collected versions need.
    ///
    /// # Errors
    /// What the store said.
    pub async fn gc(
        &self,
        policy: &Retention,
        now: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<GcReport, StoreError> {
        let kept = self
            .kept(policy)
            .await?
            .remove(self.name())
            .unwrap_or_default();
        let mut report = GcReport {
            kept,
            dry_run,
            ..GcReport::default()
        };
        let mut needed = BTreeSet::new();
        for version in &report.kept {
            let files = self.snapshot(Some(*version)).await?.files;
            needed.extend(files.into_iter().map(|f| f.path));
        }
        let root = self.path("");
        let io = |source| StoreError::Io {
            action: "list",
            path: root.to_string(),
            source,
        };
        let listed = self
            .store
            .objects()
            .list_with_delimiter(Some(&root))
            .await
            .map_err(io)?;
        let mut doomed = Vec::new();
        for object in listed.objects {
            let Some(name) = object.location.filename().map(str::to_owned) else {
                continue;
            };
            let old = now.signed_duration_since(object.last_modified) >= policy.min_age;
            if old && name.ends_with(".parquet") && !needed.contains(&name) {
                report.removed.push(name);
                report.bytes += object.size;
                doomed.push(object.location);
            }
        }
        if dry_run || doomed.is_empty() {
            return Ok(report);
        }
        // Written first: whoever misses a file finds out why.
        self.push_note("retained", json!({"oldest": report.kept.first()}))
            .await?;
        for path in doomed {
            let deleted = self.store.objects().delete(&path).await;
            deleted.map_err(|source| StoreError::Io {
                action: "delete",
                path: path.to_string(),
                source,
            })?;
        }
        Ok(report)
    }

    /// Versions to keep, by artifact: roots, and everything they were made from.
    async fn kept(
        &self,
        policy: &Retention,
    ) -> Result<BTreeMap<String, BTreeSet<u64>>, StoreError> {
        let mut todo: Vec<(String, u64)> = policy.pins.iter().cloned().collect();
        let mut heads = BTreeMap::new();
        for name in self.store.artifacts().await? {
            let log = self.store.log(&name)?;
            let Some(head) = log.head().await? else {
                continue;
            };
            let first = (head + 1).saturating_sub(policy.keep_last.max(1));
            todo.extend((first..=head).map(|version| (name.clone(), version)));
            todo.extend(
                log.aliases()
                    .await?
                    .into_values()
                    .map(|v| (name.clone(), v)),
            );
            heads.insert(name, head);
        }
        let mut kept: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        while let Some((name, version)) = todo.pop() {
            let exists = heads.get(&name).is_some_and(|head| version <= *head);
            if !exists || !kept.entry(name.clone()).or_default().insert(version) {
                continue;
            }
            let info = self.store.log(&name)?.commit_info(version).await?;
            let inputs = info.provenance.map(|p| p.inputs).unwrap_or_default();
            todo.extend(
                inputs
                    .into_iter()
                    .map(|input| (input.artifact, input.version)),
            );
        }
        Ok(kept)
    }
}
