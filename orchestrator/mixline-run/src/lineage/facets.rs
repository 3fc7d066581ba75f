//! Facets: what an event says beside who and when. One function each; the version in the schema
//! URL is the version whose required fields the function fills.

use chrono::SecondsFormat;
use mixline_schema::{ArtifactSpec, Assertion, ColumnChange, Window};
use serde_json::{Map, Value, json};

use super::columns::{Basis, ColumnSource};
use crate::event::ParentRun;

/// Who writes these events. A URN: it names the code and its release, and claims no address.
pub(super) const PRODUCER: &str = concat!("urn:mixline:orchestrator:", env!("CARGO_PKG_VERSION"));

const BASE: &str = "https://openlineage.io/spec/facets/";

/// A facet: its own fields plus the two that every facet carries.
fn facet(version: &str, class: &str, fields: Value) -> Value {
    let mut facet = fields;
    facet["_producer"] = json!(PRODUCER);
    facet["_schemaURL"] = json!(format!("{BASE}{version}/{class}.json#/$defs/{class}"));
    facet
}

pub(super) fn processing_engine() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    facet(
        "1-1-1",
        "ProcessingEngineRunFacet",
        json!({
            "version": version,
            "name": "mixline",
            "openlineageAdapterVersion": version,
        }),
    )
}

pub(super) fn nominal_time(window: Window) -> Value {
    let text = |t: chrono::DateTime<chrono::Utc>| t.to_rfc3339_opts(SecondsFormat::Millis, true);
    facet(
        "1-0-1",
        "NominalTimeRunFacet",
        json!({
            "nominalStartTime": text(window.start),
            "nominalEndTime": text(window.end),
        }),
    )
}

/// Who started a run, and the run at the top.
pub(super) fn parent(parent: &ParentRun, root: &ParentRun) -> Value {
    let place = |run: &ParentRun| {
        json!({
            "run": {"runId": run.run_id},
            "job": {"namespace": run.namespace, "name": run.job},
        })
    };
    let mut fields = place(parent);
    fields["root"] = place(root);
    facet("1-2-0", "ParentRunFacet", fields)
}

pub(super) fn error_message(message: &str) -> Value {
    facet(
        "1-0-1",
        "ErrorMessageRunFacet",
        json!({
            "message": message,
            "programmingLanguage": "Rust",
        }),
    )
}

pub(super) fn job_type(kind: &str) -> Value {
    facet(
        "2-0-4",
        "JobTypeJobFacet",
        json!({
            "processingType": "BATCH",
            "integration": "MIXLINE",
            "jobType": kind,
        }),
    )
}

pub(super) fn version(version: u64) -> Value {
    facet(
        "1-0-1",
        "DatasetVersionDatasetFacet",
        json!({"datasetVersion": version.to_string()}),
    )
}

pub(super) fn schema(spec: &ArtifactSpec) -> Value {
    let fields: Vec<Value> = spec
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            json!({
                "name": column.name,
                "type": format!("{:?}", column.ty).to_lowercase(),
                "description": column.doc,
                "ordinal_position": at + 1,
            })
        })
        .collect();
    facet("1-2-0", "SchemaDatasetFacet", json!({"fields": fields}))
}

/// Rules that were checked on an input.
pub(super) fn assertions(checked: &[&Assertion]) -> Value {
    let rule = |assertion: &&Assertion| {
        let mut rule = json!({
            "assertion": assertion.assertion,
            "success": assertion.success,
        });
        optional(&mut rule, assertion);
        rule
    };
    let rules: Vec<Value> = checked.iter().map(rule).collect();
    facet(
        "1-1-0",
        "DataQualityAssertionsDatasetFacet",
        json!({ "assertions": rules }),
    )
}

/// Rules that were checked on the run's own result.
pub(super) fn tests(checked: &[&Assertion]) -> Value {
    let test = |assertion: &&Assertion| {
        let mut test = json!({
            "name": assertion.assertion,
            "status": if assertion.success { "pass" } else { "fail" },
        });
        optional(&mut test, assertion);
        test
    };
    let tests: Vec<Value> = checked.iter().map(test).collect();
    facet("1-0-1", "TestRunFacet", json!({ "tests": tests }))
}

fn optional(rule: &mut Value, assertion: &Assertion) {
    for (key, value) in [
        ("severity", &assertion.severity),
        ("actual", &assertion.actual),
    ] {
        if let Some(value) = value {
            rule[key] = json!(value);
        }
    }
}

/// How a column follows from another, and how that is known.
pub(super) fn transformation(source: &ColumnSource) -> Value {
    let subtype = match source.change {
        ColumnChange::Identity => "IDENTITY",
        ColumnChange::Transformation => "TRANSFORMATION",
        ColumnChange::Aggregation => "AGGREGATION",
    };
    let description = match source.basis {
        Basis::Declared => "declared by the step",
        Basis::SameMeaning => "not declared; same name, type, unit and meaning",
    };
    json!({
        "type": "DIRECT",
        "subtype": subtype,
        "description": description,
        "masking": false,
    })
}

/// A column that may have played a part in columns nobody has declared.
pub(super) fn undeclared() -> Value {
    json!({
        "type": "INDIRECT",
        "description": "not declared; known for the table as a whole",
        "masking": false,
    })
}

pub(super) fn column_lineage(fields: Map<String, Value>, dataset: Vec<Value>) -> Value {
    let mut all = json!({ "fields": fields });
    if !dataset.is_empty() {
        all["dataset"] = Value::Array(dataset);
    }
    facet("1-2-0", "ColumnLineageDatasetFacet", all)
}

pub(super) fn output_statistics(rows: u64) -> Value {
    facet(
        "1-0-2",
        "OutputStatisticsOutputDatasetFacet",
        json!({"rowCount": rows}),
    )
}
