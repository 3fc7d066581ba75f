//! OpenTelemetry traces: a finished run as one trace, over OTLP/HTTP in JSON.
//!
//! A run is a span, its attempts are spans below it, and a step that traces itself hangs below its
//! attempt, since it was handed the attempt's span as `TRACEPARENT`. Spans are built from the
//! stored events when the run has ended, so a crash loses none and a collector that is away is told
//! later. Configured by the variables of the OpenTelemetry specification:
//!
//! | variable | meaning |
//! |---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_TRACES_ENDPOINT` | base address (`/v1/traces` is added), or the whole address |
//! | `OTEL_EXPORTER_OTLP_HEADERS`, `…_TRACES_HEADERS` | `key=value,key=value` |
//! | `OTEL_EXPORTER_OTLP_TIMEOUT`, `…_TRACES_TIMEOUT` | milliseconds |
//! | `OTEL_EXPORTER_OTLP_PROTOCOL`, `…_TRACES_PROTOCOL` | `http/json`; others are refused |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who we are; `mixline` by default |
//! | `OTEL_SDK_DISABLED` | `true`: nothing is sent |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::event::{RecordedEvent, RunEnd, RunEvent};
use crate::lineage::Variables;
use crate::relay::{Consumer, Http, HttpSettings, Parcel, SettingsError, Trouble};
use crate::trace::Trace;

const INTERNAL: u8 = 1;
const OK: u8 = 1;
const ERROR: u8 = 2;

/// The consumer of traces that the environment asks for, if it does.
///
/// # Errors
/// [`SettingsError`] with the variable that cannot be used.
pub fn consumer(variables: Variables<'_>) -> Result<Option<Arc<dyn Consumer>>, SettingsError> {
    let get = |name: &str| variables(name).filter(|value| !value.trim().is_empty());
    if get("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let own = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    let path = if own.is_some() { "" } else { "v1/traces" };
    let Some(url) = own.or_else(|| get("OTEL_EXPORTER_OTLP_ENDPOINT")) else {
        return Ok(None);
    };
    let mut settings = HttpSettings::new(&url);
    let headers = signal(&get, "HEADERS").map(|(_, headers)| headers);
    settings.headers = pairs(headers.as_deref().unwrap_or_default());
    settings.timeout = timeout(&get)?;
    check_protocol(&get)?;
    let mut resource = BTreeMap::from([
        ("service.name".to_owned(), "mixline".to_owned()),
        (
            "service.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
    ]);
    resource.extend(pairs(&get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default()));
    resource.extend(get("OTEL_SERVICE_NAME").map(|name| ("service.name".to_owned(), name)));
    Ok(Some(Arc::new(Otlp {
        http: Http::new(&settings)?,
        path,
        resource,
    })))
}

/// The variable of traces that is set, or the one of all signals, with its value.
fn signal(get: &dyn Fn(&str) -> Option<String>, key: &str) -> Option<(String, String)> {
    let names =
        ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"].map(|of| format!("{of}{key}"));
    let mut set = names.into_iter().filter_map(|name| {
        let value = get(&name)?;
        Some((name, value.trim().to_owned()))
    });
    set.next()
}

fn timeout(get: &dyn Fn(&str) -> Option<String>) -> Result<Duration, SettingsError> {
    let Some((name, text)) = signal(get, "TIMEOUT") else {
        return Ok(Duration::from_secs(10));
    };
    let timeout = text.parse().ok().map(Duration::from_millis);
    timeout
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| SettingsError::Value {
            name,
            problem: format!("is `{text}`; write a positive number of milliseconds"),
        })
}

/// A collector that expects another protocol would refuse every trace.
fn check_protocol(get: &dyn Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
    match signal(get, "PROTOCOL") {
        Some((name, other)) if other != "http/json" => Err(SettingsError::Value {
            name,
            problem: format!(
                "is `{other}`, and traces are sent as `http/json` only; set \
                 OTEL_EXPORTER_OTLP_TRACES_PROTOCOL to `http/json`, and \
                 OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the collector's HTTP address, as a rule \
                 http://HOST:4318/v1/traces"
            ),
        }),
        _ => Ok(()),
    }
}

/// What a collector that took a trace has left out of it, by its answer: the number of spans, and
/// why. It is not to be sent again.
fn left_out(answer: &str) -> Option<(u64, String)> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    // 64-bit integers are texts in JSON; not every collector keeps to it.
    let rejected = match partial.get("rejectedSpans") {
        Some(Value::String(text)) => text.parse().ok()?,
        Some(number) => number.as_u64()?,
        None => 0,
    };
    let why = partial["errorMessage"].as_str().unwrap_or_default();
    (rejected > 0 || !why.is_empty()).then(|| (rejected, why.to_owned()))
}

/// `key=value,key=value`, with values percent-encoded as baggage is.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |entry: &str| {
        let (key, value) = entry.split_once('=')?;
        Some((key.trim().to_owned(), decoded(value.trim())))
    };
    text.split(',').filter_map(pair).collect()
}

