//! Delta log compaction: one file that stands for many entries. The entries stay.

use object_store::path::Path;

use super::entry::{self, Entry};
use super::{Log, fold};
use crate::error::StoreError;

impl Log {
    /// Writes the compaction of all entries so far; returns its range, `None` when there are
    /// fewer than two.
    ///
    /// # Errors
    /// What the store said.
    pub async fn compact_log(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let Some(head) = self.head().await?.filter(|head| *head > 0) else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for version in 0..=head {
            entries.push(self.entry(version).await?);
        }
        let (schema, files) = fold(&entries);
        let at = entries.last().map(|e| e.timestamp).unwrap_or_default();
        let mut actions = vec![entry::protocol_action()];
        actions.extend(schema.map(|s| s.action()));
        let gone = entries
            .iter()
            .flat_map(|e: &std::sync::Arc<Entry>| &e.removes);
        actions.extend(gone.map(|path| entry::remove_action(path, at)));
        actions.extend(files.iter().map(|f| entry::add_action(f, at)));
        let path = self.path(&format!("_delta_log/{:020}.{head:020}.compacted.json", 0));
        match self.create(&path, entry::lines(&actions)).await {
            Ok(()) | Err(object_store::Error::AlreadyExists { .. }) => Ok(Some((0, head))),
            Err(source) => Err(StoreError::Io {
                action: "write",
                path: path.to_string(),
                source,
            }),
        }
    }

    /// The objects that together hold all actions up to `version`, in order.
    pub(super) async fn cover(&self, version: u64) -> Result<Vec<Path>, StoreError> {
        let cached = |v: &u64| {
            self.store
                .entries()
                .get(self.entry_path(*v).as_ref())
                .is_some()
        };
        let mut next = 0;
        let mut paths = Vec::new();
        // A listing costs about as much as reading a few entries.
        if (0..=version).filter(|v| !cached(v)).count() > 8 {
            let names = self.names("_delta_log").await?;
            let ends = names
                .iter()
                .filter_map(|n| n.strip_suffix(".compacted.json"));
            let ends = ends
                .filter_map(|n| n.split_once('.'))
                .filter(|(s, _)| s.parse() == Ok(0));
            let end = ends
                .filter_map(|(_, e)| e.parse::<u64>().ok())
                .filter(|e| *e <= version);
            if let Some(end) = end.max() {
                let name = format!("_delta_log/{:020}.{end:020}.compacted.json", 0);
                paths.push(self.path(&name));
                next = end + 1;
            }
        }
        paths.extend((next..=version).map(|v| self.entry_path(v)));
        Ok(paths)
    }
}
