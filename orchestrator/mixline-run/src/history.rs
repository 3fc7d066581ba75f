//! What the planner must know of the past, brought up to date from the artifact logs.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use mixline_artifact::{CommitRecord, Log, Store, StoreError};
use mixline_plan::{Head, History};

use crate::error::RunError;
use crate::store::StateDb;

/// News of one artifact.
struct News {
    artifact: String,
    commits: Vec<CommitRecord>,
    reset: bool,
}

/// Reads what is new in the logs of `artifacts` into the projection.
pub(crate) async fn sync(
    db: &StateDb,
    store: &Store,
    artifacts: &BTreeSet<String>,
) -> Result<(), RunError> {
    let known = db.known_heads().await?;
    let news = artifacts.iter().map(|artifact| async {
        let log = store.log(artifact)?;
        news(log, known.get(artifact).map(|(head, _)| head)).await
    });
    let news = try_join_all(news)
        .await
        .map_err(RunError::store("read the logs of", store.url()))?;
    for News {
        artifact,
        commits,
        reset,
    } in news
    {
        if reset || !commits.is_empty() {
            db.remember_commits(&artifact, &commits, reset).await?;
        }
    }
    Ok(())
}

/// Commits after the known head; all of them when the log is not the one we know, because the
/// store was emptied or restored.
async fn news(log: Log, known: Option<&Head>) -> Result<News, StoreError> {
    let artifact = log.name().to_owned();
    let head = log.head().await?;
    let same = match (known, head) {
        (None, None) => true,
        (Some(known), Some(head)) if known.version <= head => {
            // The entry may have been collected; then the numbers are all there is to go by.
            let entry = log.commit_info(known.version).await;
            entry.map_or(true, |entry| entry.digest == known.digest)
        }
        (known, _) => known.is_none(),
    };
    let after = known.filter(|_| same).map(|known| known.version);
    let commits = match head {
        None => Vec::new(),
        Some(head) if after == Some(head) => Vec::new(),
        Some(_) => log.history(after).await?,
    };
    Ok(News {
        artifact,
        commits,
        reset: !same,
    })
}

/// The planner's view of the past of `slots`, from the projection.
pub(crate) async fn load(db: &StateDb, slots: &[String]) -> Result<History, RunError> {
    let heads = db.known_heads().await?;
    Ok(History {
        heads: heads
            .into_iter()
            .map(|(artifact, (head, _))| (artifact, head))
            .collect(),
        slots: db.slot_commits(slots).await?,
        last: db.last_documents(slots).await?,
    })
}
