//! The step contract, seen from outside: processes, exit codes, standard output, the store.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mixline_artifact::Store;
use mixline_schema::{ExitCode, StepDescriptor, StepResult, StepStatus};

const BINARY: &str = env!("CARGO_BIN_EXE_step-noop");

struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("the test's own set-up works"),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).current_dir(self.dir.path());
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("MIXLINE_") {
                command.env_remove(key);
            }
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(&[&["run", "--store", "./store"], args].concat())
            .output()
            .expect("the test's own set-up works")
    }

    fn versions(&self, artifact: &str) -> u64 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the test's own set-up works");
        runtime.block_on(async {
            let url = self.dir.path().join("store");
            let store = Store::open(url.to_str().expect("the test's own set-up works"))
                .await
                .expect("the test's own set-up works");
            store
                .log(artifact)
                .expect("the test's own set-up works")
                .head()
                .await
                .expect("the test's own set-up works")
                .map_or(0, |head| head + 1)
        })
    }
}

fn result(output: &Output) -> StepResult {
    let text = String::from_utf8(output.stdout.clone()).expect("the test's own set-up works");
    let last = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no result: {}", stderr(output)));
    serde_json::from_str(last).expect("the test's own set-up works")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn exit(output: &Output) -> Option<ExitCode> {
    output.status.code().and_then(ExitCode::from_code)
}

#[test]
fn the_second_run_reuses_what_the_first_committed() {
    let world = World::new();
    let first = world.run(&["--set", "rows=2"]);
    assert_eq!(exit(&first), Some(ExitCode::Done), "{}", stderr(&first));
    let (first, second) = (result(&first), result(&world.run(&["--set", "rows=2"])));
    assert_eq!(
        (first.status, second.status),
        (StepStatus::Succeeded, StepStatus::Reused)
    );
    assert_eq!(first.outputs, second.outputs);
    assert_eq!((first.outputs[0].version, first.outputs[0].rows), (0, 2));
    assert_eq!(world.versions("noop"), 1);
    let third = result(&world.run(&["--set", "rows=2", "--seed", "1"]));
    assert_eq!(
        (third.status, world.versions("noop")),
        (StepStatus::Succeeded, 2)
    );
}

#[test]
fn a_task_reads_what_another_wrote_under_another_name() {
    let world = World::new();
    let context = r#"{"store": "./store", "outputs": {"out": "left"}, "seed": 5}"#;
    let first = world
        .command(&["run"])
        .env("MIXLINE_CONTEXT", context)
        .output()
        .expect("the test's own set-up works");
    assert_eq!(
        result(&first).outputs[0].artifact,
        "left",
        "{}",
        stderr(&first)
    );
    let second = result(&world.run(&["--in", "input=left@0", "--out", "out=right"]));
    assert_eq!(second.outputs[0].artifact, "right");
    assert_eq!(second.checks["rows_read"], 1);
}

#[test]
fn plain_files_do_in_place_of_artifacts() {
    let world = World::new();
    let written = world
        .command(&["run", "--out-dir", "out"])
        .output()
        .expect("the test's own set-up works");
    assert_eq!(exit(&written), Some(ExitCode::Done), "{}", stderr(&written));
    let args = [
        "run",
        "--in",
        "input=out/noop.parquet",
        "--out-dir",
        "again",
    ];
    let read = world
        .command(&args)
        .output()
        .expect("the test's own set-up works");
    assert_eq!(result(&read).checks["rows_read"], 1, "{}", stderr(&read));
    std::fs::write(
        world.dir.path().join("f.csv"),
        "name,media_type,bytes\na,text/plain,x\n",
    )
    .expect("the test's own set-up works");
    let args = ["run", "--in", "input=f.csv", "--out-dir", "again"];
    let read = world
        .command(&args)
        .output()
        .expect("the test's own set-up works");
    assert_eq!(result(&read).checks["rows_read"], 1, "{}", stderr(&read));
    assert!(!world.dir.path().join("store").exists());
}

#[test]
fn wrong_calls_are_refused_before_anything_runs() {
    let world = World::new();
    let cases: [(&[&str], ExitCode, &str); 8] = [
        (
            &["--set", "rowz=2"],
            ExitCode::Config,
            "known keys are `fail`, `rows`, `sleep_ms`",
        ),
        (&["--set", "rows=many"], ExitCode::Config, "at `rows`"),
        (
            &["--set", "fail=maybe"],
            ExitCode::Config,
            "no kind of error",
        ),
        (
            &["--in", "inpt=x"],
            ExitCode::Usage,
            "the inputs of this step are `input`",
        ),
        (
            &["--in", "input=left@7"],
            ExitCode::Data,
            "`left@7` cannot be found",
        ),
        (&["--nonsense"], ExitCode::Usage, "--nonsense"),
        (
            &["--window-start", "2026-01-01", "--window-end", "2026-01-01"],
            ExitCode::Usage,
            "--allow-empty-window",
        ),
        (
            &["--window-start", "2026-01-01"],
            ExitCode::Usage,
            "half a window",
        ),
    ];
    for (args, code, words) in cases {
        let output = world.run(args);
        assert_eq!(exit(&output), Some(code), "{args:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(words),
            "{args:?}: {}",
            stderr(&output)
        );
    }
    assert_eq!(world.versions("noop"), 0);
    let empty = [
        "--window-start",
        "2026-01-01",
        "--window-end",
        "2026-01-01",
        "--allow-empty-window",
    ];
    assert_eq!(exit(&world.run(&empty)), Some(ExitCode::Done));
}

#[test]
fn each_failure_has_its_exit_code_and_commits_nothing() {
    let world = World::new();
    let kinds = [
        ("data", ExitCode::Data),
        ("storage", ExitCode::Storage),
        ("temporary", ExitCode::Temporary),
        ("credentials", ExitCode::Credentials),
        ("bug", ExitCode::Bug),
        ("panic", ExitCode::Bug),
    ];
    for (kind, code) in kinds {
        let output = world.run(&["--set", &format!("fail={kind}")]);
        assert_eq!(exit(&output), Some(code), "{}", stderr(&output));
        let result = result(&output);
        assert_eq!(result.status, StepStatus::Failed);
        assert!(
            result
                .error
                .expect("the test's own set-up works")
                .contains("told to")
        );
    }
    let skipped = world.run(&["--set", "fail=nothing_to_do"]);
    assert_eq!(exit(&skipped), Some(ExitCode::NothingToDo));
    assert_eq!(result(&skipped).status, StepStatus::Skipped);
    assert_eq!(world.versions("noop"), 0);
}

#[test]
fn a_failure_after_the_commit_keeps_the_outputs_and_is_never_reused() {
    let world = World::new();
    for version in 0..2 {
        let output = world.run(&["--set", "fail=after_commit"]);
        assert_eq!(exit(&output), Some(ExitCode::Data), "{}", stderr(&output));
        let result = result(&output);
        assert_eq!(
            (result.status, result.outputs.len()),
            (StepStatus::Failed, 1)
        );
        assert!(result.outputs[0].version <= version);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_stops_the_step_within_eight_seconds_and_commits_nothing() {
    let world = World::new();
    let args = ["run", "--store", "./store", "--set", "sleep_ms=60000"];
    let mut command = world.command(&args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test's own set-up works");
    std::thread::sleep(Duration::from_millis(800));
    let started = Instant::now();
    let pid = libc::pid_t::try_from(child.id()).expect("the test's own set-up works");
    #[expect(
        unsafe_code,
        reason = "sending a signal to a child of ours needs a system call"
    )]
    // SAFETY: kill takes no pointers, and the child has not been waited for.
    let sent = unsafe { libc::kill(pid, libc::SIGTERM) };
    assert_eq!(sent, 0);
    let output = child
        .wait_with_output()
        .expect("the test's own set-up works");
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
    assert_eq!(result(&output).status, StepStatus::Failed);
    assert_eq!(world.versions("noop"), 0);
}

#[test]
fn the_result_also_goes_to_its_file_and_progress_to_standard_error() {
    let world = World::new();
    let output = world.run(&["--result-file", "result.json", "--set", "sleep_ms=50"]);
    let file = std::fs::read_to_string(world.dir.path().join("result.json"))
        .expect("the test's own set-up works");
    let from_file: StepResult = serde_json::from_str(&file).expect("the test's own set-up works");
    assert_eq!(from_file, result(&output));
    let events = stderr(&output);
    let progress = events
        .lines()
        .find(|line| line.contains("\"event\":\"progress\""))
        .expect("the test's own set-up works");
    let progress: serde_json::Value =
        serde_json::from_str(progress).expect("the test's own set-up works");
    assert_eq!(progress["stage"], "waiting");
    assert!(progress["fraction"].is_number());
}

#[test]
fn every_flag_has_an_environment_twin() {
    let world = World::new();
    let output = world
        .command(&["run"])
        .env("MIXLINE_STORE", "./store")
        .env("MIXLINE_SET", "rows=4\nsleep_ms=1")
        .env("MIXLINE_OUT", "out=four")
        .env("MIXLINE_SEED", "9")
        .env(
            "TRACEPARENT",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .output()
        .expect("the test's own set-up works");
    let result = result(&output);
    assert_eq!(
        (result.outputs[0].rows, result.outputs[0].artifact.as_str()),
        (4, "four")
    );
    assert!(
        stderr(&output).contains("4bf92f3577b34da6a3ce929d0e0e4736"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn describe_is_quick_and_complete_and_check_runs_nothing() {
    let world = World::new();
    let output = world
        .command(&["describe"])
        .output()
        .expect("the test's own set-up works");
    let descriptor: StepDescriptor =
        serde_json::from_slice(&output.stdout).expect("the test's own set-up works");
    assert_eq!(descriptor.name, "step-noop");
    assert_eq!(descriptor.inputs[0].artifact, "noop_in");
    assert_eq!(descriptor.outputs[0].artifact, "noop");
    assert!(descriptor.config_schema["properties"]["rows"].is_object());
    assert_eq!(descriptor.exit_codes.len(), ExitCode::ALL.len());
    let checked = world
        .command(&["check", "--store", "./store"])
        .output()
        .expect("the test's own set-up works");
    assert_eq!(exit(&checked), Some(ExitCode::Done), "{}", stderr(&checked));
    assert_eq!(world.versions("noop"), 0);
}
