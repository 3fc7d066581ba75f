//! How data is kept: typed tables in Delta tables, in any object store.
//!
//! A [`Table`] is rows that satisfy their declaration. A [`Store`] holds one Delta table per
//! artifact; its [`Log`] reads any version and commits new ones. A version is written once and
//! never changed: the log entry is the commit, and only a conditional create makes it.

mod batches;
mod cells;
mod checked;
mod contract;
mod error;
pub mod export;
mod frame;
mod log;
pub mod observe;
mod order;
mod parquet;
mod pieces;
mod rowhash;
mod store;
mod table;
pub mod testing;
mod threads;

pub use batches::{Batches, Stream};
pub use checked::Checked;
pub use contract::{ContractViolations, Violation};
pub use error::{StoreClass, StoreError};
pub use log::{
    CommitOutcome, CommitRecord, Committed, DataFile, GcReport, Log, Merge, Retention, Snapshot,
};
pub use pieces::{Pieces, Rows};
pub use polars::frame::DataFrame;
pub use store::Store;
pub use table::Table;
