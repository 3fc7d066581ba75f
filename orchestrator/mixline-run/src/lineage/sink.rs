//! The file sink: OpenLineage events, one JSON per line.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::fold::Lineage;
use crate::dispatcher::Subscriber;
use crate::event::RecordedEvent;
use crate::state::RunState;

/// Appends every OpenLineage event to a file. A file that cannot be written is a warning, never a
/// failed run.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    lineage: Mutex<Lineage>,
}

impl FileSink {
    /// A sink to `path`, made on the first event.
    #[must_use]
    pub fn new(path: &Path, lineage: Lineage) -> Self {
        Self {
            path: path.to_owned(),
            lineage: Mutex::new(lineage),
        }
    }

    fn fold(&self, recorded: &RecordedEvent) -> Vec<Value> {
        self.lineage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(recorded)
    }

    /// One write for all lines, so that two processes do not mix theirs.
    fn append(&self, events: &[Value]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        file.write_all(lines.as_bytes())
    }
}

impl Subscriber for FileSink {
    fn on_event(&self, recorded: &RecordedEvent, _state: &RunState) {
        let events = self.fold(recorded);
        if events.is_empty() {
            return;
        }
        if let Err(error) = self.append(&events) {
            tracing::warn!(path = %self.path.display(), %error, "could not write lineage events");
        }
    }

    /// Folds what happened before without writing it again.
    fn on_takeover(&self, before: &[RecordedEvent]) {
        for recorded in before {
            let _ = self.fold(recorded);
        }
    }
}
