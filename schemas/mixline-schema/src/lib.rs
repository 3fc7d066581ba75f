//! What data looks like, and what every part of Mixline agrees on.
//!
//! This crate holds types only: artifact declarations ([`artifact!`], [`catalog`]), the step
//! contract ([`StepDescriptor`], [`StepContext`], [`StepResult`], [`ExitCode`]), and identity
//! ([`Digest`], [`fingerprint()`], [`Provenance`]). It does no I/O and knows no store, so a step
//! written in another language can be held to the same words.

mod artifact;
pub mod catalog;
mod column;
mod commit;
mod context;
mod digest;
mod exit;
mod export;
mod fingerprint;
mod lineage;
mod step;
mod window;

pub use artifact::{Artifact, ArtifactSpec, artifact_name_is_valid};
pub use column::{Cell, ColumnData, ColumnRef, ColumnSpec, ColumnType, ColumnValue, Range};
pub use commit::{InputRef, Provenance, WriteMode};
pub use context::{ArtifactRef, ArtifactRefError, RunRef, Selector, StepContext};
pub use digest::{Digest, DigestError};
pub use exit::{ErrorClass, ExitCode};
pub use export::{catalogue_markdown, json_schema};
pub use fingerprint::{FingerprintInputs, canonical_json, fingerprint};
pub use lineage::{ASSERTIONS, Assertion, ColumnChange, ColumnLineage};
pub use step::{OutputResult, Port, Resources, StepDescriptor, StepResult, StepStatus};
pub use window::{Window, WindowError};

/// The items that [`artifact!`] expands to; not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use chrono::{DateTime, NaiveDate, Utc};
}
