//! The fingerprint decides reuse: equal fingerprints mean equal outputs.
//!
//! It is BLAKE3 over canonical JSON (sorted keys) of everything that can change a result:
//! step, code, configuration, input *content*, observed files, window and seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::window::Window;

/// The document behind a fingerprint. Stored beside each run so that a difference can be named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FingerprintInputs {
    /// Step name.
    pub step: String,
    /// Code version of the step.
    pub code_version: String,
    /// Configuration, with defaults filled in by the caller or not: what was given is hashed.
    pub config: Value,
    /// Port → content digest of the version read. Ports that read nothing are absent.
    pub inputs: BTreeMap<String, Digest>,
    /// Files outside the store that the step observes: path → digest of the bytes.
    pub observed: BTreeMap<String, Digest>,
    /// Data interval, when the step uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Random seed.
    pub seed: u64,
}

/// The fingerprint of one execution.
#[must_use]
pub fn fingerprint(inputs: &FingerprintInputs) -> Digest {
    let value = serde_json::to_value(inputs).unwrap_or(Value::Null);
    Digest::of_bytes(canonical_json(&value).as_bytes())
}

/// JSON with sorted keys and no white space: equal values give equal text.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let fields: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| {
                    format!("{}:{}", Value::from(key.as_str()), canonical_json(value))
                })
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical_json).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> FingerprintInputs {
        FingerprintInputs {
            step: "step-x".into(),
            code_version: "1".into(),
            config: serde_json::json!({"b": 1, "a": {"d": [1, 2], "c": null}}),
            inputs: BTreeMap::new(),
            observed: BTreeMap::new(),
            window: None,
            seed: 7,
        }
    }

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        assert_eq!(
            canonical_json(&inputs().config),
            r#"{"a":{"c":null,"d":[1,2]},"b":1}"#
        );
    }

    #[test]
    fn every_part_changes_the_fingerprint() {
        let base = fingerprint(&inputs());
        assert_eq!(base, fingerprint(&inputs()));
        let changes: [fn(&mut FingerprintInputs); 5] = [
            |i| i.seed = 8,
            |i| i.code_version = "2".into(),
            |i| i.config = Value::Null,
            |i| _ = i.inputs.insert("media".into(), Digest::of_bytes(b"x")),
            |i| _ = i.observed.insert("a.csv".into(), Digest::of_bytes(b"x")),
        ];
        for change in changes {
            let mut changed = inputs();
            change(&mut changed);
            assert_ne!(base, fingerprint(&changed));
        }
    }
}
