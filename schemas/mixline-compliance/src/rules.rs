//! Rules that calls and their ends decide: describing, refusing, running twice.

use std::path::Path;
use std::time::Duration;

use mixline_schema::{ExitCode, Port, StepDescriptor, StepResult, StepStatus, catalog};

use crate::kit::{Kit, entries};
use crate::stop::Whole;
use crate::{Finding, Subject, Verdict, finding, judge};

/// How long `describe` may take, best of three: starting a process is noisy.
const DESCRIBE_LIMIT: Duration = Duration::from_millis(20);

/// Declared columns must be columns of the ports they name.
pub(crate) fn declared_columns(descriptor: &StepDescriptor) -> Finding {
    let exists = |ports: &[Port], column: &str| {
        let (port, name) = column.split_once('.')?;
        let port = ports.iter().find(|p| p.name == port)?;
        // The catalogue knows the steps' own names too, as `model`; of an artifact that it does not
        // know, nothing can be said here.
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

impl Kit<'_> {
    pub(crate) fn describe(&self) -> (Option<StepDescriptor>, Finding) {
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

    pub(crate) fn describe_is_fast(&self) -> Finding {
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

    pub(crate) fn refused(
        &self,
        rule: &'static str,
        extra: &[&str],
        expected: ExitCode,
    ) -> Finding {
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
    pub(crate) fn failure_commits_nothing(&self) -> Finding {
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

    /// The first run commits, the second finds what the first committed. Also tells how the first
    /// one went, when it went well.
    pub(crate) fn run_twice(&self, descriptor: &StepDescriptor) -> (Vec<Finding>, Option<Whole>) {
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
            let left_out = |rule| finding(rule, Verdict::NotApplicable, detail.clone());
            return (["last_line", "reuse"].map(left_out).into(), None);
        }
        let store = self.store("reuse");
        let args = self.run_args(&store, &[]);
        let first = match self.call(&args, "first") {
            Ok(call) => call,
            Err(detail) => return (vec![finding("last_line", Verdict::Fail, detail)], None),
        };
        let last_line = judge(
            "last_line",
            first.result().map(|result| format!("{:?}", result.status)),
        );
        if first.code() != Some(0) {
            let detail = format!("the first run {}", first.story());
            let reuse = finding("reuse", Verdict::NotApplicable, detail);
            return (vec![last_line, reuse], None);
        }
        let whole = Whole {
            took: first.took,
            commits: entries(Path::new(&store)),
        };
        // A step that watches files it writes itself has found them as they are from now on.
        if !descriptor.observes.is_empty()
            && let Err(detail) = self.call(&args, "settling")
        {
            return (
                vec![last_line, finding("reuse", Verdict::Fail, detail)],
                None,
            );
        }
        let before = entries(Path::new(&store));
        let second = self.call(&args, "second").and_then(|call| call.result());
        let after = entries(Path::new(&store));
        self.keep_xcom();
        let reuse = judge("reuse", reuse(second, before, after));
        (vec![last_line, reuse], Some(whole))
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

#[cfg(test)]
mod tests {
    use super::*;

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