/// Percent-decodes; what is no escape stays as it is.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        let escape = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Debug)]
struct Otlp {
    http: Http,
    path: &'static str,
    resource: BTreeMap<String, String>,
}

#[async_trait::async_trait]
impl Consumer for Otlp {
    fn name(&self) -> &str {
        "otlp"
    }

    fn parcels(&self, events: &[RecordedEvent]) -> Vec<Parcel> {
        let last = events
            .last()
            .filter(|last| matches!(last.event, RunEvent::RunFinished { .. }));
        let parcel = |last: &RecordedEvent| {
            Some(Parcel {
                seq: last.seq,
                body: self.document(&spans(events)?),
            })
        };
        last.and_then(parcel).into_iter().collect()
    }

    async fn deliver(&self, parcel: &Parcel) -> Result<(), Trouble> {
        let answer = self.http.post(self.path, &parcel.body).await?;
        if let Some((rejected, why)) = left_out(&answer) {
            tracing::warn!(
                rejected,
                why,
                "the collector took a trace without some spans"
            );
        }
        Ok(())
    }
}

impl Otlp {
    fn document(&self, spans: &[Value]) -> Value {
        let resource: Vec<Value> = self.resource.iter().map(|(k, v)| attribute(k, v)).collect();
        json!({"resourceSpans": [{
            "resource": {"attributes": resource},
            "scopeSpans": [{
                "scope": {"name": "mixline", "version": env!("CARGO_PKG_VERSION")},
                "spans": spans,
            }],
        }]})
    }
}

/// The span of the run and those of its attempts; `None` when the events do not begin with it.
fn spans(events: &[RecordedEvent]) -> Option<Vec<Value>> {
    let (first, last) = (events.first()?, events.last()?);
    let RunEvent::RunCreated {
        plan,
        trigger,
        origin,
        ..
    } = &first.event
    else {
        return None;
    };
    let trace = Trace::of(&first.run_id, origin);
    let end = match &last.event {
        RunEvent::RunFinished { state } => *state,
        _ => RunEnd::Failed,
    };
    let mut run = span(
        &trace,
        &plan.dag,
        &trace.run_span(),
        trace.parent.as_deref(),
    );
    run["attributes"] = json!([
        attribute("mixline.run_id", &first.run_id),
        attribute("mixline.dag", &plan.dag),
        attribute("mixline.trigger", trigger),
        attribute("mixline.state", end.as_str()),
    ]);
    timed(&mut run, first.at, last.at);
    let failed = (end != RunEnd::Succeeded).then(|| end.as_str().to_owned());
    run["status"] = status(failed);
    let mut all = vec![run];
    let mut open = BTreeMap::new();
    for recorded in events {
        match &recorded.event {
            RunEvent::AttemptStarted { task, attempt } => {
                open.insert(task.clone(), (*attempt, recorded.at));
            }
            event => {
                let Some((task, outcome, error)) = end_of(event) else {
                    continue;
                };
                let Some((attempt, began)) = open.remove(task) else {
                    continue;
                };
                let id = trace.attempt_span(task, attempt);
                let name = format!("{}.{task}", plan.dag);
                let mut one = span(&trace, &name, &id, Some(&trace.run_span()));
                one["attributes"] = json!([
                    attribute("mixline.run_id", &first.run_id),
                    attribute("mixline.task", task),
                    attribute("mixline.attempt", &attempt.to_string()),
                    attribute("mixline.outcome", outcome),
                ]);
                timed(&mut one, began, recorded.at);
                one["status"] = status(error);
                all.push(one);
            }
        }
    }
    Some(all)
}

/// How an event ends an attempt: task, outcome, and what went wrong.
fn end_of(event: &RunEvent) -> Option<(&str, &'static str, Option<String>)> {
    match event {
        RunEvent::AttemptSucceeded { task, .. } => Some((task, "succeeded", None)),
        RunEvent::TaskSkipped { task, .. } => Some((task, "skipped", None)),
        RunEvent::AttemptFailed { task, error, .. } => Some((task, "failed", Some(error.clone()))),
        RunEvent::AttemptLost { task, .. } => Some((task, "lost", Some("lost".to_owned()))),
        RunEvent::TaskCancelled { task } => Some((task, "cancelled", Some("cancelled".to_owned()))),
        _ => None,
    }
}

fn span(trace: &Trace, name: &str, id: &str, parent: Option<&str>) -> Value {
    json!({
        "traceId": trace.id,
        "spanId": id,
        "parentSpanId": parent.unwrap_or_default(),
        "name": name,
        "kind": INTERNAL,
    })
}

fn timed(span: &mut Value, from: DateTime<Utc>, to: DateTime<Utc>) {
    // 64-bit integers are texts in JSON.
    let nanoseconds = |at: DateTime<Utc>| at.timestamp_nanos_opt().unwrap_or_default().to_string();
    span["startTimeUnixNano"] = json!(nanoseconds(from));
    span["endTimeUnixNano"] = json!(nanoseconds(to.max(from)));
}

