//! Databases of other versions.

use super::Scratch;
use crate::error::RunError;
use crate::event::RunEnd;
use crate::state::TaskState;
use crate::store::{FireState, RunFilter, StateDb, schema};

/// Written by the program when the tables had version 1.
const VERSION1: &str = include_str!("version1.sql");

/// A database as the program of version 1 left it.
async fn version1(scratch: &Scratch) {
    let db = StateDb::connect(&scratch.location).await.unwrap();
    schema::migrate_to(&db, 1).await.unwrap();
    sqlx::raw_sql(VERSION1).execute(&db.pool).await.unwrap();
    db.close().await;
}

async fn old_runs_are_readable(scratch: &Scratch) {
    version1(scratch).await;
    // Two processes of the new version start at once.
    let (db, _other) = futures::join!(scratch.open(), scratch.open());
    let runs = db.runs(&RunFilter::default()).await.unwrap();
    let states: Vec<&str> = runs.iter().map(|run| run.state.as_str()).collect();
    assert_eq!(states, ["running", "failed", "succeeded"]);
    let done = db.run_state(&runs[2].run_id).await.unwrap();
    assert_eq!(done.end(), Some(RunEnd::Succeeded));
    assert!(
        done.tasks()
            .all(|(_, task)| task.state == TaskState::Succeeded)
    );
    let failed = db.run_state(&runs[1].run_id).await.unwrap();
    let message = failed.task("a").unwrap().message.clone().unwrap();
    assert!(message.contains("the column is missing"), "{message}");
    // The run that was left open is whoever claims it, and goes on.
    let open = &runs[0];
    assert_eq!(open.owner.map(|owner| owner.machine), Some(0));
    let me = crate::store::Owner {
        machine: 1,
        pid: 1,
        start: 1,
    };
    assert!(db.claim(open, me).await.unwrap());
    assert!(db.pulse(&open.run_id, me).await.unwrap().mine);
    assert!(db.cursor("daily").await.unwrap().is_some());
    let fires = db.fires("daily", Some(FireState::Pending)).await.unwrap();
    assert!(fires.is_empty());
}

async fn a_newer_one_is_refused(scratch: &Scratch) {
    let db = scratch.open().await;
    sqlx::query("INSERT INTO mixline_migrations (number) VALUES (99)")
        .execute(&db.pool)
        .await
        .unwrap();
    db.close().await;
    let error = StateDb::open(&scratch.location).await.unwrap_err();
    assert!(matches!(error, RunError::NewerState { applied: 99, .. }));
    let text = error.to_string();
    assert!(text.contains("newer version of Mixline"), "{text}");
}

#[tokio::test]
async fn sqlite_of_version_1_is_brought_up_to_date() {
    old_runs_are_readable(&Scratch::sqlite()).await;
}

#[tokio::test]
async fn postgres_of_version_1_is_brought_up_to_date() {
    if let Some(scratch) = Scratch::postgres() {
        old_runs_are_readable(&scratch).await;
    }
}

#[tokio::test]
async fn sqlite_of_a_newer_version_is_refused() {
    a_newer_one_is_refused(&Scratch::sqlite()).await;
}

#[tokio::test]
async fn postgres_of_a_newer_version_is_refused() {
    if let Some(scratch) = Scratch::postgres() {
        a_newer_one_is_refused(&scratch).await;
    }
}
