//! Runs a plan: the log of what happened is the run.
//!
//! Every change of a run is one [`RunEvent`], appended to the state database before anybody acts on
//! it. [`RunState`] is a pure fold over those events and holds the whole scheduling policy; the
//! dispatcher carries out the [`Command`]s it answers with. A restart folds the log and goes on.

mod dispatcher;
mod driven;
pub mod engine;
mod error;
mod event;
pub mod executor;
#[cfg(test)]
mod fixture;
mod history;
mod journal;
pub mod lineage;
pub mod metrics;
pub mod mlflow;
pub mod otlp;
mod procfs;
mod project;
pub mod relay;
pub mod scheduler;
mod settle;
mod state;
pub mod store;
pub mod trace;

pub use dispatcher::{Cancel, Subscriber};
pub use engine::{Engine, Force, PlanOptions, Resumed, RunOptions, RunSummary, TaskSummary};
pub use error::{RunError, chain};
pub use event::{Origin, ParentRun, RecordedEvent, ResolvedInput, RunEnd, RunEvent};
pub use journal::Journal;
pub use project::{Project, ProjectError};
pub use state::{Command, RunState, TaskState, TaskStatus};

/// Where the time comes from: the edges pass `Utc::now`, tests pass what they like.
pub type Clock = fn() -> chrono::DateTime<chrono::Utc>;
