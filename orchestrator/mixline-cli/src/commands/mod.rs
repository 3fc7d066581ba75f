//! The commands, one file each: its arguments, whose doc comment is the help, and what it does.

pub(crate) mod artifact;
pub(crate) mod attribution;
pub(crate) mod backfill;
pub(crate) mod dag;
pub(crate) mod decisions;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod init;
pub(crate) mod lineage;
pub(crate) mod logs;
pub(crate) mod model;
pub(crate) mod plan;
pub(crate) mod request;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod state;
pub(crate) mod step;
pub(crate) mod whatif;
pub(crate) mod why;
