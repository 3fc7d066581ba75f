//! The compliance kit: a step binary held to the contract of `steps/README.md`, from outside.
//!
//! It starts the binary and looks at exit codes, standard output and descriptors only, so it
//! judges a step in any language. Rules that a step gives no chance to check (it has required
//! inputs, or nothing that takes long) are reported as not applicable, never as passed.
//!
//! An image is held to the same rules, under the conditions of a cluster: any user, no capabilities,
//! no network, a read-only root.

mod image;
mod subject;

pub use subject::Subject;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mixline_schema::{ExitCode, Port, StepDescriptor, StepResult, StepStatus, catalog};
use serde::Serialize;

/// How `describe` may take at most, best of three: starting a process is noisy.
const DESCRIBE_LIMIT: Duration = Duration::from_millis(20);
/// How long a step has to stop after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(8);

/// How a rule ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The step keeps the rule.
    Pass,
    /// The step keeps it in substance, but not in number (a SHOULD).
    Warn,
    /// The step breaks the rule.
    Fail,
    /// This step gives no chance to check the rule.
    NotApplicable,
}

/// One rule, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Rule, for example `unknown_config`.
    pub rule: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen.
    pub detail: String,
}

/// What the kit may use.
#[derive(Debug, Clone)]
pub struct Options {
    /// An empty folder for stores and results; left behind for inspection.
    pub scratch: PathBuf,
    /// Extra arguments of `run` that make the step succeed, for example `--in media=media.csv`.
    pub run_args: Vec<String>,
    /// Extra arguments of `run` that make it take at least ten seconds; without them, stopping
    /// is not checked.
    pub slow_args: Option<Vec<String>>,
    /// Folders that a container may read beside the scratch folder, at the same path as outside.
    pub folders: Vec<PathBuf>,
    /// How long any one call may take.
    pub time_limit: Duration,
}

impl Options {
    /// Options with a scratch folder and nothing else.
    #[must_use]
    pub fn new(scratch: &Path) -> Self {
        Self {
            scratch: scratch.to_path_buf(),
            run_args: Vec::new(),
            slow_args: None,
            folders: Vec::new(),
            time_limit: Duration::from_secs(60),
        }
    }
}

/// Makes a test that holds a step of this package to the contract.
///
/// `run` are arguments that make it succeed, and `slow` arguments that make it take ten seconds or
/// more, so that stopping it can be checked. Both may be left out.
///
/// ```ignore
/// mixline_compliance::step_compliance!("step-noop", slow = ["--set", "sleep_ms=30000"]);
/// ```
#[macro_export]
macro_rules! step_compliance {
    ($step:literal $(, run = [$($run:expr),* $(,)?])? $(, slow = [$($slow:expr),* $(,)?])? $(,)?) => {
        #[test]
        fn the_step_keeps_the_contract() {
            #[allow(unused_mut, clippy::allow_attributes, reason = "both lists may be absent")]
            let (mut run, mut slow) = (::std::vec::Vec::<String>::new(), None);
            $( run.extend([$(String::from($run)),*]); )?
            $( slow = Some(vec![$(String::from($slow)),*]); )?
            $crate::assert_compliant(env!(concat!("CARGO_BIN_EXE_", $step)), run, slow);
        }
    };
}

