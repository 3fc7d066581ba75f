//! Two schedulers on one database, and the leader killed again and again: every window that is due
//! runs, and runs once.
//!
//! On Postgres the two are as if on two machines: they share database and store and nothing else,
//! and neither can see the other's processes, so the standby has only the lease to go by. On SQLite
//! they share a project, as two processes on one machine do.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mixline_servers::Postgres;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Project, asked};

/// Kills of the leader; the bar asks for 100.
const KILLS_VARIABLE: &str = "MIXLINE_FAILOVER_KILLS";
/// A standby that has not taken over by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A window every three seconds; the first task is often running when its orchestrator is killed.
const DAG: &str = r#"
name = "beat"
[schedule]
cron = "*/3 * * * * *"
zone = "UTC"
catch_up = "all"
catch_up_cap = 1000
[defaults]
retry_delay = "10ms"
[tasks.first]
step = "step-beat"
[tasks.second]
step = "step-noop"
after = ["first"]
"#;

/// A step that takes a while and keeps a file for each window, with a line for each attempt.
const STEP: &str = r#"#!/bin/sh
if [ "$1" = describe ]; then
  echo '{"name":"step-beat","about":"Beats.","code_version":"1","windowed":true,"inputs":[],"outputs":[],"config_schema":{},"exit_codes":{}}'
  exit 0
fi
window=$(printf %s "$MIXLINE_CONTEXT" | sed 's/.*"window":{"start":"\([^"]*\)".*/\1/')
sleep 0.4
echo "$$" >> "LEDGER/$window"
echo '{"status":"succeeded","step":"step-beat","outputs":[],"fingerprint":null,"seconds":0.4,"peak_rss_mib":0}' > "$3"
"#;

/// A machine that may run a scheduler.
struct Host {
    project: Project,
    variables: Vec<(&'static str, String)>,
    scheduler: Option<Child>,
}

impl Host {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.mixline(args);
        let variables = self.variables.iter();
        command.envs(variables.map(|(name, value)| (*name, value)));
        command
    }

    fn start(&mut self) {
        let log = self.project.path().join("scheduler.log");
        let log = std::fs::File::options().create(true).append(true).open(log);
        let mut command = self.command(&["schedule", "run"]);
        command
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"));
        self.scheduler = Some(command.spawn().expect("mixline starts"));
    }

    fn kill(&mut self) {
        if let Some(mut scheduler) = self.scheduler.take() {
            scheduler.kill().expect("kill -9");
            scheduler.wait().expect("reaped");
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill starts").success());
    }

    fn pid(&self) -> Option<u64> {
        self.scheduler.as_ref().map(|child| u64::from(child.id()))
    }

    fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let output = self.command(&args).output().expect("mixline starts");
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            panic!("{args:?}: {error}\n{text}\n{said}\n{}", self.log())
        })
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.project.path().join("scheduler.log")).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The process that leads, when its lease holds.
fn leader(host: &Host) -> Option<u64> {
    let leader = &host.json(&["schedule", "status"])["leader"];
    let holds = leader["remaining_ms"].as_i64().unwrap_or(-1) > 0;
    leader["pid"].as_u64().filter(|_| holds)
}

