//! What a run came to, for people and for exit codes.

use mixline_schema::OutputResult;
use serde::{Deserialize, Serialize};

use crate::event::RunEnd;
use crate::state::{RunState, TaskState, TaskStatus};

/// What one task came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Task name.
    pub task: String,
    /// Its last state.
    pub state: TaskState,
    /// Attempts made.
    pub attempts: u32,
    /// Seconds from its first start to its end; 0 when it never started.
    pub seconds: f64,
    /// Outputs committed or reused.
    pub outputs: Vec<OutputResult>,
    /// What went wrong, or why it was skipped.
    pub message: Option<String>,
    /// Exit code of the last attempt.
    pub exit_code: Option<i32>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Run id.
    pub run_id: String,
    /// DAG name.
    pub dag: String,
    /// How it ended.
    pub state: RunEnd,
    /// Its tasks, in the plan's order.
    pub tasks: Vec<TaskSummary>,
    /// Seconds from creation to end.
    pub seconds: f64,
}

impl RunSummary {
    /// The summary of a finished run. One that is not finished counts as failed.
    #[must_use]
    pub fn of(state: &RunState) -> Self {
        Self {
            run_id: state.run_id().to_owned(),
            dag: state
                .plan()
                .map(|plan| plan.dag.clone())
                .unwrap_or_default(),
            state: state.end().unwrap_or(RunEnd::Failed),
            tasks: state
                .tasks()
                .map(|(name, status)| TaskSummary::of(name, status))
                .collect(),
            seconds: seconds(state.started(), state.ended()),
        }
    }
}

impl TaskSummary {
    fn of(name: &str, status: &TaskStatus) -> Self {
        Self {
            task: name.to_owned(),
            state: status.state,
            attempts: status.attempt,
            seconds: seconds(status.started, status.ended),
            outputs: status.outputs.clone(),
            message: status.message.clone(),
            exit_code: status.exit_code,
        }
    }
}

type Instant = chrono::DateTime<chrono::Utc>;

fn seconds(from: Option<Instant>, to: Option<Instant>) -> f64 {
    from.zip(to)
        .map_or(0.0, |(from, to)| (to - from).as_seconds_f64())
}
