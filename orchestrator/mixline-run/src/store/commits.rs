//! The projection of the artifact logs: enough to plan without reading the store again.

use std::collections::BTreeMap;

use mixline_artifact::CommitRecord;
use mixline_plan::{Head, SlotCommit};
use mixline_schema::{Digest, FingerprintInputs};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::places;
use super::{StateDb, from_json, instant_text, settings, signed, unsigned};
use crate::error::RunError;

/// Name of the setting that says which store the projection is of.
const STORE: &str = "store";

/// Values that one statement may carry: SQLite takes 32,766 and Postgres 65,535.
const MOST_PLACES: usize = 10_000;

/// A commit of a slot, as resuming needs it.
#[derive(Debug, Clone)]
pub(crate) struct KnownCommit {
    pub(crate) version: u64,
    pub(crate) rows: u64,
    pub(crate) digest: Digest,
}

impl StateDb {
    /// Forgets the projection when it is of another store.
    pub(crate) async fn bind_store(&self, url: &str) -> Result<(), RunError> {
        if self.setting(STORE).await?.as_deref() == Some(url) {
            return Ok(());
        }
        let failed = || self.failed("write to");
        let mut tx = self.begin().await.map_err(failed())?;
        sqlx::query("DELETE FROM commits")
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        settings::set(&mut tx, STORE, url).await.map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    /// The newest known commit of every artifact, with the instant it was made.
    pub(crate) async fn known_heads(&self) -> Result<BTreeMap<String, (Head, String)>, RunError> {
        let rows = sqlx::query(
            "SELECT c.artifact, c.version, c.digest, c.at FROM commits c
             JOIN (SELECT artifact, MAX(version) AS version FROM commits GROUP BY artifact) AS newest
               ON newest.artifact = c.artifact AND newest.version = c.version",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        let head = |row: &AnyRow| {
            let digest = row.get::<String, _>("digest").parse().ok()?;
            let head = Head {
                version: unsigned(row.get("version")),
                digest,
            };
            Some((row.get("artifact"), (head, row.get("at"))))
        };
        Ok(rows.iter().filter_map(head).collect())
    }

    /// Adds commits of an artifact; `reset` forgets what was known of it first.
    pub(crate) async fn remember_commits(
        &self,
        artifact: &str,
        commits: &[CommitRecord],
        reset: bool,
    ) -> Result<(), RunError> {
        let failed = || self.failed("write to");
        let mut tx = self.begin().await.map_err(failed())?;
        if reset {
            let delete = sqlx::query("DELETE FROM commits WHERE artifact = $1").bind(artifact);
            delete.execute(&mut *tx).await.map_err(failed())?;
        }
        for commit in commits {
            let provenance = commit.provenance.as_ref();
            sqlx::query(
                "INSERT INTO commits (artifact, version, slot, fingerprint, digest, rows_total,
                   run_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            )
            .bind(artifact)
            .bind(signed(commit.version))
            .bind(provenance.map(|provenance| provenance.slot.as_str()))
            .bind(provenance.map(|provenance| provenance.fingerprint.as_str()))
            .bind(commit.digest.as_str())
            .bind(signed(commit.rows))
            .bind(
                provenance
                    .and_then(|p| p.run.as_ref())
                    .map(|run| run.run_id.as_str()),
            )
            .bind(instant_text(commit.timestamp))
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        }
        tx.commit().await.map_err(failed())
    }

    /// The newest commit of each of the slots, by slot and artifact.
    pub(crate) async fn slot_commits(
        &self,
        slots: &[String],
    ) -> Result<BTreeMap<(String, String), SlotCommit>, RunError> {
        let mut found = BTreeMap::new();
        for slots in slots.chunks(MOST_PLACES) {
            let select = format!(
                "SELECT c.slot, c.artifact, c.version, c.fingerprint, c.digest, c.rows_total
                 FROM commits c JOIN (
                   SELECT slot, artifact, MAX(version) AS version FROM commits
                   WHERE slot IN ({}) GROUP BY slot, artifact) AS newest
                 ON newest.slot = c.slot AND newest.artifact = c.artifact
                   AND newest.version = c.version",
                places(slots.len())
            );
            let rows = self.of_slots(select, slots).await?;
            found.extend(rows.iter().filter_map(slot_commit));
        }
        Ok(found)
    }

    /// The commit that one run made for a slot under one fingerprint in one artifact.
    pub(crate) async fn slot_commit_of(
        &self,
        slot: &str,
        artifact: &str,
        fingerprint: &Digest,
        run_id: &str,
    ) -> Result<Option<KnownCommit>, RunError> {
        let row = sqlx::query(
            "SELECT version, rows_total, digest FROM commits
             WHERE slot = $1 AND artifact = $2 AND fingerprint = $3 AND run_id = $4
             ORDER BY version DESC LIMIT 1",
        )
        .bind(slot)
        .bind(artifact)
        .bind(fingerprint.as_str())
        .bind(run_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        Ok(row.and_then(|row| {
            Some(KnownCommit {
                version: unsigned(row.get("version")),
                rows: unsigned(row.get("rows_total")),
                digest: row.get::<String, _>("digest").parse().ok()?,
            })
        }))
    }

    /// The documents behind the last fingerprints of the slots, to name what changed.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn last_documents(
        &self,
        slots: &[String],
    ) -> Result<BTreeMap<String, FingerprintInputs>, RunError> {
        let document = |row: &AnyRow| {
            Some((
                row.get("slot"),
                from_json("a document", row.get("document")).ok()?,
            ))
        };
        let mut found = BTreeMap::new();
        for slots in slots.chunks(MOST_PLACES) {
            let places = places(slots.len());
            let select = format!("SELECT slot, document FROM slots WHERE slot IN ({places})");
            let rows = self.of_slots(select, slots).await?;
            found.extend(rows.iter().filter_map(document));
        }
        Ok(found)
    }

    async fn of_slots(&self, select: String, slots: &[String]) -> Result<Vec<AnyRow>, RunError> {
        let query = slots
            .iter()
            .fold(sqlx::query(AssertSqlSafe(select)), |query, slot| {
                query.bind(slot.as_str())
            });
        query
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))
    }
}

fn slot_commit(row: &AnyRow) -> Option<((String, String), SlotCommit)> {
    let fingerprint = row.get::<Option<String>, _>("fingerprint")?.parse().ok()?;
    let digest = row.get::<String, _>("digest").parse().ok()?;
    let version = unsigned(row.get("version"));
    let key = (row.get("slot"), row.get("artifact"));
    Some((
        key,
        SlotCommit {
            version,
            fingerprint,
            digest,
            rows: unsigned(row.get("rows_total")),
        },
    ))
}
