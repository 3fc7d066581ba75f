//! Aliases and the retention note: numbered objects that are only ever created.

use std::collections::BTreeMap;

use mixline_schema::artifact_name_is_valid;
use serde_json::{Value, json};

use super::{Log, version_of};
use crate::error::StoreError;

impl Log {
    /// Points an alias at a version.
    ///
    /// # Errors
    /// [`StoreError::Name`], [`StoreError::NoVersion`], or what the store said.
    pub async fn set_alias(&self, alias: &str, version: u64) -> Result<(), StoreError> {
        if !artifact_name_is_valid(alias) {
            return Err(StoreError::Name(alias.to_owned()));
        }
        let version = self.existing(Some(version)).await?;
        self.push_note(&format!("alias/{alias}"), json!({ "version": version }))
            .await
    }

    /// The version an alias points at.
    ///
    /// # Errors
    /// What the store said.
    pub async fn alias(&self, alias: &str) -> Result<Option<u64>, StoreError> {
        let note = self.newest_note(&format!("alias/{alias}")).await?;
        Ok(note.and_then(|note| note["version"].as_u64()))
    }

    /// Every alias with its version.
    ///
    /// # Errors
    /// What the store said.
    pub async fn aliases(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let prefix = self.path("_mixline/alias");
        let mut aliases = BTreeMap::new();
        for path in self.store.list_objects(prefix.as_ref()).await? {
            let name = path.rsplit('/').nth(1).unwrap_or_default().to_owned();
            if aliases.contains_key(&name) {
                continue;
            }
            if let Some(version) = self.alias(&name).await? {
                aliases.insert(name, version);
            }
        }
        Ok(aliases)
    }

    /// The oldest version gc has kept, if it ever removed any.
    pub(super) async fn oldest_retained(&self) -> Result<Option<u64>, StoreError> {
        Ok(self
            .newest_note("retained")
            .await?
            .and_then(|note| note["oldest"].as_u64()))
    }

    async fn newest_note(&self, folder: &str) -> Result<Option<Value>, StoreError> {
        let folder = format!("_mixline/{folder}");
        let names = self.names(&folder).await?;
        let Some(name) = names.iter().rfind(|n| version_of(n).is_some()) else {
            return Ok(None);
        };
        let path = self.path(&format!("{folder}/{name}"));
        let damaged = |e: serde_json::Error| StoreError::Damaged {
            path: path.to_string(),
            detail: e.to_string(),
        };
        Ok(Some(
            serde_json::from_slice(&self.bytes(&path).await?).map_err(damaged)?,
        ))
    }

    async fn note_at(&self, path: &object_store::path::Path) -> Result<Option<Value>, StoreError> {
        let found = self.store.get_object(path.as_ref()).await?;
        Ok(found.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(super) async fn push_note(&self, folder: &str, mut note: Value) -> Result<(), StoreError> {
        let folder = format!("_mixline/{folder}");
        // Two who write the same thing are told apart by it.
        note["id"] = json!(uuid::Uuid::new_v4());
        for _ in 0..20 {
            let newest = self
                .names(&folder)
                .await?
                .iter()
                .filter_map(|n| version_of(n))
                .max();
            let number = newest.map_or(0, |n| n + 1);
            let path = self.path(&format!("{folder}/{number:020}.json"));
            match self.create(&path, note.to_string().into()).await {
                Ok(()) => return Ok(()),
                // Neither "exists" nor an error says whose the object is: read it back.
                Err(_) if self.note_at(&path).await? == Some(note.clone()) => return Ok(()),
                Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(source) => {
                    return Err(StoreError::Io {
                        action: "write",
                        path: path.to_string(),
                        source,
                    });
                }
            }
        }
        Err(StoreError::Contention {
            name: self.name().to_owned(),
            tries: 20,
        })
    }
}