/// Panics with every rule that the binary breaks; see [`step_compliance!`].
///
/// # Panics
/// When it breaks one.
pub fn assert_compliant(binary: &str, run_args: Vec<String>, slow_args: Option<Vec<String>>) {
    let name = Path::new(binary)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let scratch = std::env::temp_dir().join(format!("{name}-compliance-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("a scratch folder");
    let options = Options {
        run_args,
        slow_args,
        ..Options::new(&scratch)
    };
    let findings = verify(&Subject::Binary(binary.into()), &options);
    let _ = fs::remove_dir_all(&scratch);
    let broken: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .collect();
    assert!(broken.is_empty(), "{name} breaks the contract: {broken:#?}");
}

/// Whether no rule is broken.
#[must_use]
pub fn compliant(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.verdict != Verdict::Fail)
}

/// Holds a step to every rule.
///
/// Returns early, with one finding, when it cannot even describe itself.
#[must_use]
pub fn verify(subject: &Subject, options: &Options) -> Vec<Finding> {
    let kit = Kit { subject, options };
    let (descriptor, finding) = kit.describe();
    let mut findings = vec![finding];
    let Some(descriptor) = descriptor else {
        return findings;
    };
    findings.push(kit.describe_is_fast());
    findings.push(declared_columns(&descriptor));
    findings.push(kit.refused(
        "unknown_config",
        &["--set", "no_such_key_anywhere=1"],
        ExitCode::Config,
    ));
    findings.push(kit.refused("unknown_flag", &["--no-such-flag"], ExitCode::Usage));
    findings.push(kit.refused(
        "empty_window",
        &["--window-start", "2026-01-01", "--window-end", "2026-01-01"],
        ExitCode::Usage,
    ));
    findings.push(kit.failure_commits_nothing());
    findings.extend(kit.run_twice(&descriptor));
    findings.push(kit.stops());
    findings.push(kit.xcom());
    findings.extend(kit.confinement(&findings));
    findings
}

struct Kit<'a> {
    subject: &'a Subject,
    options: &'a Options,
}

/// What one call led to.
struct Call {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    took: Duration,
}

impl Call {
    fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The result document on the last line of standard output.
    fn result(&self) -> Result<StepResult, String> {
        let last = self
            .stdout
            .lines()
            .last()
            .ok_or("standard output is empty")?;
        serde_json::from_str(last)
            .map_err(|error| format!("the last line of standard output is no result: {error}"))
    }

    /// How it ended, with the end of standard error.
    fn story(&self) -> String {
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

/// Declared columns must be columns of the ports they name.
fn declared_columns(descriptor: &StepDescriptor) -> Finding {
    let exists = |ports: &[Port], column: &str| {
        let (port, name) = column.split_once('.')?;
        let port = ports.iter().find(|p| p.name == port)?;
        // Of artifacts that are not in the catalogue, nothing is known here.
        catalog::find(&port.artifact)
            .is_none_or(|spec| spec.column(name).is_some())
            .then_some(())
    };
    let mut wrong = Vec::new();
    for declared in &descriptor.columns {
        if exists(&descriptor.outputs, &declared.column).is_none() {
            wrong.push(declared.column.as_str());
        }
        let from = declared.from.iter().map(String::as_str);
        wrong.extend(from.filter(|from| exists(&descriptor.inputs, from).is_none()));
    }
    let seen = match wrong.is_empty() {
        true => Ok(format!("{} declared", descriptor.columns.len())),
        false => Err(format!("no such columns: {}", wrong.join(", "))),
    };
    judge("declared_columns", seen)
}

fn finding(rule: &'static str, verdict: Verdict, detail: impl Into<String>) -> Finding {
    Finding {
        rule,
        verdict,
        detail: detail.into(),
    }
}

fn judge(rule: &'static str, seen: Result<String, String>) -> Finding {
    match seen {
        Ok(detail) => finding(rule, Verdict::Pass, detail),
        Err(detail) => finding(rule, Verdict::Fail, detail),
    }
}

impl Kit<'_> {
    fn spawn(&self, args: &[&str], name: &str) -> io::Result<Child> {
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

    fn call(&self, args: &[&str], name: &str) -> Result<Call, String> {
        let started = Instant::now();
        let child = self
            .spawn(args, name)
            .map_err(|error| format!("it cannot be started: {error}"))?;
        self.wait(child, name, started, self.options.time_limit)
    }

    fn wait(
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
    fn run_args<'b>(&'b self, store: &'b str, extra: &[&'b str]) -> Vec<&'b str> {
        let mut args = vec!["run", "--store", store, "--log-format", "json"];
        args.extend(self.options.run_args.iter().map(String::as_str));
        args.extend(extra);
        args
    }

