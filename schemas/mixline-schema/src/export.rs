//! The declarations in other forms: JSON Schema and the catalogue page.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::artifact::ArtifactSpec;
use crate::column::{ColumnSpec, ColumnType};

/// JSON Schema (draft 2020-12) of one row of an artifact.
#[must_use]
pub fn json_schema(spec: &ArtifactSpec) -> Value {
    let properties: serde_json::Map<String, Value> = spec
        .columns
        .iter()
        .map(|c| (c.name.to_owned(), column_schema(c)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": spec.name,
        "description": spec.doc,
        "type": "object",
        "additionalProperties": false,
        "required": spec.columns.iter().filter(|c| !c.nullable).map(|c| c.name).collect::<Vec<_>>(),
        "properties": properties,
        "x-mixline-schema-version": spec.schema_version,
        "x-mixline-key": spec.key,
    })
}

fn column_schema(column: &ColumnSpec) -> Value {
    let (ty, format) = match column.ty {
        ColumnType::Text => ("string", None),
        ColumnType::Int => ("integer", None),
        ColumnType::Float => ("number", None),
        ColumnType::Bool => ("boolean", None),
        ColumnType::Date => ("string", Some("date")),
        ColumnType::Timestamp => ("string", Some("date-time")),
        ColumnType::Binary => ("string", Some("base64")),
    };
    let mut schema = json!({
        "type": if column.nullable { json!([ty, "null"]) } else { json!(ty) },
        "description": column.doc,
    });
    if let Some(format) = format {
        schema["format"] = json!(format);
    }
    if !column.unit.is_empty() {
        schema["x-mixline-unit"] = json!(column.unit);
    }
    if let Some(min) = column.range.min {
        schema["minimum"] = json!(min);
    }
    if let Some(max) = column.range.max {
        schema["maximum"] = json!(max);
    }
    schema
}

/// The catalogue page: one section per artifact.
#[must_use]
pub fn catalogue_markdown(specs: &[&ArtifactSpec]) -> String {
    let mut page = String::new();
    for spec in specs {
        let key = if spec.key.is_empty() {
            "none".into()
        } else {
            format!("`{}`", spec.key.join("`, `"))
        };
        let _ = writeln!(
            page,
            "## `{}` v{}\n\n{}\n\nKey: {key}.\n",
            spec.name, spec.schema_version, spec.doc
        );
        page.push_str("| column | type | unit | legal values | meaning |\n|---|---|---|---|---|\n");
        for column in &spec.columns {
            let _ = writeln!(page, "{}", catalogue_row(column));
        }
        page.push('\n');
    }
    page
}

fn catalogue_row(column: &ColumnSpec) -> String {
    let ty = format!("{:?}", column.ty).to_lowercase();
    let nullable = if column.nullable { ", nullable" } else { "" };
    let range = match (column.range.min, column.range.max) {
        (None, None) => String::new(),
        (Some(min), None) => format!("≥ {min}"),
        (None, Some(max)) => format!("≤ {max}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
    };
    format!(
        "| `{}` | {ty}{nullable} | {} | {range} | {} |",
        column.name, column.unit, column.doc
    )
}
