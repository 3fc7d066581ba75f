//! Why a task runs, as data.

use std::fmt;

use mixline_schema::{Digest, FingerprintInputs};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One reason for running a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// No execution of this task and window is known.
    NeverRan,
    /// The step's binary or image is another one.
    CodeChanged {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// A configuration value is another one; `null` stands for absent.
    ConfigChanged {
        /// Where in the configuration.
        path: String,
        /// Before.
        old: Value,
        /// Now.
        new: Value,
    },
    /// An input has other rows.
    InputChanged {
        /// Port.
        port: String,
        /// Before; `None` when it read nothing.
        old: Option<Digest>,
        /// Now; `None` when it reads nothing.
        new: Option<Digest>,
    },
    /// An observed file is new, gone, or has other bytes.
    ObservedChanged {
        /// File.
        path: String,
        /// Before.
        old: Option<Digest>,
        /// Now.
        new: Option<Digest>,
    },
    /// The window is another one.
    Window,
    /// The seed is another one.
    SeedChanged {
        /// Before.
        old: u64,
        /// Now.
        new: u64,
    },
    /// Somebody else has written the output since.
    OutputOverwritten {
        /// Artifact.
        artifact: String,
    },
    /// It was asked for.
    Forced,
    /// A task it reads from runs; whether its rows change is known only afterwards.
    UpstreamRuns {
        /// That task.
        task: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverRan => f.write_str("never ran"),
            Self::CodeChanged { old, new } => {
                write!(f, "code changed ({} → {})", short(old), short(new))
            }
            Self::ConfigChanged { path, old, new } => write!(f, "config {path}: {old} → {new}"),
            Self::InputChanged { port, old, new } => change(f, &format!("input {port}"), old, new),
            Self::ObservedChanged { path, old, new } => change(f, path, old, new),
            Self::Window => f.write_str("another window"),
            Self::SeedChanged { old, new } => write!(f, "seed {old} → {new}"),
            Self::OutputOverwritten { artifact } => {
                write!(f, "{artifact} was written by another execution since")
            }
            Self::Forced => f.write_str("forced"),
            Self::UpstreamRuns { task } => write!(f, "after {task}, if its rows change"),
        }
    }
}

fn change(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    old: &Option<Digest>,
    new: &Option<Digest>,
) -> fmt::Result {
    match (old, new) {
        (None, _) => write!(f, "{what} is new"),
        (_, None) => write!(f, "{what} is gone"),
        (Some(old), Some(new)) => write!(f, "{what} changed ({} → {})", old.short(), new.short()),
    }
}

fn short(code: &str) -> &str {
    let hex = code.split_once(':').map_or(code, |(_, hex)| hex);
    hex.get(..8).unwrap_or(hex)
}

/// Every difference between two executions.
pub(crate) fn differences(old: &FingerprintInputs, new: &FingerprintInputs) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if (&old.step, &old.code_version) != (&new.step, &new.code_version) {
        reasons.push(Reason::CodeChanged {
            old: old.code_version.clone(),
            new: new.code_version.clone(),
        });
    }
    config_differences("", &old.config, &new.config, &mut reasons);
    for port in keys(&old.inputs, &new.inputs) {
        let (old, new) = (old.inputs.get(port).cloned(), new.inputs.get(port).cloned());
        if old != new {
            reasons.push(Reason::InputChanged {
                port: port.clone(),
                old,
                new,
            });
        }
    }
    for path in keys(&old.observed, &new.observed) {
        let (old, new) = (
            old.observed.get(path).cloned(),
            new.observed.get(path).cloned(),
        );
        if old != new {
            reasons.push(Reason::ObservedChanged {
                path: path.clone(),
                old,
                new,
            });
        }
    }
    if old.window != new.window {
        reasons.push(Reason::Window);
    }
    if old.seed != new.seed {
        reasons.push(Reason::SeedChanged {
            old: old.seed,
            new: new.seed,
        });
    }
    reasons
}

fn keys<'a, V>(
    a: &'a std::collections::BTreeMap<String, V>,
    b: &'a std::collections::BTreeMap<String, V>,
) -> std::collections::BTreeSet<&'a String> {
    a.keys().chain(b.keys()).collect()
}

fn config_differences(path: &str, old: &Value, new: &Value, reasons: &mut Vec<Reason>) {
    if old == new {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (old, new) {
        let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for key in keys {
            let below = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let value =
                |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
            config_differences(&below, &value(a), &value(b), reasons);
        }
    } else {
        reasons.push(Reason::ConfigChanged {
            path: path.to_owned(),
            old: old.clone(),
            new: new.clone(),
        });
    }
}