fn status(error: Option<String>) -> Value {
    match error {
        None => json!({"code": OK}),
        Some(message) => json!({"code": ERROR, "message": message}),
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Origin;

    #[test]
    fn the_environment_decides_where_traces_go() {
        let asked = |set: &[(&str, &str)]| {
            let map: BTreeMap<String, String> = set
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            consumer(&|name| map.get(name).cloned())
        };
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(asked(&[]).unwrap().is_none());
        assert!(
            asked(&[base, ("OTEL_SDK_DISABLED", "true")])
                .unwrap()
                .is_none()
        );
        let shown = format!(
            "{:?}",
            asked(&[base, ("OTEL_SERVICE_NAME", "shop")])
                .unwrap()
                .unwrap()
        );
        assert!(
            shown.contains("v1/traces") && shown.contains("shop"),
            "{shown}"
        );
        for wrong in ["soon", "0", "-1"] {
            assert!(asked(&[base, ("OTEL_EXPORTER_OTLP_TIMEOUT", wrong)]).is_err());
        }
        let of_all = ("OTEL_EXPORTER_OTLP_TIMEOUT", "0");
        let of_traces = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "500");
        assert!(asked(&[base, of_all, of_traces]).is_ok());
        assert_eq!(
            pairs("a=b%20c, d = e=f,x"),
            [("a".into(), "b c".into()), ("d".into(), "e=f".into())]
        );
        assert_eq!(decoded("100%"), "100%");
    }

    #[test]
    fn other_protocols_are_refused_with_advice() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317");
        let asked = |protocols: &[(&str, &str)]| {
            let all: BTreeMap<&str, &str> = protocols.iter().copied().chain([base]).collect();
            consumer(&|name| all.get(name).map(|value| (*value).to_owned()))
        };
        let of_all = |protocol| ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let of_traces = |protocol| ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol);
        assert!(asked(&[of_all("http/json")]).is_ok());
        assert!(asked(&[of_all("grpc"), of_traces("http/json")]).is_ok());
        for wrong in [of_all("grpc"), of_traces("http/protobuf")] {
            let said = asked(&[wrong]).unwrap_err().to_string();
            assert!(said.contains(wrong.0) && said.contains("4318"), "{said}");
        }
        // Nobody is to be told, so it does not matter how.
        assert!(
            consumer(&|name| (name == "OTEL_EXPORTER_OTLP_PROTOCOL").then(|| "grpc".into()))
                .is_ok()
        );
    }

    #[test]
    fn what_a_collector_left_out_is_read() {
        let some = r#"{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}"#;
        assert_eq!(left_out(some), Some((3, "too old".to_owned())));
        let number = r#"{"partialSuccess": {"rejectedSpans": 2}}"#;
        assert_eq!(left_out(number), Some((2, String::new())));
        for all in ["", "{}", r#"{"partialSuccess": {}}"#, "taken"] {
            assert_eq!(left_out(all), None, "{all}");
        }
    }

    #[test]
    fn a_run_and_its_attempts_are_one_trace_below_the_caller() {
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let plan = crate::fixture::plan(vec![crate::fixture::task("a", &[])]);
        let created = RunEvent::RunCreated {
            plan: Box::new(plan),
            trigger: "cli".into(),
            max_parallel: 1,
            pools: BTreeMap::new(),
            origin: Box::new(Origin {
                traceparent: Some(caller.into()),
                ..Origin::default()
            }),
        };
        let told = [
            created,
            RunEvent::AttemptStarted {
                task: "a".into(),
                attempt: 1,
            },
            RunEvent::AttemptLost {
                task: "a".into(),
                attempt: 1,
            },
            RunEvent::AttemptStarted {
                task: "a".into(),
                attempt: 2,
            },
            RunEvent::TaskSkipped {
                task: "a".into(),
                reason: String::new(),
            },
            RunEvent::RunFinished {
                state: RunEnd::Succeeded,
            },
        ];
        let events: Vec<RecordedEvent> = told
            .into_iter()
            .zip(0u32..)
            .map(|(event, seq)| RecordedEvent {
                run_id: "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f".into(),
                seq: seq.into(),
                at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seq.into()),
                event,
            })
            .collect();
        let spans = spans(&events).unwrap();
        let ids: std::collections::BTreeSet<_> =
            spans.iter().map(|s| s["spanId"].to_string()).collect();
        assert_eq!((spans.len(), ids.len()), (3, 3));
        assert!(
            spans
                .iter()
                .all(|s| s["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736")
        );
        assert_eq!(spans[0]["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
        assert_eq!(
            (&spans[1]["status"]["code"], &spans[2]["status"]["code"]),
            (&json!(ERROR), &json!(OK))
        );
        assert_eq!(spans[2]["startTimeUnixNano"], "3000000000");
    }
}
