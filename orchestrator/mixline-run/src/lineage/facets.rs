//! Facets: what an event says beside who and when. One function each; the version in the schema
//! URL is the version whose required fields the function fills.

use chrono::SecondsFormat;
use mixline_schema::{ArtifactSpec, Window};
use serde_json::{Value, json};

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

pub(super) fn output_statistics(rows: u64) -> Value {
    facet(
        "1-0-2",
        "OutputStatisticsOutputDatasetFacet",
        json!({"rowCount": rows}),
    )
}
