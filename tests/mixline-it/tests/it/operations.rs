//! Operations: metrics that a parser of Prometheus' own reads, JSON logs, traces, backup, doctor.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use mixline_conformance::Receiver;
use mixline_servers::Postgres;
use serde_json::Value;

use crate::readers::python;
use crate::support::{Project, text};
use crate::watched::{Running, get, scheduler, total};

/// A DAG that fires every minute.
const EVERY_MINUTE: &str = "name = \"minutes\"\n[schedule]\ncron = \"* * * * *\"\nzone = \"UTC\"\n\
    [tasks.one]\nstep = \"step-noop\"\n";

/// Prints the name, type and samples of every family, by the parsers of Prometheus' own client.
const PARSE: &str = r"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic
parse = {'openmetrics': openmetrics, 'classic': classic}[sys.argv[1]]
families = [(f.name, f.type, f.documentation, [s.name for s in f.samples]) for f in parse(sys.stdin.read())]
for name, kind, documentation, samples in families:
    assert documentation, name
print(json.dumps({name: [kind, samples] for name, kind, _, samples in families}))
";

fn parsed(python: &std::path::Path, format: &str, metrics: &str) -> Value {
    let mut child = Command::new(python)
        .args(["-c", PARSE, format])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(metrics.as_bytes()).expect("sent");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    assert!(
        output.status.success(),
        "{}\n{metrics}",
        text(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("a document")
}

#[test]
fn a_scheduler_is_measured_and_logs_in_json_with_trace_ids() {
    let project = Project::empty();
    project.dag("minutes", EVERY_MINUTE);
    let (mut running, address) = scheduler(&project, Stdio::piped());
    // Until a minute is over, a run has been fired and has ended.
    let mut metrics = String::new();
    for _ in 0..180 {
        (_, metrics) = get(
            &address,
            "/metrics",
            "application/openmetrics-text; version=1.0.0",
        );
        if total(&metrics, "mixline_runs_total") > 0.0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let failed = "mixline_runs_total{dag=\"minutes\",state=\"failed\",trigger=\"schedule\"} 0";
    assert!(metrics.contains(failed), "{metrics}");
    let succeeded = "mixline_last_success_timestamp_seconds{dag=\"minutes\"}";
    assert!(metrics.contains(succeeded), "{metrics}");
    assert_eq!(get(&address, "/healthz", "*/*").0, 200);
    assert_eq!(get(&address, "/elsewhere", "*/*").0, 404);
    let (_, classic) = get(&address, "/metrics", "text/plain");
    let _ = running.0.kill();
    let mut log = String::new();
    let mut stderr = running.0.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut log).expect("the log");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines only"))
        .collect();
    let ended = lines
        .iter()
        .find(|line| line["message"] == "attempt succeeded");
    let ended = ended.expect("a line for the attempt");
    let run = ended["run"].as_str().expect("a run");
    assert_eq!(
        ended["trace_id"].as_str(),
        Some(run.replace('-', "").as_str())
    );
    assert_eq!(ended["span_id"].as_str().map(str::len), Some(16));
    // The step was handed the same trace.
    let said = project.ok(&["logs", run]);
    assert!(said.contains(&run.replace('-', "")), "{said}");
    let Some(python) = python() else { return };
    let families = parsed(&python, "openmetrics", &metrics);
    for (name, kind) in [
        ("mixline_runs", "counter"),
        ("mixline_run_duration_seconds", "histogram"),
        ("mixline_attempt_peak_memory_bytes", "gauge"),
        ("mixline_next_fire_timestamp_seconds", "gauge"),
        ("mixline_state_database_bytes", "gauge"),
        ("process_cpu_seconds", "counter"),
    ] {
        assert_eq!(families[name][0], kind, "{name}: {families:#}");
    }
    let families = parsed(&python, "classic", &classic);
    assert_eq!(families["mixline_build_info"][0], "gauge", "{families:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_trace_at_the_collector() {
    let project = Project::empty();
    project.dag("minutes", EVERY_MINUTE);
    let collector = Receiver::start([]).await;
    let url = collector.url();
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ran = tokio::task::spawn_blocking(move || {
        project
            .mixline(&["run", "minutes"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            .env("TRACEPARENT", caller)
            .output()
    });
    let ran = ran.await.expect("no panic").expect("mixline starts");
    assert!(ran.status.success(), "{ran:?}");
    let taken = collector.taken();
    assert_eq!((taken.len(), taken[0].0.as_str()), (1, "/v1/traces"));
    let spans = &taken[0].1["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let spans = spans.as_array().expect("spans");
    assert_eq!(spans.len(), 2);
    assert!(
        spans
            .iter()
            .all(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736")
    );
    assert_eq!(spans[0]["parentSpanId"], "00f067aa0ba902b7");
}

#[test]
fn a_backup_is_made_while_a_run_goes_on_and_brings_history_back() {
    let project = Project::initialized();
    project.dag("minutes", EVERY_MINUTE);
    project.dag(
        "slow",
        "name = \"slow\"\n[tasks.one]\nstep = \"step-noop\"\n[tasks.one.outputs]\nout = \"slow\"\n\
         [tasks.one.config]\nsleep_ms = 4000\n",
    );
    project.ok(&["run", "minutes"]);
    let mut going = Running(
        project
            .mixline(&["run", "slow"])
            .stderr(Stdio::null())
            .spawn()
            .expect("mixline starts"),
    );
    std::thread::sleep(Duration::from_millis(700));
    project.ok(&["state", "backup", "--to", "backup"]);
    let refused = project.output(&["state", "restore", "--from", "backup"]);
    assert_eq!(refused.status.code(), Some(74), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("another process"));
    assert!(going.0.wait().expect("an end").success());
    let again = project.output(&["state", "backup", "--to", "backup"]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "a backup is never overwritten"
    );
    std::fs::remove_file(project.path().join(".mixline/hash.key")).expect("a key");
    project.ok(&["run", "minutes", "--force"]);
    project.ok(&["state", "restore", "--from", "backup"]);
    let runs = project.ok(&["runs", "list", "--json"]);
    let runs: Value = serde_json::from_str(&runs).expect("a document");
    let runs = runs["runs"].as_array().expect("runs").clone();
    assert_eq!(runs.len(), 2, "the run after the backup is gone: {runs:#?}");
    assert!(project.path().join(".mixline/hash.key").exists());
    // The run that was going on is adopted: its output is in the store.
    project.ok(&["resume"]);
    let doctor = text(&project.output(&["doctor", "--json"]).stdout);
    assert!(doctor.contains("0 going on"), "{doctor}");
    assert_eq!(
        project
            .output(&["state", "restore", "--from", "nowhere"])
            .status
            .code(),
        Some(74)
    );
}

#[test]
fn doctor_says_what_is_there_and_shows_no_secret() {
    let project = Project::initialized();
    let seen = project
        .mixline(&["doctor", "--json"])
        .env("OPENLINEAGE_URL", "http://127.0.0.1:9")
        .env("OPENLINEAGE_API_KEY", "topsecret")
        .output()
        .expect("mixline starts");
    let seen = text(&seen.stdout);
    assert!(!seen.contains("topsecret"), "{seen}");
    let document: Value = serde_json::from_str(&seen).expect("a document");
    assert_eq!(document["ok"], true, "a new project is sound: {seen}");
    assert!(
        seen.contains("weekly_retrain waits for media_daily"),
        "{seen}"
    );
    let checks = document["checks"].as_array().expect("checks");
    for what in [
        "disk",
        "store",
        "state",
        "clock",
        "credentials",
        "outbox",
        "steps",
        "images",
        "dag",
    ] {
        assert!(
            checks.iter().any(|check| check["what"] == what),
            "{what}: {seen}"
        );
    }
}

/// Overwrites the first page of the table of runs.
const DAMAGE: &str = r#"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
size = db.execute('PRAGMA page_size').fetchone()[0]
root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
db.close()
with open(sys.argv[1], 'r+b') as file:
    file.seek((root - 1) * size)
    file.write(b'\xff' * size)
"#;

#[test]
fn doctor_goes_on_when_the_database_is_damaged_and_says_how_to_mend_it() {
    let Some(python) = python() else { return };
    let project = Project::initialized();
    project.dag("minutes", EVERY_MINUTE);
    project.ok(&["run", "minutes"]);
    let damaged = Command::new(&python)
        .args(["-c", DAMAGE])
        .arg(project.path().join(".mixline/state.db"))
        .output()
        .expect("python starts");
    assert!(damaged.status.success(), "{}", text(&damaged.stderr));
    let seen = project.output(&["doctor"]);
    let (table, errors) = (text(&seen.stdout), text(&seen.stderr));
    assert_eq!(seen.status.code(), Some(1), "{table}\n{errors}");
    assert!(table.contains("mixline state restore"), "{table}");
    for what in ["disk", "store", "state", "runs", "outbox", "steps", "dag"] {
        assert!(table.contains(what), "{what}: {table}");
    }
}

#[test]
fn a_consumer_that_is_configured_no_more_can_be_forgotten() {
    let project = Project::empty();
    project.dag("minutes", EVERY_MINUTE);
    let ran = project
        .mixline(&["run", "minutes"])
        .env("OPENLINEAGE_URL", "http://127.0.0.1:9")
        .output()
        .expect("mixline starts");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let doctor = || text(&project.output(&["doctor"]).stdout);
    let advice = "mixline state forget-consumer openlineage";
    assert!(doctor().contains(advice), "{}", doctor());
    // Whoever runs something is told, too.
    let again = project.output(&["run", "minutes"]);
    let said = text(&again.stderr);
    assert!(said.contains("forget-consumer"), "{said}");
    let wrong = project.output(&["state", "forget-consumer", "mlflow"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("openlineage"));
    let said = project.ok(&["state", "forget-consumer", "openlineage"]);
    assert!(said.contains("1 run"), "{said}");
    assert!(doctor().contains("everybody has been told"));
}

#[test]
fn of_a_database_on_a_server_the_key_is_backed_up_and_the_rest_is_said() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let project = Project::initialized();
    let url = server.database();
    let ok = |args: &[&str]| {
        let mut mixline = project.mixline(args);
        let output = mixline.env("MIXLINE_DATABASE_URL", &url).output();
        let output = output.expect("mixline starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let key = project.path().join(".mixline/hash.key");
    let before = std::fs::read(&key).expect("a key");
    let said = ok(&["state", "backup", "--to", "backup"]);
    assert!(said.contains("pg_dump"), "{said}");
    std::fs::remove_file(&key).expect("a key");
    let said = ok(&["state", "restore", "--from", "backup"]);
    assert!(said.contains("pg_restore"), "{said}");
    assert_eq!(std::fs::read(&key).expect("a key"), before);
}
