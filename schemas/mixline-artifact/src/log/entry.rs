//! One log entry: Delta actions as lines of JSON, read into what Mixline needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use mixline_schema::{Digest, Provenance, WriteMode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::schema::TableSchema;
use crate::error::StoreError;

/// One Parquet file of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Path within the table.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// Sum of its row hashes.
    pub(crate) sum: u128,
    /// Delta statistics.
    pub(crate) stats: Value,
}

/// What Mixline adds to `commitInfo`, under the key `mixline`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommitNote {
    pub(crate) commit_id: String,
    pub(crate) mode: WriteMode,
    pub(crate) rows: u64,
    pub(crate) digest: Digest,
    pub(crate) schema_version: u32,
    pub(crate) provenance: Provenance,
}

/// A parsed entry, or a parsed compaction of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) schema: Option<TableSchema>,
    pub(crate) adds: Vec<DataFile>,
    pub(crate) removes: Vec<String>,
    pub(crate) note: Option<CommitNote>,
    pub(crate) operation: String,
    pub(crate) timestamp: DateTime<Utc>,
}

impl Entry {
    /// Parses the text of a log entry.
    pub(crate) fn parse(path: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |detail: String| StoreError::Damaged {
            path: path.to_owned(),
            detail,
        };
        let mut entry = Self::default();
        for line in bytes
            .split(|b| *b == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
        {
            let action: Value = serde_json::from_slice(line).map_err(|e| damaged(e.to_string()))?;
            entry.take(&action).map_err(damaged)?;
        }
        Ok(entry)
    }

    fn take(&mut self, action: &Value) -> Result<(), String> {
        if let Some(add) = action.get("add") {
            self.adds.push(file_of(add)?);
        } else if let Some(remove) = action.get("remove") {
            self.removes.push(text(remove, "path")?.to_owned());
        } else if let Some(metadata) = action.get("metaData") {
            self.schema = Some(TableSchema::parse(metadata)?);
        } else if let Some(protocol) = action.get("protocol") {
            if protocol["minReaderVersion"].as_u64().unwrap_or(u64::MAX) > 1 {
                return Err("it needs a newer Delta reader than version 1".to_owned());
            }
        } else if let Some(info) = action.get("commitInfo") {
            info["operation"]
                .as_str()
                .unwrap_or("UNKNOWN")
                .clone_into(&mut self.operation);
            let at = info["timestamp"]
                .as_i64()
                .and_then(DateTime::from_timestamp_millis);
            self.timestamp = at.unwrap_or_default();
            if let Some(note) = info.get("mixline") {
                let note = CommitNote::deserialize(note).map_err(|e| e.to_string())?;
                self.timestamp = note.provenance.committed_at;
                self.note = Some(note);
            }
        }
        Ok(())
    }
}

fn text<'a>(action: &'a Value, field: &str) -> Result<&'a str, String> {
    action[field]
        .as_str()
        .ok_or_else(|| format!("an action has no `{field}`"))
}

fn file_of(add: &Value) -> Result<DataFile, String> {
    let stats: Value = match add["stats"].as_str() {
        Some(stats) => serde_json::from_str(stats).map_err(|e| e.to_string())?,
        None => Value::Null,
    };
    let sum = add["tags"]["mixline.digest"].as_str();
    Ok(DataFile {
        path: text(add, "path")?.to_owned(),
        size: add["size"].as_u64().unwrap_or(0),
        rows: stats["numRecords"].as_u64().unwrap_or(0),
        sum: sum
            .and_then(|hex| u128::from_str_radix(hex, 16).ok())
            .unwrap_or(0),
        stats,
    })
}

/// The `add` action of a file.
pub(crate) fn add_action(file: &DataFile, at: DateTime<Utc>) -> Value {
    json!({"add": {
        "path": file.path,
        "partitionValues": {},
        "size": file.size,
        "modificationTime": at.timestamp_millis(),
        "dataChange": true,
        "stats": file.stats.to_string(),
        "tags": {"mixline.digest": format!("{:032x}", file.sum)},
    }})
}

/// The `remove` action of a path.
pub(crate) fn remove_action(path: &str, at: DateTime<Utc>) -> Value {
    json!({"remove": {
        "path": path, "deletionTimestamp": at.timestamp_millis(), "dataChange": true,
    }})
}

/// The protocol every table of ours declares: no table feature at all.
pub(crate) fn protocol_action() -> Value {
    json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}})
}

/// The `commitInfo` action.
pub(crate) fn info_action(note: &CommitNote) -> Value {
    let (operation, mode) = match note.mode {
        WriteMode::Replace => ("WRITE", "Overwrite"),
        WriteMode::Append => ("WRITE", "Append"),
        WriteMode::Upsert => ("MERGE", "Upsert"),
    };
    json!({"commitInfo": {
        "timestamp": note.provenance.committed_at.timestamp_millis(),
        "operation": operation,
        "operationParameters": {"mode": mode},
        "isBlindAppend": note.mode == WriteMode::Append,
        "engineInfo": concat!("mixline/", env!("CARGO_PKG_VERSION")),
        "mixline": note,
    }})
}

/// Actions as lines.
pub(crate) fn lines(actions: &[Value]) -> bytes::Bytes {
    let mut text = String::new();
    for action in actions {
        text.push_str(&action.to_string());
        text.push('\n');
    }
    text.into()
}

/// Entries kept at a time, some kilobytes each.
const MOST_ENTRIES: usize = 4096;

/// What was read of the logs. Entries never change, so neither does what is kept here.
#[derive(Debug, Default)]
pub(crate) struct EntryCache {
    entries: Mutex<HashMap<String, Arc<Entry>>>,
    heads: Mutex<HashMap<String, u64>>,
}

impl EntryCache {
    pub(crate) fn get(&self, path: &str) -> Option<Arc<Entry>> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .cloned()
    }

    pub(crate) fn put(&self, path: &str, entry: Arc<Entry>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever lives for weeks must not keep everything it ever read.
        if entries.len() >= MOST_ENTRIES {
            entries.clear();
        }
        entries.insert(path.to_owned(), entry);
    }

    /// A version known to exist, to start listing from; the head may be later.
    pub(crate) fn known_head(&self, artifact: &str) -> Option<u64> {
        self.heads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(artifact)
            .copied()
    }

    pub(crate) fn saw_head(&self, artifact: &str, head: u64) {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let known = heads.entry(artifact.to_owned()).or_insert(head);
        *known = head.max(*known);
    }
}
