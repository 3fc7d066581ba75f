//! Attempts as local processes, each in a group of its own.
//!
//! The pid file (number and start time) and the result file let a later orchestrator wait for a
//! process that this one started. They need no fsync: they matter only while the process lives,
//! and it does not outlive the machine.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mixline_schema::{ErrorClass, StepResult};
use tokio::process::{Child, Command};

use super::GRACE;
use super::judge::{self, End, Exit};
use super::{Executor, Job, Outcome, Program, Stop, over, stopped, stopped_on_request, timed_out};
use crate::procfs;

/// How often a process that is not our child is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessExecutor;

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
            () = over(job.rest()) => End::TimedOut,
        };
        if !matches!(end, End::Exited) {
            stop_group(pid, child.wait()).await;
        }
        let status = child.wait().await;
        // Whatever the step left running goes with it.
        procfs::signal_group(pid, libc::SIGKILL);
        match status {
            Ok(status) => {
                let exit = match status.code() {
                    Some(code) => Exit::Code(code),
                    None => Exit::Signal(status.signal().unwrap_or_default()),
                };
                judge::judge(job, end, exit, read_result(job))
            }
            Err(_) => Outcome::Lost,
        }
    }

    async fn leaves_trace(&self, job: &Job) -> bool {
        job.pid_file().exists()
    }

    async fn reattach(&self, job: &Job, mut stop: Stop) -> Outcome {
        let Some((pid, start)) = read_pid(&job.pid_file()) else {
            return Outcome::Lost;
        };
        let end = tokio::select! {
            () = gone(pid, start) => End::Exited,
            () = stopped(&mut stop) => End::Stopped,
            () = over(job.rest()) => End::TimedOut,
        };
        if !matches!(end, End::Exited) {
            stop_group(pid, gone(pid, start)).await;
        }
        match (read_result(job), end) {
            (Some(result), _) => judge::from_result(result),
            (None, End::Stopped) => stopped_on_request(None),
            (None, End::TimedOut) => timed_out(job.timeout, None),
            (None, End::Exited) => Outcome::Lost,
        }
    }
}

/// Asks a group of processes to stop, and makes it stop when its first one is not gone in time.
async fn stop_group<T>(pid: u32, gone: impl Future<Output = T>) {
    procfs::signal_group(pid, libc::SIGTERM);
    if tokio::time::timeout(GRACE, gone).await.is_err() {
        procfs::signal_group(pid, libc::SIGKILL);
    }
}

fn spawn(job: &Job) -> std::io::Result<Child> {
    let Program::Binary(program) = &job.program else {
        return Err(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "an image is not a program",
        ));
    };
    if let Some(folder) = job.log_file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let result_file = job.result_file();
    let _ = std::fs::remove_file(&result_file);
    let log = File::create(&job.log_file)?;
    // Before there is a process that it could be too late for.
    let mut pid_file = File::create(job.pid_file())?;
    let (context, _) = job.context_variable()?;
    let mut command = Command::new(program);
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
    let pid = child.id().unwrap_or_default();
    let start = procfs::start_time(pid).unwrap_or_default();
    if let Err(error) = write!(pid_file, "{pid} {start}") {
        // Nobody could find it again: better none than one too many.
        procfs::signal_group(pid, libc::SIGKILL);
        return Err(error);
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
    let error = format!("could not start {}: {error}", job.program);
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
