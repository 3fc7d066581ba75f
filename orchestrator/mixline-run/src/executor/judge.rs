//! How an attempt ended, from what is left of it: exit code, result, last words.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use mixline_schema::{ErrorClass, ExitCode, StepResult, StepStatus};

use super::{Job, Outcome, stopped_on_request, timed_out};

/// Why the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Exited,
    Stopped,
    TimedOut,
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Code(i32),
    Signal(i32),
}

impl Exit {
    fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(_) => None,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => {
                let known = ExitCode::from_code(*code);
                let meaning = known.map_or("not a code of the contract", ExitCode::meaning);
                write!(f, "exit {code} ({meaning})")
            }
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// The outcome of an attempt whose program has ended.
pub(super) fn judge(job: &Job, end: End, exit: Exit, result: Option<StepResult>) -> Outcome {
    match end {
        // It may have committed just before it was told to stop.
        End::Stopped if exit.code() != Some(0) => return stopped_on_request(exit.code()),
        End::TimedOut if exit.code() != Some(0) => return timed_out(job.timeout, exit.code()),
        _ => {}
    }
    let failed = |class, error| Outcome::Failed {
        class,
        exit_code: exit.code(),
        error,
    };
    match (exit, result) {
        (Exit::Code(0), Some(result)) => from_result(result),
        (Exit::Code(0), None) => {
            let error = "it exited with success and left no result".to_owned();
            failed(ErrorClass::Bug, error)
        }
        (Exit::Code(99), result) => Outcome::Skipped(
            result
                .and_then(|result| result.error)
                .unwrap_or_else(|| ExitCode::NothingToDo.meaning().to_owned()),
        ),
        (Exit::Code(code), result) => {
            let said = result.and_then(|result| result.error);
            let error = said.unwrap_or_else(|| last_words(job, exit));
            failed(class_of(code), error)
        }
        (Exit::Signal(_), _) => failed(ErrorClass::Infrastructure, exit.to_string()),
    }
}

/// The outcome of an attempt that left a result and nothing else.
pub(super) fn from_result(result: StepResult) -> Outcome {
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

/// Codes that are not ours: above 128 a shell or an engine reports a signal; the rest are crashes.
fn class_of(code: i32) -> ErrorClass {
    match ExitCode::from_code(code) {
        Some(known) => known.class().unwrap_or(ErrorClass::Bug),
        None if code > 128 => ErrorClass::Infrastructure,
        None => ErrorClass::Bug,
    }
}

/// The last line of the log, for a step that left no result.
fn last_words(job: &Job, exit: Exit) -> String {
    let last = tail(&job.log_file).unwrap_or_default();
    match last.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("{exit}: {line}"),
        None => exit.to_string(),
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
