//! The run cycle: one START, one end, nothing after it, time never backwards.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use serde_json::Value;

/// Everything that is wrong with the order of events, in the order in which they were sent.
#[must_use]
pub fn cycle_problems(events: &[Value]) -> Vec<String> {
    let mut runs: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        let id = event["run"]["runId"].as_str().unwrap_or_default();
        runs.entry(id).or_default().push(event);
    }
    let mut problems: Vec<String> = runs
        .iter()
        .flat_map(|(id, events)| {
            run_problems(events)
                .into_iter()
                .map(move |p| format!("{id}: {p}"))
        })
        .collect();
    problems.extend(parent_problems(events, &runs));
    problems
}

fn run_problems(events: &[&Value]) -> Vec<String> {
    let kinds: Vec<&str> = events
        .iter()
        .map(|e| e["eventType"].as_str().unwrap_or("none"))
        .collect();
    let is_end = |kind: &&str| matches!(*kind, "COMPLETE" | "FAIL" | "ABORT");
    let count = |wanted: &str| kinds.iter().filter(|kind| **kind == wanted).count();
    let mut problems = Vec::new();
    if count("START") != 1 || kinds.first() != Some(&"START") {
        problems.push(format!("must begin with its only START: {kinds:?}"));
    }
    if kinds.iter().filter(|kind| is_end(kind)).count() != 1 || !kinds.last().is_some_and(is_end) {
        problems.push(format!("must end with its only terminal event: {kinds:?}"));
    }
    let job = |event: &&Value| {
        (
            event["job"]["namespace"].clone(),
            event["job"]["name"].clone(),
        )
    };
    if events.iter().any(|event| job(event) != job(&events[0])) {
        problems.push("changes its job".to_owned());
    }
    let times: Vec<Option<DateTime<FixedOffset>>> = events
        .iter()
        .map(|event| {
            event["eventTime"]
                .as_str()
                .and_then(|text| text.parse().ok())
        })
        .collect();
    if times.iter().any(Option::is_none) || !times.is_sorted() {
        problems.push("goes back in time".to_owned());
    }
    problems
}

/// A parent that is among the events must be the run it says it is.
fn parent_problems(events: &[Value], runs: &BTreeMap<&str, Vec<&Value>>) -> Vec<String> {
    let mut problems = Vec::new();
    for event in events {
        let parent = &event["run"]["facets"]["parent"];
        for place in [parent, &parent["root"]] {
            let Some(id) = place["run"]["runId"].as_str() else {
                continue;
            };
            let known = runs.get(id).map(|events| &events[0]["job"]);
            if known.is_some_and(|job| job["name"] != place["job"]["name"]) {
                problems.push(format!("{id} is not a run of {}", place["job"]["name"]));
            }
        }
    }
    problems
}
