//! The log of a scheduler: a line for every change of a run, with the ids of its trace.

use crate::dispatcher::Subscriber;
use crate::event::{RecordedEvent, RunEvent};
use crate::state::RunState;

/// Logs what happens to runs, at level `info`. In JSON every line carries `trace_id`, and lines
/// about an attempt its `span_id`, under which steps and traces know it too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Journal;

impl Subscriber for Journal {
    fn on_event(&self, recorded: &RecordedEvent, state: &RunState) {
        let (run, trace) = (recorded.run_id.as_str(), state.trace());
        let (trace_id, dag) = (trace.id.as_str(), state.plan().map_or("", |plan| &plan.dag));
        // A line about an attempt, with what every one of them says.
        macro_rules! attempt_line {
            ($task:ident, $attempt:ident, $($more:tt)+) => {{
                let span_id = trace.attempt_span($task, *$attempt);
                tracing::info!(run, trace_id, span_id, dag, $task, $attempt, $($more)+);
            }};
        }
        match &recorded.event {
            RunEvent::RunCreated { trigger, .. } => {
                tracing::info!(run, trace_id, dag, trigger, "run created");
            }
            RunEvent::RunFinished { state } => {
                tracing::info!(run, trace_id, dag, state = state.as_str(), "run finished");
            }
            RunEvent::AttemptStarted { task, attempt } => {
                attempt_line!(task, attempt, "attempt started");
            }
            RunEvent::AttemptSucceeded {
                task,
                attempt,
                result,
            } => {
                let (seconds, peak_rss_mib) = (result.seconds, result.peak_rss_mib);
                attempt_line!(task, attempt, seconds, peak_rss_mib, "attempt succeeded");
            }
            RunEvent::AttemptFailed {
                task,
                attempt,
                error,
                exit_code,
                ..
            } => {
                attempt_line!(task, attempt, ?exit_code, error, "attempt failed");
            }
            RunEvent::AttemptLost { task, attempt } => {
                attempt_line!(task, attempt, "attempt lost");
            }
            _ => {}
        }
    }
}