    fn store(&self, name: &str) -> String {
        self.options
            .scratch
            .join(format!("store-{name}"))
            .to_string_lossy()
            .into_owned()
    }

    fn describe(&self) -> (Option<StepDescriptor>, Finding) {
        let seen = self.call(&["describe"], "describe").and_then(|call| {
            if call.code() != Some(0) {
                return Err(call.story());
            }
            serde_json::from_str::<StepDescriptor>(&call.stdout)
                .map_err(|error| format!("`describe` prints no descriptor: {error}"))
        });
        match seen {
            Ok(descriptor) => {
                let detail = format!(
                    "{} with {} inputs and {} outputs",
                    descriptor.name,
                    descriptor.inputs.len(),
                    descriptor.outputs.len()
                );
                (Some(descriptor), finding("describe", Verdict::Pass, detail))
            }
            Err(detail) => (None, finding("describe", Verdict::Fail, detail)),
        }
    }

    fn describe_is_fast(&self) -> Finding {
        if let Subject::Image(_) = self.subject {
            let detail = "a container takes longer to start than `describe` may";
            return finding("describe_fast", Verdict::NotApplicable, detail);
        }
        let calls = (0..3).filter_map(|_| self.call(&["describe"], "describe").ok());
        let best = calls.map(|call| call.took).min().unwrap_or(Duration::MAX);
        let verdict = if best <= DESCRIBE_LIMIT {
            Verdict::Pass
        } else {
            Verdict::Warn
        };
        finding(
            "describe_fast",
            verdict,
            format!("{} ms, best of three", best.as_millis()),
        )
    }

    fn refused(&self, rule: &'static str, extra: &[&str], expected: ExitCode) -> Finding {
        let store = self.store(rule);
        let seen = self
            .call(&self.run_args(&store, extra), rule)
            .and_then(|call| {
                if call.code() == Some(i32::from(expected.code())) {
                    Ok(format!("exit {}", expected.code()))
                } else {
                    Err(format!(
                        "exit {} was expected; the step {}",
                        expected.code(),
                        call.story()
                    ))
                }
            });
        judge(rule, seen)
    }

    /// A refused configuration leaves no trace in the store.
    fn failure_commits_nothing(&self) -> Finding {
        let store = self.store("unknown_config");
        let logs = entries(Path::new(&store));
        judge(
            "failure_commits_nothing",
            if logs == 0 {
                Ok("no log entry".to_owned())
            } else {
                Err(format!("{logs} log entries"))
            },
        )
    }

    /// The first run commits, the second finds what the first committed.
    fn run_twice(&self, descriptor: &StepDescriptor) -> Vec<Finding> {
        let needs: Vec<_> = descriptor
            .inputs
            .iter()
            .filter(|port| !port.optional)
            .map(|p| p.name.as_str())
            .collect();
        if !needs.is_empty() && self.options.run_args.is_empty() {
            let detail = format!(
                "the step needs inputs ({}); give them with `--in`",
                needs.join(", ")
            );
            return ["last_line", "reuse"]
                .map(|rule| finding(rule, Verdict::NotApplicable, detail.clone()))
                .into();
        }
        let store = self.store("reuse");
        let args = self.run_args(&store, &[]);
        let first = match self.call(&args, "first") {
            Ok(call) => call,
            Err(detail) => return vec![finding("last_line", Verdict::Fail, detail)],
        };
        let last_line = judge(
            "last_line",
            first.result().map(|result| format!("{:?}", result.status)),
        );
        if first.code() != Some(0) {
            let detail = format!("the first run {}", first.story());
            return vec![last_line, finding("reuse", Verdict::NotApplicable, detail)];
        }
        // A step that watches files it writes itself has found them as they are from now on.
        if !descriptor.observes.is_empty()
            && let Err(detail) = self.call(&args, "settling")
        {
            return vec![last_line, finding("reuse", Verdict::Fail, detail)];
        }
        let before = entries(Path::new(&store));
        let second = self.call(&args, "second").and_then(|call| call.result());
        let after = entries(Path::new(&store));
        self.keep_xcom();
        vec![last_line, judge("reuse", reuse(second, before, after))]
    }

