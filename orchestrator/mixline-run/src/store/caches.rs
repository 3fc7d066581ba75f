//! What was computed from files once and need not be computed again while they stay the same.

use std::path::Path;
use std::time::UNIX_EPOCH;

use mixline_schema::{Digest, StepDescriptor};
use sqlx::Row as _;

use super::{StateDb, from_json, signed, to_json};
use crate::error::RunError;

/// Size and modification time: while they stay, the content is taken to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since the epoch.
    pub modified: u64,
}

impl FileStamp {
    /// The stamp of a file as it is now.
    ///
    /// # Errors
    /// What the file system said.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        let modified = metadata
            .modified()?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let modified = u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX);
        Ok(Self {
            size: metadata.len(),
            modified,
        })
    }
}

impl StateDb {
    /// What a step binary said of itself, and its digest, if it has not changed since.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn step(
        &self,
        path: &str,
        stamp: FileStamp,
    ) -> Result<Option<(StepDescriptor, String)>, RunError> {
        let row = sqlx::query(
            "SELECT digest, descriptor FROM step_cache
             WHERE path = $1 AND size = $2 AND modified = $3",
        )
        .bind(path)
        .bind(signed(stamp.size))
        .bind(signed(stamp.modified))
        .fetch_optional(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        // A descriptor of an older format is simply asked for again.
        Ok(row.and_then(|row| {
            Some((
                from_json("a descriptor", row.get("descriptor")).ok()?,
                row.get("digest"),
            ))
        }))
    }

    /// Remembers what a step binary said of itself.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn remember_step(
        &self,
        path: &str,
        stamp: FileStamp,
        descriptor: &StepDescriptor,
        digest: &str,
    ) -> Result<(), RunError> {
        sqlx::query(
            "INSERT INTO step_cache (path, size, modified, digest, descriptor)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (path) DO UPDATE SET size = excluded.size, modified = excluded.modified,
               digest = excluded.digest, descriptor = excluded.descriptor",
        )
        .bind(path)
        .bind(signed(stamp.size))
        .bind(signed(stamp.modified))
        .bind(digest)
        .bind(to_json("a descriptor", descriptor)?)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(self.failed("write to"))
    }

    /// The digest of a file, if it has not changed since.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn file_digest(
        &self,
        path: &str,
        stamp: FileStamp,
    ) -> Result<Option<Digest>, RunError> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT digest FROM file_cache WHERE path = $1 AND size = $2 AND modified = $3",
        )
        .bind(path)
        .bind(signed(stamp.size))
        .bind(signed(stamp.modified))
        .fetch_optional(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        Ok(found.and_then(|text| text.parse().ok()))
    }

    /// Remembers the digest of a file.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn remember_file(
        &self,
        path: &str,
        stamp: FileStamp,
        digest: &Digest,
    ) -> Result<(), RunError> {
        sqlx::query(
            "INSERT INTO file_cache (path, size, modified, digest) VALUES ($1, $2, $3, $4)
             ON CONFLICT (path) DO UPDATE SET size = excluded.size, modified = excluded.modified,
               digest = excluded.digest",
        )
        .bind(path)
        .bind(signed(stamp.size))
        .bind(signed(stamp.modified))
        .bind(digest.as_str())
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(self.failed("write to"))
    }
}
