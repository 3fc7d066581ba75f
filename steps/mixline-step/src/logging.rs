//! Logs and progress: for people on a terminal, JSON lines everywhere else.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, RunArgs};
use crate::context::ProgressSink;
use crate::error::StepError;

/// The format asked for, or the one that fits where standard error goes.
pub(crate) fn format(args: &RunArgs) -> LogFormat {
    let natural = if std::io::stderr().is_terminal() {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    };
    args.log_format.unwrap_or(natural)
}

/// Starts logging to standard error. A second start in one process changes nothing.
pub(crate) fn start(args: &RunArgs) -> Result<(), StepError> {
    let filter = EnvFilter::try_new(&args.log).map_err(|error| {
        StepError::usage(format!("`--log {}` is not a log filter", args.log)).because(error)
    })?;
    let logs = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter);
    let _ = match format(args) {
        LogFormat::Json => {
            let json = logs.json().flatten_event(true).with_current_span(true);
            json.with_span_list(false).try_init()
        }
        LogFormat::Pretty => logs.with_target(false).compact().try_init(),
    };
    Ok(())
}

/// The trace id in a W3C `traceparent`, for example
/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
pub(crate) fn trace_id(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// Where progress goes in this format.
pub(crate) fn progress(format: LogFormat) -> Box<dyn ProgressSink> {
    if format == LogFormat::Pretty && std::io::stderr().is_terminal() {
        return Box::new(Bar::new());
    }
    Box::new(Events::default())
}

/// A bar.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(1000);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {percent:>3} % {msg} ({eta} left)")
        {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl ProgressSink for Bar {
    fn progress(&self, fraction: f64, stage: &str) {
        self.0.set_message(stage.to_owned());
        self.0.set_position(thousandths(fraction));
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the fraction is between 0 and 1"
)]
fn thousandths(fraction: f64) -> u64 {
    (fraction * 1000.0).round() as u64
}

/// Event lines; a step that reports every row still writes at most a hundred lines per stage.
#[derive(Default)]
struct Events {
    last: Mutex<Option<(String, f64)>>,
}

impl ProgressSink for Events {
    fn progress(&self, fraction: f64, stage: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let news = last
            .as_ref()
            .is_none_or(|(before, at)| before != stage || (fraction - at).abs() >= 0.01);
        if news {
            tracing::info!(event = "progress", fraction, stage, "progress");
            *last = Some((stage.to_owned(), fraction));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_traceparent_gives_a_trace_id() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id));
        assert_eq!(trace_id("00-short-x-01"), None);
        assert_eq!(trace_id(""), None);
    }
}
