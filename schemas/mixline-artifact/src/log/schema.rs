//! The table's schema as Delta keeps it: `metaData` with a `schemaString`.

use chrono::{DateTime, Utc};
use mixline_schema::{ArtifactSpec, ColumnSpec, ColumnType};
use polars::prelude::{Column, DataFrame, PolarsResult};
use serde_json::{Value, json};

use crate::frame;

/// One stored column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredColumn {
    pub(crate) name: String,
    pub(crate) ty: ColumnType,
    pub(crate) nullable: bool,
}

/// A table's schema, from its newest `metaData` action.
#[derive(Debug, Clone)]
pub(crate) struct TableSchema {
    pub(crate) columns: Vec<StoredColumn>,
    pub(crate) version: u32,
    pub(crate) key: Vec<String>,
    metadata: Value,
}

impl TableSchema {
    /// The schema of a declaration.
    pub(crate) fn of(spec: &ArtifactSpec, id: &str, at: DateTime<Utc>) -> Self {
        let fields: Vec<Value> = spec.columns.iter().map(field).collect();
        let metadata = json!({
            "id": id,
            "name": spec.name,
            "description": spec.doc,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json!({"type": "struct", "fields": fields}).to_string(),
            "partitionColumns": [],
            "createdTime": at.timestamp_millis(),
            "configuration": {
                "mixline.schemaVersion": spec.schema_version.to_string(),
                "mixline.key": spec.key.join(","),
            },
        });
        let columns = spec.columns.iter().map(|c| StoredColumn {
            name: c.name.to_owned(),
            ty: c.ty,
            nullable: c.nullable,
        });
        Self {
            columns: columns.collect(),
            version: spec.schema_version,
            key: spec.key.iter().map(|&k| k.to_owned()).collect(),
            metadata,
        }
    }

    /// The schema in a `metaData` action.
    pub(crate) fn parse(metadata: &Value) -> Result<Self, String> {
        let text = metadata["schemaString"]
            .as_str()
            .ok_or("metaData has no schemaString")?;
        let schema: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let fields = schema["fields"]
            .as_array()
            .ok_or("the schema has no fields")?;
        let configuration = &metadata["configuration"];
        let key = configuration["mixline.key"].as_str().unwrap_or_default();
        let version = configuration["mixline.schemaVersion"].as_str();
        Ok(Self {
            columns: fields.iter().map(column).collect::<Result<_, _>>()?,
            version: version.and_then(|v| v.parse().ok()).unwrap_or(1),
            key: key
                .split(',')
                .filter(|k| !k.is_empty())
                .map(str::to_owned)
                .collect(),
            metadata: metadata.clone(),
        })
    }

    /// The table's id, which stays when the schema changes.
    pub(crate) fn id(&self) -> &str {
        self.metadata["id"].as_str().unwrap_or_default()
    }

    /// The `metaData` action.
    pub(crate) fn action(&self) -> Value {
        json!({ "metaData": self.metadata })
    }

    /// Whether both say the same about columns, key and schema version.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.columns == other.columns && self.version == other.version && self.key == other.key
    }

    /// Why rows of `new` cannot join the rows stored here; `None` when they can.
    pub(crate) fn obstacle(&self, new: &Self) -> Option<String> {
        for old in &self.columns {
            if !new.columns.contains(old) {
                return Some(format!(
                    "the stored column `{}` is gone or has changed",
                    old.name
                ));
            }
        }
        let known = |c: &StoredColumn| self.columns.iter().any(|old| old.name == c.name);
        let added = new.columns.iter().find(|c| !known(c) && !c.nullable);
        if let Some(added) = added {
            return Some(format!("the new column `{}` allows no nulls", added.name));
        }
        (self.key != new.key).then(|| "the key has changed".to_owned())
    }

    /// A stored file's columns as this schema has them; columns added later are null.
    pub(crate) fn conform(&self, stored: &DataFrame) -> PolarsResult<DataFrame> {
        let one = |column: &StoredColumn| {
            let dtype = frame::dtype(column.ty);
            match stored.column(&column.name) {
                Ok(found) if found.dtype() == &dtype => Ok(found.clone()),
                Ok(found) => frame::cast(found, &dtype),
                Err(_) => Ok(Column::full_null(
                    column.name.as_str().into(),
                    stored.height(),
                    &dtype,
                )),
            }
        };
        let columns = self
            .columns
            .iter()
            .map(one)
            .collect::<PolarsResult<Vec<_>>>()?;
        DataFrame::new(stored.height(), columns)
    }

    /// The key columns.
    pub(crate) fn key(&self) -> Vec<&str> {
        self.key.iter().map(String::as_str).collect()
    }
}

fn field(column: &ColumnSpec) -> Value {
    let ty = match column.ty {
        ColumnType::Text => "string",
        ColumnType::Int => "long",
        ColumnType::Float => "double",
        ColumnType::Bool => "boolean",
        ColumnType::Date => "date",
        ColumnType::Timestamp => "timestamp",
        ColumnType::Binary => "binary",
    };
    let mut metadata = json!({"comment": column.doc});
    if !column.unit.is_empty() {
        metadata["unit"] = json!(column.unit);
    }
    json!({"name": column.name, "type": ty, "nullable": column.nullable, "metadata": metadata})
}

fn column(field: &Value) -> Result<StoredColumn, String> {
    let name = field["name"].as_str().ok_or("a column has no name")?;
    let ty = match field["type"].as_str() {
        Some("string") => ColumnType::Text,
        Some("long" | "integer" | "short" | "byte") => ColumnType::Int,
        Some("double" | "float") => ColumnType::Float,
        Some("boolean") => ColumnType::Bool,
        Some("date") => ColumnType::Date,
        Some("timestamp") => ColumnType::Timestamp,
        Some("binary") => ColumnType::Binary,
        _ => {
            return Err(format!(
                "the column `{name}` has a type Mixline does not read"
            ));
        }
    };
    let nullable = field["nullable"].as_bool().unwrap_or(true);
    Ok(StoredColumn {
        name: name.to_owned(),
        ty,
        nullable,
    })
}
