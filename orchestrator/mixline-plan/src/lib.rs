//! What would run, and why: pure planning over DAG files.
//!
//! [`Dag::parse`] reads a pipeline, [`plan`] compares it with what is known of the past and gives
//! every task a [`Verdict`] with typed [`Reason`]s, [`settle`] decides again at run time once the
//! real inputs are known, and [`schedule`] says which windows are due. Nothing here reads a clock,
//! a file or the environment: the same inputs give the same plan, byte for byte.

mod config;
mod dag;
mod duration;
mod error;
mod graph;
mod plan;
mod planner;
mod reason;
mod render;
pub mod schedule;
mod settle;
mod suggest;
#[cfg(test)]
mod tests;

pub use dag::{Dag, ExecutorKind, Task, dag_schema};
pub use error::PlanError;
pub use plan::{
    Catalogue, Force, Head, History, Plan, PlannedInput, PlannedOutput, PlannedTask, Request,
    SlotCommit, Source, StepEntry, Verdict,
};
pub use planner::plan;
pub use reason::Reason;
pub use schedule::{CatchUp, Fire, Odd, Overlap, Schedule, due, preview};
pub use settle::settle;
