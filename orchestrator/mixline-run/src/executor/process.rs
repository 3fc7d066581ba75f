//! Attempts as local processes, each in a group of its own.
//!
//! The pid file (number and start time) and the result file let a later orchestrator wait for a
//! process that this one started. They need no fsync: they matter only while the process lives,
//! and it does not outlive the machine.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use mixline_schema::{ErrorClass, ExitCode, StepResult, StepStatus};
use tokio::process::{Child, Command};

use super::{Executor, Job, Outcome, Stop, over, stopped, stopped_on_request, timed_out};
use crate::procfs;

/// Time between SIGTERM and SIGKILL: steps promise to stop within it.
const GRACE: Duration = Duration::from_secs(8);
/// How often a process that is not our child is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Linux allows 128 KiB for one variable; longer contexts go through a file.
const LONGEST_VARIABLE: usize = 100_000;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessExecutor;

/// Why the waiting ended.
enum End {
    Exited,
    Stopped,
    TimedOut,
}

#[async_trait::async_trait]
impl Executor for ProcessExecutor {
    async fn run(&self, job: &Job, mut stop: Stop) -> Outcome {
        let mut child = match spawn(job) {
            Ok(child) => child,
            Err(error) => return not_started(job, &error),
        };
        let pid = child.id().unwrap_or_default();
        let end = tokio::select! {
            _ = child.wait() => End::Exited,
            () = stopped(&mut stop) => End::Stopped,
            () = over(job.timeout) => End::TimedOut,
        };
        if !matches!(end, End::Exited) {
            procfs::signal_group(pid, libc::SIGTERM);
            if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
                procfs::signal_group(pid, libc::SIGKILL);
            }
        }
        let status = child.wait().await;
        // Whatever the step left running goes with it.
        procfs::signal_group(pid, libc::SIGKILL);
        match status {
            Ok(status) => judge(job, &end, status),
            Err(_) => Outcome::Lost,
        }
    }

    async fn reattach(&self, job: &Job, mut stop: Stop) -> Outcome {
        let Some((pid, start)) = read_pid(&job.pid_file()) else {
            return Outcome::Lost;
        };
        let end = tokio::select! {
            () = gone(pid, start) => End::Exited,
            () = stopped(&mut stop) => End::Stopped,
            () = over(job.timeout) => End::TimedOut,
        };
        if !matches!(end, End::Exited) {
            procfs::signal_group(pid, libc::SIGTERM);
            if tokio::time::timeout(GRACE, gone(pid, start)).await.is_err() {
                procfs::signal_group(pid, libc::SIGKILL);
            }
        }
        match (read_result(job), end) {
            (Some(result), _) => from_result(result),
            (None, End::Stopped) => stopped_on_request(None),
            (None, End::TimedOut) => timed_out(job.timeout, None),
            (None, End::Exited) => Outcome::Lost,
        }
    }
}

fn spawn(job: &Job) -> std::io::Result<Child> {
    if let Some(folder) = job.log_file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let result_file = job.result_file();
    let _ = std::fs::remove_file(&result_file);
    let log = File::create(&job.log_file)?;
    let mut context = serde_json::to_string(&job.context)?;
    if context.len() > LONGEST_VARIABLE {
        let file = job.log_file.with_extension("context.json");
        std::fs::write(&file, &context)?;
        context = file.display().to_string();
    }
    let mut command = Command::new(&job.program);
    for name in inherited() {
        command.env_remove(name);
    }
    let child = command
        .arg("run")
        .arg("--result-file")
        .arg(&result_file)
        .env("MIXLINE_CONTEXT", context)
        .env("TRACEPARENT", &job.traceparent)
        .current_dir(&job.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    if let Some((pid, start)) = child
        .id()
        .and_then(|pid| Some((pid, procfs::start_time(pid)?)))
    {
        std::fs::write(job.pid_file(), format!("{pid} {start}"))?;
    }
    Ok(child)
}

/// Variables of our own that would speak over the context: what the person at the terminal set for
/// a step run by hand must not leak into a pipeline. How to log is theirs to say.
fn inherited() -> Vec<std::ffi::OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    let ours = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.starts_with("MIXLINE_") && !name.starts_with("MIXLINE_LOG")
    };
    names.filter(ours).collect()
}