    /// SIGTERM ends a long run with 143, in time.
    fn stops(&self) -> Finding {
        let Some(slow) = &self.options.slow_args else {
            return finding(
                "sigterm",
                Verdict::NotApplicable,
                "no way to make the step slow was given",
            );
        };
        let store = self.store("sigterm");
        let slow: Vec<&str> = slow.iter().map(String::as_str).collect();
        let seen = self
            .spawn(&self.run_args(&store, &slow), "sigterm")
            .map_err(|error| error.to_string())
            .and_then(|child| self.stop(child));
        judge("sigterm", seen)
    }

    fn stop(&self, mut child: Child) -> Result<String, String> {
        // A container needs a while to start; a signal before that would end nothing.
        std::thread::sleep(match self.subject {
            Subject::Binary(_) => Duration::from_secs(1),
            Subject::Image(_) => Duration::from_secs(4),
        });
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("it ended before it could be stopped ({status})"));
        }
        terminate(&child).map_err(|error| error.to_string())?;
        let call = self.wait(child, "sigterm", Instant::now(), STOP_LIMIT)?;
        if call.code() == Some(i32::from(ExitCode::Stopped.code())) {
            Ok(format!("exit 143 after {} ms", call.took.as_millis()))
        } else {
            Err(format!("exit 143 was expected; the step {}", call.story()))
        }
    }
}

fn reuse(
    second: Result<StepResult, String>,
    before: usize,
    after: usize,
) -> Result<String, String> {
    let status = second?.status;
    if status == StepStatus::Reused && before == after {
        Ok("the second run reused the first".to_owned())
    } else {
        Err(format!(
            "the second run ended {status:?} and made {} commits",
            after.abs_diff(before)
        ))
    }
}

#[cfg(unix)]
fn terminate(child: &Child) -> io::Result<()> {
    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    #[expect(
        unsafe_code,
        reason = "sending a signal to a child of ours needs a system call"
    )]
    // SAFETY: kill takes no pointers, and the child has not been waited for.
    let sent = unsafe { libc::kill(pid, libc::SIGTERM) };
    if sent == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(not(unix))]
fn terminate(_: &Child) -> io::Result<()> {
    Err(io::Error::other("signals exist on Unix only"))
}

/// Log entries in a store folder, over all artifacts.
fn entries(store: &Path) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_is_no_step_fails_the_first_rule() {
        let scratch = std::env::temp_dir().join(format!("mixline-verify-{}", std::process::id()));
        let echo = Subject::Binary("/bin/echo".into());
        let findings = verify(&echo, &Options::new(&scratch));
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].rule, findings[0].verdict),
            ("describe", Verdict::Fail)
        );
        assert!(!compliant(&findings));
        fs::remove_dir_all(scratch).ok();
    }

    #[test]
    fn reuse_needs_the_status_and_no_new_commit() {
        let result = |status| StepResult {
            status,
            step: "step-x".into(),
            outputs: Vec::new(),
            fingerprint: None,
            seconds: 0.0,
            peak_rss_mib: 0.0,
            checks: std::collections::BTreeMap::new(),
            error: None,
        };
        assert!(reuse(Ok(result(StepStatus::Reused)), 1, 1).is_ok());
        assert!(reuse(Ok(result(StepStatus::Reused)), 1, 2).is_err());
        assert!(reuse(Ok(result(StepStatus::Succeeded)), 1, 1).is_err());
    }
}
