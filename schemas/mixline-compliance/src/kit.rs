//! Calls of the subject, and what they led to.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mixline_schema::StepResult;

use crate::{Options, Subject};

/// A subject and what may be used to judge it.
pub(crate) struct Kit<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) options: &'a Options,
}

/// What one call led to.
pub(crate) struct Call {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Call {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The result document on the last line of standard output.
    pub(crate) fn result(&self) -> Result<StepResult, String> {
        let last = self
            .stdout
            .lines()
            .last()
            .ok_or("standard output is empty")?;
        serde_json::from_str(last)
            .map_err(|error| format!("the last line of standard output is no result: {error}"))
    }

    /// How it ended, with the end of standard error.
    pub(crate) fn story(&self) -> String {
        let code = self
            .code()
            .map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let tail = self.stderr.trim().lines().last().unwrap_or_default();
        format!(
            "ended with {code}: {}",
            tail.chars().take(300).collect::<String>()
        )
    }
}

impl Kit<'_> {
    pub(crate) fn spawn(&self, args: &[&str], name: &str) -> io::Result<Child> {
        fs::create_dir_all(&self.options.scratch)?;
        let file = |end: &str| fs::File::create(self.options.scratch.join(format!("{name}.{end}")));
        // Files, not pipes: a step that writes a lot must not block on us.
        self.subject
            .command(args, self.options, name)?
            .stdin(Stdio::null())
            .stdout(file("stdout")?)
            .stderr(file("stderr")?)
            .spawn()
    }

    pub(crate) fn call(&self, args: &[&str], name: &str) -> Result<Call, String> {
        let started = Instant::now();
        let child = self
            .spawn(args, name)
            .map_err(|error| format!("it cannot be started: {error}"))?;
        self.wait(child, name, started, self.options.time_limit)
    }

    pub(crate) fn wait(
        &self,
        mut child: Child,
        name: &str,
        started: Instant,
        limit: Duration,
    ) -> Result<Call, String> {
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if started.elapsed() > limit => {
                    self.subject.abandon(&self.options.scratch, name);
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("still running after {} s", limit.as_secs()));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(format!("cannot be waited for: {error}")),
            }
        };
        let took = started.elapsed();
        let text = |end: &str| {
            let path = self.options.scratch.join(format!("{name}.{end}"));
            fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        let stdout = text("stdout").map_err(|error| error.to_string())?;
        let stderr = text("stderr").map_err(|error| error.to_string())?;
        Ok(Call {
            status,
            stdout,
            stderr,
            took,
        })
    }

    /// The arguments of a run in a store of its own.
    pub(crate) fn run_args<'b>(&'b self, store: &'b str, extra: &[&'b str]) -> Vec<&'b str> {
        let mut args = vec!["run", "--store", store, "--log-format", "json"];
        args.extend(self.options.run_args.iter().map(String::as_str));
        args.extend(extra);
        args
    }

    pub(crate) fn store(&self, name: &str) -> String {
        self.options
            .scratch
            .join(format!("store-{name}"))
            .to_string_lossy()
            .into_owned()
    }
}

/// Log entries in a store folder, over all artifacts.
pub(crate) fn entries(store: &Path) -> usize {
    let Ok(artifacts) = fs::read_dir(store) else {
        return 0;
    };
    artifacts
        .filter_map(|artifact| fs::read_dir(artifact.ok()?.path().join("_delta_log")).ok())
        .flatten()
        .filter(|entry| {
            let path = entry.as_ref().map(fs::DirEntry::path);
            path.is_ok_and(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
        })
        .count()
}
