//! Binding a task's inputs at the moment it could start, when what its upstream tasks wrote is
//! known. An upstream task that ran and wrote the same content cuts the run off here.

use std::collections::BTreeMap;

use mixline_plan::{History, PlannedInput, PlannedTask, Reason, Source, Verdict};
use mixline_schema::Digest;

use crate::event::{ResolvedInput, RunEvent};
use crate::state::RunState;

/// What becomes of the task: reused, queued, or skipped for want of an input.
pub(crate) fn settle(task: &str, state: &RunState, history: &History) -> RunEvent {
    let planned = state
        .plan()
        .and_then(|plan| plan.tasks.iter().find(|p| p.name == task));
    let Some(planned) = planned else {
        let error = "the plan does not have this task".to_owned();
        return RunEvent::TaskFailed {
            task: task.to_owned(),
            error,
        };
    };
    match bind(planned, state, history) {
        Ok(inputs) => decide(planned, inputs, history),
        Err(reason) => RunEvent::TaskSkipped {
            task: task.to_owned(),
            reason,
        },
    }
}

fn bind(
    planned: &PlannedTask,
    state: &RunState,
    history: &History,
) -> Result<BTreeMap<String, ResolvedInput>, String> {
    let mut inputs = BTreeMap::new();
    for (port, input) in &planned.inputs {
        match version(input, state, history) {
            Some((version, digest)) => {
                let artifact = input.artifact.clone();
                inputs.insert(
                    port.clone(),
                    ResolvedInput {
                        artifact,
                        version,
                        digest,
                    },
                );
            }
            None if input.optional => {}
            None => {
                return Err(format!(
                    "input `{port}`: `{}` has no version yet",
                    input.artifact
                ));
            }
        }
    }
    Ok(inputs)
}

/// What the upstream task wrote; where it wrote nothing (it was skipped, or failed and is
/// tolerated), what the store has.
fn version(input: &PlannedInput, state: &RunState, history: &History) -> Option<(u64, Digest)> {
    match &input.from {
        Source::Store { version, digest } => Some((*version, digest.clone())),
        Source::Absent => None,
        Source::Task(upstream) => {
            let outputs = state.task(upstream).map(|status| status.outputs.as_slice());
            let written = outputs
                .unwrap_or_default()
                .iter()
                .find(|output| output.artifact == input.artifact);
            written
                .map(|output| (output.version, output.digest.clone()))
                .or_else(|| {
                    let head = history.heads.get(&input.artifact)?;
                    Some((head.version, head.digest.clone()))
                })
        }
    }
}

fn decide(
    planned: &PlannedTask,
    inputs: BTreeMap<String, ResolvedInput>,
    history: &History,
) -> RunEvent {
    let resolved = inputs
        .iter()
        .map(|(port, input)| (port.clone(), (input.version, input.digest.clone())));
    let (fingerprint, document, verdict) =
        mixline_plan::settle(planned, &resolved.collect(), history);
    let task = planned.name.clone();
    let forced = planned.verdict.is_forced();
    match verdict {
        Verdict::Reuse { outputs, .. } if !forced => RunEvent::TaskReused {
            task,
            fingerprint,
            outputs,
        },
        verdict => {
            let reasons = match &verdict {
                Verdict::Run { reasons } if !forced => {
                    reasons.iter().map(ToString::to_string).collect()
                }
                _ => vec![Reason::Forced.to_string()],
            };
            let document = Box::new(document);
            RunEvent::TaskQueued {
                task,
                inputs,
                fingerprint,
                document,
                reasons,
            }
        }
    }
}
