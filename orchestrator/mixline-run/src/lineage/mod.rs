//! OpenLineage: the run's events told in the words other tools understand.
//!
//! [`Lineage`] is a pure fold from [`RecordedEvent`](crate::RecordedEvent)s to OpenLineage 2-0-2
//! run events; [`consumers`] are those who receive them through the [relay](crate::relay): a
//! server, a file, the log.
//!
//! | ours | OpenLineage |
//! |---|---|
//! | a run of a DAG | a run of job `dag`, id = our run id; its parent is who started the orchestrator |
//! | an attempt of a task | a run of job `dag.task`, with the DAG's run as parent and the topmost known run as root |
//! | a reused task | START and COMPLETE at once, with the outputs that were reused |
//! | failed, lost or stopped attempt | FAIL, ABORT, ABORT |
//!
//! An attempt, not a task, is the unit: a run has one START and one terminal event, and a retry
//! comes after a failure. Ids of attempts follow from run, task and number, so that a restarted
//! orchestrator closes what its predecessor opened.
//!
//! A table's columns carry what is known of their origin ([`Columns`]); rules that a step checked
//! are assertions on its inputs, or tests of the run when they are about its own result.
//!
//! Datasets are named by the store and the artifact; the version is in the `version` facet, never
//! in the name.

mod columns;
mod config_file;
mod consumer;
mod dataset;
mod facets;
mod fold;
mod settings;

pub use columns::{Basis, ColumnSource, Columns};
pub use fold::Lineage;
pub use settings::{Variables, consumers, namespace, origin};

#[cfg(test)]
mod tests;
