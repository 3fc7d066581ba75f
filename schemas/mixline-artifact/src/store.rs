//! A store: one Delta table per artifact, somewhere objects can be kept.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use mixline_schema::{ArtifactRef, Selector, artifact_name_is_valid};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};
use url::Url;

use crate::error::StoreError;
use crate::log::{EntryCache, Log};

/// Where artifacts live. Cheap to clone; clones share what they have read of the logs.
#[derive(Clone)]
pub struct Store {
    url: Arc<str>,
    objects: Arc<dyn ObjectStore>,
    entries: Arc<EntryCache>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.url).finish()
    }
}

impl Store {
    /// Opens a store: a folder (made when absent), `memory:`, `s3://`, `gs://` or `az://`.
    /// Credentials of cloud stores come from the environment in the provider's usual variables.
    ///
    /// # Errors
    /// [`StoreError::Url`] or [`StoreError::Folder`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, std::env::vars())
    }

    /// [`Store::open`] with the variables of a cloud store given instead of read.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        url: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        if url == "memory:" {
            return Ok(Self::in_memory());
        }
        let objects = match url.split_once("://") {
            None => local(url)?,
            Some(("file", path)) => local(path)?,
            Some(_) => cloud(url, variables)?,
        };
        Ok(Self::over(url, objects))
    }

    /// A store in memory, empty, gone with its last clone.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::over("memory:", Arc::new(InMemory::new()))
    }

    /// A store over any object store; wrappers that inject faults come in here.
    #[must_use]
    pub fn over(url: &str, objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            url: url.into(),
            objects,
            entries: Arc::default(),
        }
    }

    /// The URL it was opened with.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    pub(crate) fn entries(&self) -> &EntryCache {
        &self.entries
    }

    /// Makes sure that two creates of one name have one winner.
    ///
    /// # Errors
    /// [`StoreError::Probe`] when both win; otherwise what the store said.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let path = Path::from(format!("_mixline/probe/{}", uuid::Uuid::new_v4()));
        let (first, second) = (self.create(&path, "first"), self.create(&path, "second"));
        let (first, second) = futures::join!(first, second);
        let deleted = self.objects.delete(&path).await;
        let wins = usize::from(first?) + usize::from(second?);
        match deleted {
            // A store that keeps everything keeps this too.
            Ok(()) | Err(object_store::Error::PermissionDenied { .. }) => {}
            Err(source) => {
                return Err(StoreError::Io {
                    action: "delete",
                    path: path.to_string(),
                    source,
                });
            }
        }
        if wins == 1 {
            Ok(())
        } else {
            let detail = format!("{wins} of 2 concurrent creates of one name won");
            Err(StoreError::Probe {
                url: self.url.to_string(),
                detail,
            })
        }
    }

    /// Creates an object; `false` when the name is taken.
    async fn create(&self, path: &Path, text: &'static str) -> Result<bool, StoreError> {
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        match self
            .objects
            .put_opts(path, Bytes::from_static(text.as_bytes()).into(), options)
            .await
        {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(StoreError::Io {
                action: "write",
                path: path.to_string(),
                source,
            }),
        }
    }

    /// The names of all artifacts, sorted.
    ///
    /// # Errors
    /// What the store said.
    pub async fn artifacts(&self) -> Result<Vec<String>, StoreError> {
        let io = |source| StoreError::Io {
            action: "list",
            path: self.url.to_string(),
            source,
        };
        let listed = self.objects.list_with_delimiter(None).await.map_err(io)?;
        let names = listed.common_prefixes.iter().filter_map(|p| p.filename());
        let mut artifacts = Vec::new();
        for name in names.filter(|name| artifact_name_is_valid(name)) {
            if self.log(name)?.head().await?.is_some() {
                artifacts.push(name.to_owned());
            }
        }
        artifacts.sort();
        Ok(artifacts)
    }

    /// The log of an artifact, which need not exist yet.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn log(&self, artifact: &str) -> Result<Log, StoreError> {
        if artifact_name_is_valid(artifact) {
            Ok(Log::new(self.clone(), artifact))
        } else {
            Err(StoreError::Name(artifact.to_owned()))
        }
    }

    /// The version a reference means.
    ///
    /// # Errors
    /// [`StoreError::NoArtifact`], [`StoreError::NoVersion`], [`StoreError::NoAlias`].
    pub async fn resolve(&self, reference: &ArtifactRef) -> Result<(Log, u64), StoreError> {
        let log = self.log(&reference.name)?;
        let version = match &reference.selector {
            Selector::Head => log.existing(None).await?,
            Selector::Version(version) => log.existing(Some(*version)).await?,
            Selector::Alias(alias) => {
                log.existing(None).await?;
                log.alias(alias).await?.ok_or_else(|| StoreError::NoAlias {
                    name: reference.name.clone(),
                    alias: alias.clone(),
                })?
            }
        };
        Ok((log, version))
    }

    /// The error for an artifact without versions, with the names that exist.
    pub(crate) async fn no_artifact(&self, name: &str) -> StoreError {
        let known = self.artifacts().await.unwrap_or_default();
        let hint = if known.is_empty() {
            "; the store is empty".to_owned()
        } else {
            format!("; it holds {}", known.join(", "))
        };
        StoreError::NoArtifact {
            name: name.to_owned(),
            url: self.url.to_string(),
            hint,
        }
    }

    /// Writes a plain object, replacing any of that name (task logs, for example).
    ///
    /// # Errors
    /// What the store said.
    pub async fn put_object(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.objects.put(&Path::from(path), bytes.into()).await;
        put.map(drop).map_err(|source| StoreError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a plain object; `None` when there is none.
    ///
    /// # Errors
    /// What the store said.
    pub async fn get_object(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        let io = |source| StoreError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        match self.objects.get(&Path::from(path)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(io)?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(io(source)),
        }
    }

    /// Paths of plain objects below a folder, sorted.
    ///
    /// # Errors
    /// What the store said.
    pub async fn list_objects(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let io = |source| StoreError::Io {
            action: "list",
            path: folder.to_owned(),
            source,
        };
        let listed: Vec<_> = self
            .objects
            .list(Some(&Path::from(folder)))
            .try_collect()
            .await
            .map_err(io)?;
        let mut paths: Vec<String> = listed.into_iter().map(|o| o.location.to_string()).collect();
        paths.sort();
        Ok(paths)
    }

    /// Removes the plain objects below a folder. One that is gone already is no error.
    ///
    /// # Errors
    /// What the store said; others may have been removed by then.
    pub async fn remove_objects(&self, folder: &str) -> Result<(), StoreError> {
        let listed = self.objects.list(Some(&Path::from(folder)));
        let paths = listed.map_ok(|object| object.location).boxed();
        let removed = self.objects.delete_stream(paths);
        let present = removed.filter(|removed| {
            let gone = matches!(removed, Err(object_store::Error::NotFound { .. }));
            std::future::ready(!gone)
        });
        let all = present.try_for_each(|_| std::future::ready(Ok(()))).await;
        all.map_err(|source| StoreError::Io {
            action: "remove",
            path: folder.to_owned(),
            source,
        })
    }
}

fn local(path: &str) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let folder = |source| StoreError::Folder {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir_all(path).map_err(folder)?;
    let objects = LocalFileSystem::new_with_prefix(path).map_err(|source| StoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let objects = objects.with_fsync(true).with_automatic_cleanup(true);
    Ok(Arc::new(objects))
}

fn cloud(
    url: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let parsed = Url::parse(url).map_err(|source| StoreError::Url {
        url: url.to_owned(),
        source: Some(Box::new(source)),
    })?;
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value));
    let (objects, prefix) =
        object_store::parse_url_opts(&parsed, variables).map_err(|source| StoreError::Url {
            url: url.to_owned(),
            source: Some(Box::new(source)),
        })?;
    Ok(Arc::new(PrefixStore::new(objects, prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_strange_url_is_refused_with_the_choices() {
        let error = Store::open("ftp://host/x").await.unwrap_err();
        assert!(error.to_string().contains("s3://"), "{error}");
    }
}
