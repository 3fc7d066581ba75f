//! The end of an execution: one JSON object in three places, one error chain in two.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use mixline_schema::StepResult;
use serde_json::Value;

use crate::cli::LogFormat;
use crate::error::StepError;

/// Airflow's KubernetesPodOperator reads the result here.
const XCOM: &str = "/airflow/xcom";
/// Kubernetes shows what stands here as the reason of a failed pod.
const TERMINATION_LOG: &str = "/dev/termination-log";
/// The result document stays below this size.
const RESULT_LIMIT: usize = 16 * 1024;
/// How much of an error chain is kept in the result and in the termination log.
const ERROR_LIMIT: usize = 4 * 1024;

/// Writes the result to its file, to Airflow, and as the very last line of standard output.
///
/// A place that cannot be written is a warning: the commit has happened, and says so.
pub(crate) fn result(result: &StepResult, file: Option<&Path>) {
    let text = line(result);
    let xcom = Path::new(XCOM);
    let xcom = xcom.is_dir().then(|| xcom.join("return.json"));
    for path in file.into_iter().map(Path::to_path_buf).chain(xcom) {
        if let Err(error) = fs::write(&path, &text) {
            tracing::warn!(path = %path.display(), %error, "the result could not be written");
        }
    }
    let _ = std::io::stderr().flush();
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// The result on one line, shortened to fit.
fn line(result: &StepResult) -> String {
    let mut result = result.clone();
    if let Some(error) = &mut result.error {
        *error = head(error, ERROR_LIMIT).to_owned();
    }
    let mut text = serde_json::to_string(&result).unwrap_or_default();
    if text.len() >= RESULT_LIMIT {
        let count = result.checks.len();
        result.checks.clear();
        result
            .checks
            .insert("notes_left_out".to_owned(), Value::from(count));
        text = serde_json::to_string(&result).unwrap_or_default();
    }
    text
}

/// The longest start of `text` within `limit` bytes that ends between characters.
pub(crate) fn head(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Prints an error chain on standard error, and leaves its start for Kubernetes.
pub(crate) fn error(error: &StepError, format: LogFormat) {
    let chain = error.chain();
    match format {
        LogFormat::Pretty => {
            let _ = writeln!(std::io::stderr(), "error: {chain}");
        }
        LogFormat::Json => {
            let line = serde_json::json!({
                "level": "ERROR", "event": "error", "message": error.to_string(),
                "exit_code": error.exit_code().code(), "chain": chain,
            });
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
    let log = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(TERMINATION_LOG);
    if let Ok(mut log) = log {
        let _ = log.write_all(head(&chain, ERROR_LIMIT).as_bytes());
    }
}

/// Peak resident memory of this process in MiB; 0 where the system does not say.
pub(crate) fn peak_rss_mib() -> f64 {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| high_water(&status))
        .unwrap_or(0.0)
}

/// `VmHWM` of a status file, in MiB.
fn high_water(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((kib / 1024.0 * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixline_schema::StepStatus;

    #[test]
    fn a_long_result_is_shortened_below_the_limit() {
        let result = StepResult {
            status: StepStatus::Failed,
            step: "step-x".into(),
            outputs: Vec::new(),
            fingerprint: None,
            seconds: 0.1,
            peak_rss_mib: 1.0,
            checks: (0..2000)
                .map(|i| (format!("check_{i}"), Value::from(i)))
                .collect(),
            error: Some("ä".repeat(8000)),
        };
        let text = line(&result);
        assert!(
            text.len() < RESULT_LIMIT && !text.contains('\n'),
            "{}",
            text.len()
        );
        let back: StepResult = serde_json::from_str(&text).unwrap();
        assert_eq!(back.checks["notes_left_out"], 2000);
    }

    #[test]
    fn the_high_water_mark_is_read_in_mib() {
        assert_eq!(high_water("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(2.0));
        assert_eq!(high_water("Name:\tx\n"), None);
    }
}
