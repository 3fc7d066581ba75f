//! `schemas/history/`: every schema version as it was first declared, with sample rows.
//!
//! A file is written once. A declaration that still satisfies it (nullable columns may be added)
//! passes; any other change is a new schema version, and old tables stay what they were.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use mixline_schema::{ArtifactSpec, ColumnSpec, ColumnType, catalog};
use serde_json::{Map, Value, json};

use crate::generate::pretty;
use crate::shell;

/// The files that are not there yet.
///
/// # Errors
/// When a declaration has changed in a way that needs a new schema version.
pub(crate) fn missing() -> Result<Vec<(PathBuf, String)>> {
    let (mut missing, mut broken) = (Vec::new(), Vec::new());
    for spec in catalog::all() {
        let name = format!(
            "schemas/history/{}.v{}.json",
            spec.name, spec.schema_version
        );
        let now = declaration(spec)?;
        match std::fs::read_to_string(shell::root().join(&name)) {
            Err(_) => missing.push((name.into(), pretty(&now)?)),
            Ok(text) => {
                let then: Value = serde_json::from_str(&text).with_context(|| name.clone())?;
                broken.extend(changes(&then, &now).map(|change| format!("{name}: {change}")));
            }
        }
    }
    if broken.is_empty() {
        return Ok(missing);
    }
    bail!(
        "these changes need a new schema version (`v{{N}}` in the `artifact!` block):\n  {}",
        broken.join("\n  ")
    )
}

fn declaration(spec: &ArtifactSpec) -> Result<Value> {
    let mut declaration = serde_json::to_value(spec)?;
    declaration["sample"] = json!([sample(spec, false), sample(spec, true)]);
    Ok(declaration)
}

/// What keeps old rows from being rows of today.
fn changes(then: &Value, now: &Value) -> Option<String> {
    if then["key"] != now["key"] {
        return Some("the key has changed".to_owned());
    }
    let columns = |of: &Value| of["columns"].as_array().cloned().unwrap_or_default();
    let (old, new) = (columns(then), columns(now));
    for column in &old {
        let Some(today) = new.iter().find(|today| today["name"] == column["name"]) else {
            return Some(format!("column {} is gone", column["name"]));
        };
        // What a column means may be said better; what it holds may not change.
        let holds = ["ty", "nullable", "unit", "range"];
        if let Some(what) = holds.into_iter().find(|what| today[what] != column[what]) {
            return Some(format!("`{what}` of column {} has changed", column["name"]));
        }
    }
    let known = |column: &&Value| old.iter().any(|before| before["name"] == column["name"]);
    let added = new
        .iter()
        .find(|column| !known(column) && column["nullable"] != json!(true));
    added.map(|column| format!("the new column {} allows no nulls", column["name"]))
}

/// A row; with nulls where they are allowed, or without.
fn sample(spec: &ArtifactSpec, nulls: bool) -> Map<String, Value> {
    let cell = |column: &ColumnSpec| match (column.nullable && nulls, column.ty) {
        (true, _) => Value::Null,
        (false, ColumnType::Text | ColumnType::Binary) => json!(if nulls { "b" } else { "a" }),
        (false, ColumnType::Int) => json!(1 + i64::from(nulls)),
        (false, ColumnType::Float) => json!(if nulls { 0.25 } else { 0.5 }),
        (false, ColumnType::Bool) => json!(true),
        // Days and microseconds since 1970.
        (false, ColumnType::Date) => json!(20_454 + i64::from(nulls)),
        (false, ColumnType::Timestamp) => json!(1_767_225_600_000_000_i64 + i64::from(nulls)),
    };
    spec.columns
        .iter()
        .map(|column| (column.name.to_owned(), cell(column)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &Value) -> Value {
        json!({"key": ["day"], "columns": columns})
    }

    #[test]
    fn only_added_nullable_columns_need_no_new_version() {
        let column = |name: &str, ty: &str, nullable: bool| json!({"name": name, "ty": ty, "nullable": nullable});
        let then = table(&json!([column("day", "date", false)]));
        let with = |extra: Value| table(&json!([column("day", "date", false), extra]));
        assert_eq!(changes(&then, &then), None);
        assert_eq!(changes(&then, &with(column("note", "text", true))), None);
        let needs = changes(&then, &with(column("note", "text", false))).expect("a change");
        assert!(needs.contains("note"), "{needs}");
        let other = table(&json!([column("day", "text", false)]));
        assert!(changes(&then, &other).expect("a change").contains("ty"));
        assert!(
            changes(&then, &table(&json!([])))
                .expect("a change")
                .contains("gone")
        );
    }
}
