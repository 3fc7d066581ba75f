//! What is told of a run: taken from its events, small enough to be kept in memory.

use std::collections::BTreeMap;

use mixline_schema::StepResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{RecordedEvent, RunEnd, RunEvent};
use crate::relay::Parcel;

/// MLflow's limits, in characters.
const KEY: usize = 250;
const VALUE: usize = 6000;

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) run_id: String,
    pub(super) dag: String,
    pub(super) trigger: String,
    pub(super) window: Option<String>,
    /// Milliseconds since the epoch.
    pub(super) started: i64,
    pub(super) ended: i64,
    pub(super) end: RunEnd,
    /// Position of the last event.
    seq: u64,
    pub(super) params: BTreeMap<String, String>,
    pub(super) metrics: BTreeMap<String, f64>,
    /// Artifact → version that the run committed.
    pub(super) outputs: BTreeMap<String, u64>,
    /// Identity of the fit, when the run made or judged one.
    pub(super) model_id: Option<String>,
}

impl Record {
    /// Of a run that has ended and in which something ran; reuse is no experiment.
    pub(super) fn of(events: &[RecordedEvent]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        let RunEvent::RunCreated { plan, trigger, .. } = &first.event else {
            return None;
        };
        let RunEvent::RunFinished { state } = &last.event else {
            return None;
        };
        let mut record = Self {
            run_id: first.run_id.clone(),
            dag: plan.dag.clone(),
            trigger: trigger.clone(),
            window: plan.window.map(|window| window.to_string()),
            started: first.at.timestamp_millis(),
            ended: last.at.timestamp_millis(),
            end: *state,
            seq: last.seq,
            params: BTreeMap::new(),
            metrics: BTreeMap::new(),
            outputs: BTreeMap::new(),
            model_id: None,
        };
        let mut ran = false;
        for recorded in events {
            match &recorded.event {
                RunEvent::AttemptSucceeded { task, result, .. } => record.add(task, result),
                RunEvent::AttemptStarted { .. } => ran = true,
                _ => {}
            }
        }
        for task in &plan.tasks {
            flatten(&task.name, &task.config, &mut record.params);
        }
        record
            .params
            .insert("seed".to_owned(), plan.seed.to_string());
        ran.then_some(record)
    }

    pub(super) fn parcel(&self) -> Option<Parcel> {
        Some(Parcel {
            seq: self.seq,
            body: serde_json::to_value(self).ok()?,
        })
    }

    fn add(&mut self, task: &str, result: &StepResult) {
        for (name, value) in &result.checks {
            if let Some(number) = value.as_f64().filter(|number| number.is_finite()) {
                self.metrics.insert(key(&format!("{task}.{name}")), number);
            }
            if let (Some(text), "model_id") = (value.as_str(), name.as_str()) {
                self.model_id = Some(text.to_owned());
            }
        }
        self.metrics
            .insert(key(&format!("{task}.seconds")), result.seconds);
        self.metrics
            .insert(key(&format!("{task}.peak_rss_mib")), result.peak_rss_mib);
        for output in &result.outputs {
            #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
            let rows = output.rows as f64;
            self.metrics
                .insert(key(&format!("{}.rows", output.artifact)), rows);
            self.outputs.insert(output.artifact.clone(), output.version);
        }
    }
}

/// Leaves of a configuration under their paths.
fn flatten(path: &str, value: &Value, params: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                flatten(&format!("{path}.{name}"), value, params);
            }
        }
        Value::Null => {}
        Value::String(text) => drop(params.insert(key(path), cut(text, VALUE))),
        other => drop(params.insert(key(path), cut(&other.to_string(), VALUE))),
    }
}

/// A name that MLflow takes: letters, digits, and a few signs.
fn key(text: &str) -> String {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | ':');
    let text: String = text
        .chars()
        .map(|c| if legal(c) { c } else { '_' })
        .collect();
    cut(&text, KEY)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn configurations_become_params_that_mlflow_takes() {
        let mut params = BTreeMap::new();
        let config =
            json!({"model": {"l_max": 8, "media": {"a+b": "x"}}, "none": null, "list": [1, 2]});
        flatten("fit", &config, &mut params);
        let seen: Vec<_> = params
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("fit.list", "[1,2]"),
                ("fit.model.l_max", "8"),
                ("fit.model.media.a_b", "x")
            ]
        );
        assert_eq!(key(&"ä".repeat(999)).chars().count(), KEY);
    }
}