fn not_started(job: &Job, error: &std::io::Error) -> Outcome {
    use std::io::ErrorKind as K;
    let class = match error.kind() {
        K::NotFound | K::PermissionDenied => ErrorClass::Config,
        _ => ErrorClass::Infrastructure,
    };
    let error = format!("could not start {}: {error}", job.program.display());
    Outcome::Failed {
        class,
        exit_code: None,
        error,
    }
}

/// Waits until the process is gone.
async fn gone(pid: u32, start: u64) {
    while procfs::is_alive(pid, start) {
        tokio::time::sleep(LOOK).await;
    }
}

/// The process of an attempt: number and start time.
fn read_pid(file: &Path) -> Option<(u32, u64)> {
    let text = std::fs::read_to_string(file).ok()?;
    let (pid, start) = text.split_once(' ')?;
    Some((pid.parse().ok()?, start.trim().parse().ok()?))
}

fn read_result(job: &Job) -> Option<StepResult> {
    serde_json::from_slice(&std::fs::read(job.result_file()).ok()?).ok()
}

fn judge(job: &Job, end: &End, status: ExitStatus) -> Outcome {
    let exit_code = status.code();
    match end {
        // It may have committed just before it was told to stop.
        End::Stopped if exit_code != Some(0) => return stopped_on_request(exit_code),
        End::TimedOut if exit_code != Some(0) => return timed_out(job.timeout, exit_code),
        _ => {}
    }
    match (exit_code, read_result(job)) {
        (Some(0), Some(result)) => from_result(result),
        (Some(0), None) => {
            let error = "it exited with success and left no result file".to_owned();
            Outcome::Failed {
                class: ErrorClass::Bug,
                exit_code,
                error,
            }
        }
        (Some(99), result) => Outcome::Skipped(
            result
                .and_then(|result| result.error)
                .unwrap_or_else(|| ExitCode::NothingToDo.meaning().to_owned()),
        ),
        (Some(code), result) => Outcome::Failed {
            class: class_of(code),
            exit_code,
            error: result
                .and_then(|result| result.error)
                .unwrap_or_else(|| last_words(job, code)),
        },
        (None, _) => {
            let signal = status.signal().unwrap_or_default();
            let error = format!("killed by signal {signal}");
            Outcome::Failed {
                class: ErrorClass::Infrastructure,
                exit_code,
                error,
            }
        }
    }
}

/// Codes that are not ours: above 128 a shell reports a signal; the rest are crashes.
fn class_of(code: i32) -> ErrorClass {
    match ExitCode::from_code(code) {
        Some(known) => known.class().unwrap_or(ErrorClass::Bug),
        None if code > 128 => ErrorClass::Infrastructure,
        None => ErrorClass::Bug,
    }
}

fn from_result(result: StepResult) -> Outcome {
    match result.status {
        StepStatus::Succeeded | StepStatus::Reused => Outcome::Succeeded(Box::new(result)),
        StepStatus::Skipped => Outcome::Skipped(
            result
                .error
                .unwrap_or_else(|| ExitCode::NothingToDo.meaning().to_owned()),
        ),
        // The exit code went with the process, so give it the benefit of the doubt.
        StepStatus::Failed => Outcome::Failed {
            class: ErrorClass::Transient,
            exit_code: None,
            error: result
                .error
                .unwrap_or_else(|| "failed without a word".to_owned()),
        },
    }
}

/// The last line of the log, for a step that left no result.
fn last_words(job: &Job, code: i32) -> String {
    let meaning = ExitCode::from_code(code).map_or("not a code of the contract", ExitCode::meaning);
    let last = tail(&job.log_file).unwrap_or_default();
    match last.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("exit {code} ({meaning}): {line}"),
        None => format!("exit {code} ({meaning})"),
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2048)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
