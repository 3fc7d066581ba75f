//! An executor that starts nothing: duration and outcome are written in the task's configuration
//! as `{"mock": {"seconds": 0.1, "exit": 75, "until_attempt": 2}}`.

use std::time::Duration;

use mixline_schema::{Digest, ErrorClass, ExitCode, OutputResult, StepResult, StepStatus};
use serde::Deserialize;

use super::{Executor, Job, Outcome, Stop, over, stopped, stopped_on_request, timed_out};

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct MockExecutor;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Mock {
    seconds: f64,
    exit: i32,
    /// The exit code holds before this attempt; from it on the attempt succeeds.
    until_attempt: Option<u32>,
}

#[async_trait::async_trait]
impl Executor for MockExecutor {
    async fn run(&self, job: &Job, mut stop: Stop) -> Outcome {
        let mock = job.context.config.get("mock").cloned().unwrap_or_default();
        let mock: Mock = serde_json::from_value(mock).unwrap_or_default();
        let duration = Duration::try_from_secs_f64(mock.seconds).unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(duration) => finish(job, &mock),
            () = stopped(&mut stop) => stopped_on_request(Some(143)),
            () = over(job.timeout) => timed_out(job.timeout, Some(143)),
        }
    }

    async fn reattach(&self, _: &Job, _: Stop) -> Outcome {
        Outcome::Lost
    }

    async fn leaves_trace(&self, _: &Job) -> bool {
        false
    }
}

fn finish(job: &Job, mock: &Mock) -> Outcome {
    let attempt = job.context.run.as_ref().map_or(1, |run| run.attempt);
    let exit = if mock.until_attempt.is_some_and(|first| attempt >= first) {
        0
    } else {
        mock.exit
    };
    match exit {
        0 => Outcome::Succeeded(Box::new(result(job, mock.seconds))),
        99 => Outcome::Skipped(ExitCode::NothingToDo.meaning().to_owned()),
        code => Outcome::Failed {
            class: ExitCode::from_code(code)
                .and_then(ExitCode::class)
                .unwrap_or(ErrorClass::Bug),
            exit_code: Some(code),
            error: format!("mock exit {code}"),
        },
    }
}

fn result(job: &Job, seconds: f64) -> StepResult {
    let output = |(port, artifact): (&String, &String)| OutputResult {
        port: port.clone(),
        artifact: artifact.clone(),
        version: 0,
        rows: 0,
        digest: Digest::of_bytes(job.context.config.to_string().as_bytes()),
    };
    StepResult {
        status: StepStatus::Succeeded,
        step: job.step.clone(),
        outputs: job.context.outputs.iter().map(output).collect(),
        fingerprint: job.context.fingerprint.clone(),
        seconds,
        peak_rss_mib: 0.0,
        checks: std::collections::BTreeMap::new(),
        error: None,
    }
}
