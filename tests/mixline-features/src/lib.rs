//! No code: this crate depends on every outside crate of the workspace.
//!
//! Cargo unites the features of the packages it builds together, so testing one crate alone would
//! compile polars again with a feature less. `cargo dev test CRATE` builds this crate beside it,
//! and the selection is always the whole one: what is compiled once stays compiled.