fn wait(what: &str, hosts: &[Host], mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        let logs: Vec<String> = hosts.iter().map(Host::log).collect();
        assert!(began.elapsed() < PATIENCE, "{what}\n{}", logs.join("\n\n"));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What happens to a leader.
#[derive(Clone, Copy, PartialEq)]
enum Blow {
    /// It is killed, and started again as the standby.
    Kill,
    /// It stands still until the other leads, and then goes on as if nothing had happened.
    Freeze,
}

/// Strikes the leader and waits for the other to lead.
fn fail_over(hosts: &mut [Host; 2], kill: usize, blow: Blow) -> Duration {
    let pids = [hosts[0].pid(), hosts[1].pid()];
    let mut leading = None;
    wait("nobody leads", hosts, || {
        leading = leader(&hosts[0]).and_then(|pid| pids.iter().position(|p| *p == Some(pid)));
        leading.is_some()
    });
    let leading = leading.expect("somebody leads");
    // At another moment of the lives of runs and leases each time.
    std::thread::sleep(Duration::from_millis(kill as u64 * 1_237 % 2_500));
    match blow {
        Blow::Kill => hosts[leading].kill(),
        Blow::Freeze => hosts[leading].signal("-STOP"),
    }
    let killed = Instant::now();
    let standby = hosts[1 - leading].pid();
    wait("nobody took over", hosts, || {
        leader(&hosts[leading]) == standby
    });
    let took = killed.elapsed();
    match blow {
        Blow::Kill => hosts[leading].start(),
        Blow::Freeze => hosts[leading].signal("-CONT"),
    }
    took
}

/// Runs the schedule on two hosts, kills leaders, and counts windows at the end.
fn kill_leaders(mut hosts: [Host; 2], ledger: &Path, kills: usize, blows: &[Blow]) {
    for host in &mut hosts {
        host.start();
    }
    let blow = |kill| blows[kill % blows.len()];
    let struck = (0..kills).map(|kill| fail_over(&mut hosts, kill, blow(kill)));
    let mut takeovers: Vec<Duration> = struck.collect();
    takeovers.sort();
    eprintln!(
        "{kills} leaders struck; the standby led after {:?} (median), {:?} (longest)",
        takeovers[takeovers.len() / 2],
        takeovers[takeovers.len() - 1]
    );
    // All that is due by now runs to its end; what becomes due meanwhile is another matter. Where
    // standbys are quick, little is due yet.
    let mut due = 0;
    wait("too little is due", &hosts, || {
        due = fires(&hosts[0]).len();
        due > 3
    });
    let mut left = due;
    while left > 0 {
        wait("fires are left over", &hosts, || {
            let fires = fires(&hosts[0]);
            let open = fires
                .iter()
                .take(due)
                .filter(|fire| fire["state"] != "done");
            let before = std::mem::replace(&mut left, open.count());
            left == 0 || left < before
        });
    }
    for host in &mut hosts {
        host.kill();
    }
    each_window_ran_once(&hosts[0], due, ledger);
}

fn fires(host: &Host) -> Vec<Value> {
    let fires = host.json(&["schedule", "fires", "beat"]);
    fires["fires"].as_array().expect("fires").clone()
}

fn each_window_ran_once(host: &Host, due: usize, ledger: &Path) {
    let mut fires = fires(host);
    fires.truncate(due);
    assert!(fires.len() > 2, "the test has tested something: {fires:?}");
    for pair in fires.windows(2) {
        assert_eq!(
            pair[0]["window"]["end"], pair[1]["window"]["start"],
            "a window was missed"
        );
    }
    let runs = host.json(&["runs", "list", "--limit", "100000"]);
    let runs = runs["runs"].as_array().expect("runs").clone();
    let mut by_window: BTreeMap<String, usize> = BTreeMap::new();
    for run in &runs {
        *by_window.entry(run["window"].to_string()).or_default() += 1;
    }
    let doubled = by_window.iter().find(|(_, runs)| **runs != 1);
    assert_eq!(doubled, None, "a window ran twice");
    let mut attempts = 0;
    for fire in &fires {
        let run = runs.iter().find(|run| run["window"] == fire["window"]);
        let run = run.expect("every fire has a run");
        assert_eq!(run["state"], "succeeded", "{run}\n{}", host.log());
        let start = fire["window"]["start"].as_str().expect("a start");
        let beats = std::fs::read_to_string(ledger.join(start)).expect("its step ran");
        attempts += beats.lines().count();
    }
    eprintln!("{due} windows, a run for each, {attempts} attempts of their first steps");
}

/// A project of its own that shares store, ledger and steps with others.
fn shared(common: &Path, database: &str, name: &str) -> Host {
    let project = Project::empty();
    let store = common.join("store").display().to_string();
    let file = project.path().join("mixline.toml");
    let text = std::fs::read_to_string(&file).expect("reads");
    let steps = format!("steps = [{:?}, ", common.join("bin").display().to_string());
    let text = text.replace("steps = [", &steps);
    std::fs::write(&file, format!("{text}store = {store:?}\n")).expect("writes");
    project.dag("beat", DAG);
    Host {
        project,
        variables: vec![
            ("MIXLINE_DATABASE_URL", database.to_owned()),
            ("MIXLINE_MACHINE", name.to_owned()),
        ],
        scheduler: None,
    }
}

/// What both have in common, and the folder of the ledger in it.
fn common() -> (TempDir, PathBuf) {
    let common = TempDir::new().expect("a scratch folder");
    let (bin, ledger) = (common.path().join("bin"), common.path().join("ledger"));
    for folder in [&bin, &ledger] {
        std::fs::create_dir(folder).expect("writes");
    }
    let script = STEP.replace("LEDGER", &ledger.display().to_string());
    let step = bin.join("step-beat");
    std::fs::write(&step, script).expect("writes");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&step, executable).expect("writes");
    (common, ledger)
}

#[test]
fn two_machines_on_one_postgres_miss_and_double_no_window() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let (common, ledger) = common();
    let database = server.database();
    let hosts = ["one", "two"].map(|name| shared(common.path(), &database, name));
    kill_leaders(
        hosts,
        &ledger,
        asked(KILLS_VARIABLE, 3),
        &[Blow::Kill, Blow::Freeze],
    );
}

#[test]
fn two_processes_on_one_sqlite_file_miss_and_double_no_window() {
    let (common, ledger) = common();
    let database = common.path().join("shared.db").display().to_string();
    let hosts = [(); 2].map(|()| {
        let mut host = shared(common.path(), &database, "one");
        host.variables
            .retain(|(name, _)| *name != "MIXLINE_MACHINE");
        host
    });
    // One that is frozen while it writes would hold the file.
    kill_leaders(hosts, &ledger, asked(KILLS_VARIABLE, 3), &[Blow::Kill]);
}
