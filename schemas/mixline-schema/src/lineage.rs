//! What a step says of its columns and of the checks it made, so that others can be told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a column follows from the columns it is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnChange {
    /// The same values.
    Identity,
    /// Computed row by row, or by a model.
    Transformation,
    /// Summed or counted over rows.
    Aggregation,
}

/// Which input columns an output column is made from. A column without an entry is not declared:
/// nobody may conclude anything from that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnLineage {
    /// `port.column` of an output.
    pub column: String,
    /// How it is made.
    pub change: ColumnChange,
    /// `port.column` of inputs; empty for a column that follows from configuration alone.
    pub from: Vec<String>,
}

/// The key of a result's `checks` under which assertions are found.
pub const ASSERTIONS: &str = "assertions";

/// A rule that a step checked, and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// The input artifact it is about; absent for rules about the step's own result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The rule, for example `spend.spike`.
    pub assertion: String,
    /// Whether it held.
    pub success: bool,
    /// What a breach means: `error`, `warn` or `info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What was seen, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

impl Assertion {
    /// The assertions among a result's `checks`; whatever is none is left out.
    #[must_use]
    pub fn among(checks: &BTreeMap<String, Value>) -> Vec<Self> {
        let all = checks.get(ASSERTIONS).and_then(Value::as_array);
        let read = |value: &Value| serde_json::from_value(value.clone()).ok();
        all.into_iter().flatten().filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn assertions_are_found_among_other_notes() {
        let rule = json!({"artifact": "orders", "assertion": "date.gap", "success": false});
        let checks = BTreeMap::from([
            ("rows".to_owned(), json!(3)),
            (ASSERTIONS.to_owned(), json!([rule, "nonsense"])),
        ]);
        let found = Assertion::among(&checks);
        assert_eq!((found.len(), found[0].assertion.as_str()), (1, "date.gap"));
        assert!(Assertion::among(&BTreeMap::new()).is_empty());
    }
}
