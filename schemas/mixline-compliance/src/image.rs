//! Rules that only an image, or a folder of Airflow's, gives a chance to check.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::{Finding, Kit, Subject, Verdict, finding, judge};

/// Rules that need a run that succeeded.
const RUN: &str = "reuse";

impl Kit<'_> {
    /// What Airflow's KubernetesPodOperator reads is what the last line said.
    pub(crate) fn xcom(&self) -> Finding {
        let rule = "xcom";
        let Subject::Image(_) = self.subject else {
            let detail = "there is no /airflow/xcom here; an image gets one";
            return finding(rule, Verdict::NotApplicable, detail);
        };
        let text = fs::read_to_string(self.options.scratch.join("second.stdout"));
        let said = text
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(text.lines().last()?).ok());
        let Some(said) = said else {
            return finding(rule, Verdict::NotApplicable, "no run ended with a result");
        };
        let file = self.options.scratch.join("xcom-of-runs.json");
        let written = fs::read(&file).map_err(|error| format!("return.json: {error}"));
        let written = written.and_then(|bytes| {
            serde_json::from_slice::<Value>(&bytes).map_err(|error| format!("return.json: {error}"))
        });
        judge(
            rule,
            written.and_then(|written| match written == said {
                true => Ok("return.json is the last line".to_owned()),
                false => Err(format!("return.json says {written}, the last line {said}")),
            }),
        )
    }

    /// Keeps Airflow's file of the runs from being overwritten by later calls.
    pub(crate) fn keep_xcom(&self) {
        let file = self.options.scratch.join("xcom/return.json");
        let _ = fs::copy(file, self.options.scratch.join("xcom-of-runs.json"));
    }

    /// Whether the image names a user who is not root, and whether the runs, which had a read-only
    /// root and nobody's rights, succeeded.
    pub(crate) fn confinement(&self, findings: &[Finding]) -> Vec<Finding> {
        let Subject::Image(image) = self.subject else {
            let detail = "a property of images";
            return ["non_root", "read_only_root"]
                .map(|rule| finding(rule, Verdict::NotApplicable, detail))
                .into();
        };
        let reused = findings.iter().find(|finding| finding.rule == RUN);
        let (verdict, detail) = match reused.map(|finding| finding.verdict) {
            Some(Verdict::Pass) => (Verdict::Pass, "it ran as user 65532 with a read-only root"),
            Some(Verdict::Fail) => (Verdict::Fail, "it did not run; see the other rules"),
            _ => (
                Verdict::NotApplicable,
                "no run succeeded; see the other rules",
            ),
        };
        vec![
            judge("non_root", user(image)),
            finding("read_only_root", verdict, detail),
        ]
    }
}

/// The user an image names; Kubernetes' `runAsNonRoot` accepts numbers only.
fn user(image: &str) -> Result<String, String> {
    let mut inspect = Command::new("docker");
    inspect.args(["image", "inspect", "--format", "{{.Config.User}}", image]);
    let seen = inspect
        .output()
        .map_err(|error| format!("docker: {error}"))?;
    if !seen.status.success() {
        return Err(String::from_utf8_lossy(&seen.stderr).trim().to_owned());
    }
    let user = String::from_utf8_lossy(&seen.stdout).trim().to_owned();
    let number = user.split(':').next().and_then(|id| id.parse::<u32>().ok());
    match number {
        Some(id) if id > 0 => Ok(format!("user {user}")),
        _ => Err(format!(
            "the image names user `{user}`; write a number above 0"
        )),
    }
}
