//! Where attempts run. The dispatcher gives a [`Job`] and gets an [`Outcome`]; what lies between
//! (a process, a container, nothing at all) is the executor's business.

pub(crate) mod container;
mod judge;
mod local;
mod mock;
mod process;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mixline_schema::{ErrorClass, Resources, StepContext, StepResult};
use tokio::sync::watch;

pub use container::{ContainerError, ContainerExecutor, ContainerSettings};
pub use local::LocalExecutor;
pub use mock::MockExecutor;
pub use process::ProcessExecutor;

/// Time between SIGTERM and SIGKILL: steps promise to stop within it.
const GRACE: Duration = Duration::from_secs(8);
/// A step that has not described itself by then never will.
pub(crate) const DESCRIBE: Duration = Duration::from_secs(30);
/// Linux allows 128 KiB for one variable; longer contexts go through a file.
const LONGEST_VARIABLE: usize = 100_000;

/// What an attempt executes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A step binary.
    Binary(PathBuf),
    /// A step image.
    Image {
        /// What people call it.
        name: String,
        /// Digest of its content: this very image runs, whatever the name means by then.
        id: String,
    },
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(path) => path.display().fmt(f),
            Self::Image { name, .. } => f.write_str(name),
        }
    }
}

/// One attempt to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The step binary or image.
    pub program: Program,
    /// What a container may use.
    pub resources: Resources,
    /// Working directory: the project root.
    pub folder: PathBuf,
    /// What the step is told. Always carries its place in the run.
    pub context: StepContext,
    /// Step name.
    pub step: String,
    /// W3C trace context of the attempt, for the variable `TRACEPARENT`.
    pub traceparent: String,
    /// File that receives the output while it runs; pid and result are kept beside it.
    pub log_file: PathBuf,
    /// Longest time it may take.
    pub timeout: Option<Duration>,
    /// Time that has passed since it was started, by an earlier orchestrator perhaps.
    pub waited: Duration,
}

impl Job {
    /// Whether the task was tried before in this run.
    fn is_repeated(&self) -> bool {
        let run = self.context.run.as_ref();
        run.is_some_and(|run| run.attempt > 1)
    }

    /// What is left of the time it may take.
    fn rest(&self) -> Option<Duration> {
        self.timeout
            .map(|timeout| timeout.saturating_sub(self.waited))
    }

    /// The file the step writes its result to.
    #[must_use]
    pub fn result_file(&self) -> PathBuf {
        Self::result_beside(&self.log_file)
    }

    /// The result file that lies beside a log file.
    #[must_use]
    pub fn result_beside(log_file: &Path) -> PathBuf {
        log_file.with_extension("result.json")
    }

    /// What `MIXLINE_CONTEXT` is to be: the context, or the file it was written to because it is
    /// too long for a variable.
    fn context_variable(&self) -> std::io::Result<(String, Option<PathBuf>)> {
        let context = serde_json::to_string(&self.context)?;
        if context.len() <= LONGEST_VARIABLE {
            return Ok((context, None));
        }
        let file = self.log_file.with_extension("context.json");
        std::fs::write(&file, &context)?;
        Ok((file.display().to_string(), Some(file)))
    }

    /// The file that names the process.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.log_file.with_extension("pid")
    }
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Outputs committed.
    Succeeded(Box<StepResult>),
    /// Nothing to do, and why.
    Skipped(String),
    /// It failed.
    Failed {
        /// What that means for retries.
        class: ErrorClass,
        /// Exit code, when there was one.
        exit_code: Option<i32>,
        /// What was said.
        error: String,
    },
    /// Nobody knows.
    Lost,
}

impl Outcome {
    /// The outcome, or what the commits of the attempt tell when nobody knows.
    pub(crate) fn or_committed(self, committed: Option<Box<StepResult>>) -> Self {
        match (self, committed) {
            (Self::Lost, Some(result)) => Self::Succeeded(result),
            (outcome, _) => outcome,
        }
    }
}

/// Set to `true` to stop an attempt.
pub type Stop = watch::Receiver<bool>;

/// Something that runs attempts.
#[async_trait::async_trait]
pub trait Executor: std::fmt::Debug + Send + Sync {
    /// Runs an attempt to its end, or stops it when told to or when its time is over.
    async fn run(&self, job: &Job, stop: Stop) -> Outcome;

    /// Waits for an attempt that an earlier orchestrator started; [`Outcome::Lost`] when there is
    /// no trace of it.
    async fn reattach(&self, job: &Job, stop: Stop) -> Outcome;

    /// Whether anything is left of an attempt that an earlier orchestrator started: alive, or gone
    /// and perhaps with a result. Also `true` when that cannot be seen now: [`Executor::reattach`]
    /// finds out.
    async fn leaves_trace(&self, job: &Job) -> bool;
}

/// Waits until the attempt is to be stopped; for ever when nobody can ask any more.
async fn stopped(stop: &mut Stop) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for the time to be over; for ever without a limit.
async fn over(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}

fn timed_out(timeout: Option<Duration>, exit_code: Option<i32>) -> Outcome {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    Outcome::Failed {
        class: ErrorClass::Transient,
        exit_code,
        error: format!("timed out after {seconds} s"),
    }
}

fn stopped_on_request(exit_code: Option<i32>) -> Outcome {
    let error = "stopped on request".to_owned();
    Outcome::Failed {
        class: ErrorClass::Stopped,
        exit_code,
        error,
    }
}
