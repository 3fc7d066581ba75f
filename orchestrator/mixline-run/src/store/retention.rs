//! What is forgotten: finished runs beyond the retention, and what is remembered on their account.
//! Outputs are not touched: they live in the store.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use sqlx::AnyConnection;

use super::{StateDb, instant_text};
use crate::error::RunError;

/// How long runs are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days a finished run is kept.
    pub days: u32,
    /// Finished runs kept per DAG.
    pub runs: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 90,
            runs: 1000,
        }
    }
}

/// Runs to forget: too old, or with enough newer ones of their DAG.
const OLD_RUNS: &str = "SELECT run_id FROM (
       SELECT run_id, created_at,
         ROW_NUMBER() OVER (PARTITION BY dag ORDER BY created_at DESC, run_id DESC) AS place
       FROM runs WHERE ended_at IS NOT NULL) AS ranked
     WHERE created_at < $1 OR place > $2";

/// The same for fires. The cursor has passed them, so they cannot become due again.
const OLD_FIRES: &str = "DELETE FROM fires WHERE (dag, window_start, window_end) IN (
       SELECT dag, window_start, window_end FROM (
         SELECT dag, window_start, window_end, created_at,
           ROW_NUMBER() OVER (PARTITION BY dag ORDER BY window_start DESC) AS place
         FROM fires WHERE state IN ('done', 'dropped', 'failed')) AS ranked
       WHERE created_at < $1 OR place > $2)";

/// What goes with a run. A slot with a window holds a space; its commit stays in the artifact's
/// log, where the step itself finds it should the window ever be run again. The head of an artifact
/// and the newest commit of a slot without a window stay: plans need them.
const OF_A_RUN: [&str; 3] = [
    "DELETE FROM commits WHERE run_id = $1
       AND EXISTS (SELECT 1 FROM commits AS newer WHERE newer.artifact = commits.artifact
         AND newer.version > commits.version)
       AND (slot LIKE '% %' OR EXISTS (SELECT 1 FROM commits AS newer
         WHERE newer.slot = commits.slot AND newer.artifact = commits.artifact
           AND newer.version > commits.version))",
    "DELETE FROM slots WHERE run_id = $1 AND slot LIKE '% %'",
    "DELETE FROM runs WHERE run_id = $1",
];

impl StateDb {
    /// Forgets finished runs beyond the retention; returns their ids, for their log files.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn prune(
        &self,
        retention: Retention,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, RunError> {
        let oldest = instant_text(now - TimeDelta::days(i64::from(retention.days)));
        let most = i64::from(retention.runs);
        let ids: Vec<String> = sqlx::query_scalar(OLD_RUNS)
            .bind(&oldest)
            .bind(most)
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        let failed = || self.failed("prune");
        let mut tx = self.begin().await.map_err(failed())?;
        for id in &ids {
            forget(&mut tx, id).await.map_err(failed())?;
        }
        // Also those that never became a run.
        let fires = sqlx::query(OLD_FIRES).bind(&oldest).bind(most);
        fires.execute(&mut *tx).await.map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(ids)
    }
}

async fn forget(tx: &mut AnyConnection, run_id: &str) -> Result<(), sqlx::Error> {
    for statement in OF_A_RUN {
        sqlx::query(statement)
            .bind(run_id)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
