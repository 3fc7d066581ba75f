//! The compliance kit: a step binary held to the contract of `steps/README.md`, from outside.
//!
//! It starts the binary and looks at exit codes, standard output and descriptors only, so it
//! judges a step in any language. Rules that a step gives no chance to check (it has required
//! inputs, or nothing that takes long) are reported as not applicable, never as passed.
//!
//! An image is held to the same rules, under the conditions of a cluster: any user, no capabilities,
//! no network, a read-only root.

mod image;
mod kit;
mod rules;
mod stop;
mod subject;

pub use subject::Subject;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mixline_schema::ExitCode;
use serde::Serialize;

use kit::Kit;
use rules::declared_columns;

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
    /// Extra arguments of `run` that make it take at least ten seconds. Without them it is stopped at
    /// several moments of a run that succeeds.
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
            let run: ::std::vec::Vec<String> = vec![$($(String::from($run)),*)?];
            let slow = None::<::std::vec::Vec<String>>$(.or(Some(vec![$(String::from($slow)),*])))?;
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
    let (runs, whole) = kit.run_twice(&descriptor);
    findings.extend(runs);
    findings.push(kit.stops(whole));
    findings.push(kit.xcom());
    findings.extend(kit.confinement(&findings));
    findings
}

pub(crate) fn finding(rule: &'static str, verdict: Verdict, detail: impl Into<String>) -> Finding {
    Finding {
        rule,
        verdict,
        detail: detail.into(),
    }
}

pub(crate) fn judge(rule: &'static str, seen: Result<String, String>) -> Finding {
    match seen {
        Ok(detail) => finding(rule, Verdict::Pass, detail),
        Err(detail) => finding(rule, Verdict::Fail, detail),
    }
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
}
