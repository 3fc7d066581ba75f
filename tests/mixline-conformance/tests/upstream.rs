//! The checker against upstream's own examples: what is valid passes, what is invalid does not.

use std::path::Path;

use mixline_conformance::{Spec, cycle_problems};
use serde_json::{Value, json};

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the example")).expect("JSON")
}

#[test]
fn the_five_invalid_facets_and_the_missing_run_id_are_refused() {
    let Some(spec) = Spec::open() else { return };
    let events = spec.folder().join("proxy/fluentd/events");
    for name in [
        "event_invalid_dataset_facet",
        "event_invalid_input_dataset_facet",
        "event_invalid_job_facet",
        "event_invalid_output_dataset_facet",
        "event_invalid_run_facet",
        "event_no_run_id",
    ] {
        let problems = spec.problems(&read(&events.join(format!("{name}.json"))));
        assert!(!problems.is_empty(), "{name} passes");
    }
    let simple = spec.problems(&read(&events.join("event_simple.json")));
    assert_eq!(simple, Vec::<String>::new());
}

#[test]
fn every_upstream_facet_example_passes() {
    let Some(spec) = Spec::open() else { return };
    let mut seen = 0;
    for folder in std::fs::read_dir(spec.folder().join("spec/tests")).expect("a folder that reads")
    {
        let folder = folder.expect("a folder that reads").path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&folder).expect("a folder that reads") {
            let facets = read(&file.expect("a folder that reads").path());
            let event = around(name, &facets);
            let problems = spec.problems(&event);
            assert_eq!(problems, Vec::<String>::new(), "{name}: {facets:#}");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen} examples");
}

/// An event that holds facets where facets of their class belong.
fn around(class: &str, facets: &Value) -> Value {
    let mut event = json!({
        "eventType": "START",
        "eventTime": "2026-11-20T10:00:00Z",
        "run": {"runId": "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f", "facets": {}},
        "job": {"namespace": "n", "name": "j", "facets": {}},
        "inputs": [], "outputs": [],
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    });
    match class {
        _ if class.ends_with("RunFacet") => event["run"]["facets"] = facets.clone(),
        _ if class.ends_with("JobFacet") => event["job"]["facets"] = facets.clone(),
        _ => event["outputs"] = json!([{"namespace": "n", "name": "d", "facets": facets}]),
    }
    event
}

#[test]
fn broken_run_cycles_are_found() {
    let event = |kind: &str, second: u32, name: &str| {
        json!({
            "eventType": kind, "eventTime": format!("2026-11-20T10:00:{second:02}Z"),
            "run": {"runId": "r"}, "job": {"namespace": "n", "name": name},
        })
    };
    let whole = [event("START", 1, "j"), event("COMPLETE", 2, "j")];
    assert_eq!(cycle_problems(&whole), Vec::<String>::new());
    for broken in [
        &whole[..1],
        &whole[1..],
        &[
            event("START", 1, "j"),
            event("START", 1, "j"),
            event("FAIL", 2, "j"),
        ][..],
        &[event("START", 3, "j"), event("COMPLETE", 2, "j")],
        &[event("START", 1, "j"), event("COMPLETE", 2, "other")],
        &[
            event("START", 1, "j"),
            event("COMPLETE", 2, "j"),
            event("RUNNING", 3, "j"),
        ],
    ] {
        assert!(!cycle_problems(broken).is_empty(), "{broken:?}");
    }
    let mut stray = whole.to_vec();
    stray[0]["run"]["facets"] =
        json!({"parent": {"run": {"runId": "r"}, "job": {"name": "other"}}});
    assert!(!cycle_problems(&stray).is_empty());
}
