//! What a scheduler does beside its ticks: it plans a due window and runs it, and it takes runs over.

use std::sync::Arc;

use chrono::TimeDelta;
use mixline_plan::Dag;

use crate::dispatcher::{Cancel, Subscriber};
use crate::engine::{Engine, PlanOptions, RunOptions};
use crate::error::{RunError, chain};
use crate::store::{Fire, FireState, RunRow, SCHEDULE};

/// How long a window may wait for its DAG to become fit to plan: a step that is being installed, a
/// file that is being saved.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// What a work is about. There is one at a time for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Work {
    /// A DAG that has a window to run.
    Dag(String),
    /// A run to be taken over.
    Run(String),
}

/// Plans the window of a fire and runs it to its end.
pub(super) async fn run_fire(
    engine: Engine,
    subscribers: Vec<Arc<dyn Subscriber>>,
    dag: Dag,
    fire: Fire,
) -> Result<(), RunError> {
    let options = PlanOptions {
        window: Some(fire.window),
        ..PlanOptions::default()
    };
    let plan = match engine.plan_dag(&dag, &options).await {
        Ok(plan) => plan,
        Err(error) => {
            give_up_in_time(&engine, &fire, &error).await?;
            return Err(error);
        }
    };
    let options = RunOptions {
        trigger: SCHEDULE.to_owned(),
        ..RunOptions::default()
    };
    match engine
        .run(plan, &options, subscribers, Cancel::default())
        .await
    {
        Ok(run) => {
            let (run_id, state) = (run.run_id, run.state.as_str());
            tracing::info!(dag = dag.name, window = %fire.window, run = run_id, state, "ended");
            Ok(())
        }
        Err(RunError::FireTaken { .. } | RunError::Deposed) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Fails a fire whose DAG cannot be planned and has had time to be mended.
async fn give_up_in_time(engine: &Engine, fire: &Fire, error: &RunError) -> Result<(), RunError> {
    if is_lasting(error) && (engine.clock())() - fire.created_at > GRACE {
        let (text, term) = (chain(error), engine.term());
        let db = engine.state();
        db.end_fire(fire, FireState::Failed, Some(&text), term)
            .await?;
        engine.forget_old_runs().await;
    }
    Ok(())
}

/// Whether the same would happen again until somebody changes a file.
fn is_lasting(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Plan { .. } | RunError::NoStep { .. } | RunError::Describe { .. }
    )
}

/// Brings a run to its end whose orchestrator is gone.
pub(super) async fn take_over(
    engine: Engine,
    subscribers: Vec<Arc<dyn Subscriber>>,
    row: RunRow,
) -> Result<(), RunError> {
    let ended = engine.take_over(&row, subscribers, Cancel::default());
    if let Some(ended) = ended.await? {
        let state = ended.state.as_str();
        tracing::info!(
            dag = row.dag,
            run = row.run_id,
            state,
            "taken over, and ended"
        );
        engine.forget_old_runs().await;
    }
    Ok(())
}
