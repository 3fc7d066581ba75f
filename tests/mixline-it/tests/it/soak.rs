//! A scheduler that goes on and on: a window every second stands for one every minute, so that a day
//! passes in 24 minutes. Real processes, the real clock, a retention that lets go of old runs.
//!
//! `cargo dev bench soak` runs the whole day and prints its figures.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Project, asked};
use crate::watched::{get, scheduler, total};

/// Windows that are to run; a day of minutes is 1,440.
const WINDOWS_VARIABLE: &str = "MIXLINE_SOAK_WINDOWS";
/// From how many windows on memory is judged: before, a process is still growing up.
const GROWN_UP: usize = 600;
/// How much larger a process may be at the end than at half-time, in MiB: pages of an allocator come
/// and go.
const SLACK: f64 = 2.0;

/// A windowed step as another process each time, and one that is reused.
const DAG: &str = r#"
name = "minute"
[schedule]
cron = "* * * * * *"
zone = "UTC"
catch_up = "all"
catch_up_cap = 1000
[tasks.first]
step = "step-minute"
[tasks.second]
step = "step-noop"
after = ["first"]
"#;

const STEP: &str = r#"#!/bin/sh
if [ "$1" = describe ]; then
  echo '{"name":"step-minute","about":"A minute.","code_version":"1","windowed":true,"inputs":[],"outputs":[],"config_schema":{},"exit_codes":{}}'
  exit 0
fi
echo '{"status":"succeeded","step":"step-minute","outputs":[],"fingerprint":null,"seconds":0.0,"peak_rss_mib":0}' > "$3"
"#;

fn project(kept: usize) -> Project {
    let project = Project::empty();
    project.step("step-minute", STEP);
    project.dag("minute", DAG);
    project.configure(&format!("[retention]\nruns = {kept}\n"));
    project
}

/// What is looked at as time goes by.
#[derive(Debug, Clone, Copy)]
struct Seen {
    ended: usize,
    resident_mib: f64,
    database_kib: f64,
}

fn look(address: &str) -> Seen {
    let (_, metrics) = get(address, "/metrics", "text/plain");
    Seen {
        ended: total(&metrics, "mixline_runs_total") as usize,
        resident_mib: total(&metrics, "process_resident_memory_bytes") / 1_048_576.0,
        database_kib: total(&metrics, "mixline_state_database_bytes") / 1024.0,
    }
}

#[test]
fn a_scheduler_that_goes_on_and_on_misses_nothing_and_does_not_grow() {
    let due = asked(WINDOWS_VARIABLE, 20);
    let kept = (due / 6).max(5);
    let project = project(kept);
    let (running, address) = scheduler(&project, Stdio::null());
    let mut seen: Vec<Seen> = Vec::new();
    // Twice the time that the windows take: a busy machine is late, and catches up.
    for _ in 0..due * 2 + 60 {
        std::thread::sleep(Duration::from_secs(1));
        let now = look(&address);
        seen.push(now);
        if now.ended >= due {
            break;
        }
    }
    drop(running);
    let last = seen[seen.len() - 1];
    report(due, &seen);
    assert!(last.ended >= due, "{last:?}: {due} were to run");
    nothing_was_missed(&project, kept);
    if due >= GROWN_UP {
        let half = seen[seen.len() / 2];
        assert!(
            last.resident_mib <= half.resident_mib + SLACK,
            "the process grows: {half:?}, then {last:?}"
        );
        assert!(
            last.database_kib <= half.database_kib * 1.1,
            "the database grows: {half:?}, then {last:?}"
        );
    }
}

/// The fires that are kept follow each other without a gap, and each became one run that succeeded.
fn nothing_was_missed(project: &Project, kept: usize) {
    let json =
        |args: &[&str]| -> Value { serde_json::from_str(&project.ok(args)).expect("a document") };
    let fires = json(&["schedule", "fires", "minute", "--json"]);
    let fires = fires["fires"].as_array().expect("fires").clone();
    let done: Vec<&Value> = fires.iter().filter(|f| f["state"] == "done").collect();
    assert!(done.len() >= kept, "{} of {kept} kept", done.len());
    for pair in done.windows(2) {
        assert_eq!(pair[0]["window"]["end"], pair[1]["window"]["start"]);
    }
    let runs = json(&["runs", "list", "--limit", "100000", "--json"]);
    let runs = runs["runs"].as_array().expect("runs").clone();
    for fire in done {
        let of_it: Vec<&Value> = runs
            .iter()
            .filter(|run| run["window"] == fire["window"])
            .collect();
        assert_eq!(of_it.len(), 1, "{fire}: {of_it:?}");
        assert_eq!(of_it[0]["state"], "succeeded", "{fire}");
    }
    // The one that was just ended may not have let go of the ones before it yet.
    assert!(runs.len() <= kept + 3, "{} runs, {kept} kept", runs.len());
    let logs = std::fs::read_dir(project.path().join(".mixline/logs")).expect("a folder");
    assert!(logs.count() <= kept + 3, "logs of runs that are forgotten");
}

fn report(due: usize, seen: &[Seen]) {
    eprintln!("{due} windows were due, {} seconds", seen.len());
    for tenth in [1, 5, 10] {
        let at = seen[(seen.len() - 1) * tenth / 10];
        eprintln!(
            "after {tenth} tenths: {} runs, {:.1} MiB resident, database {:.0} KiB",
            at.ended, at.resident_mib, at.database_kib
        );
    }
}
