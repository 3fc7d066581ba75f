//! Whether a task with known inputs must run: the same decision while planning and while running.
//!
//! Deciding again at run time is what gives early cut-off: a task whose predecessor ran, but wrote
//! the same rows, is reused after all.

use std::collections::BTreeMap;

use mixline_schema::{Digest, FingerprintInputs, OutputResult, fingerprint};

use crate::plan::{History, PlannedTask, SlotCommit, Verdict};
use crate::reason::{Reason, differences};

/// Decides for a task whose inputs are known: port → (version, content digest). Ports that read
/// nothing are absent.
///
/// What a task reads of its own output is its memory, not a reason to run: having run would be the
/// reason to run again.
///
/// A task is reused when the newest commit of its slot in every required output, and in at least
/// one output, carries its fingerprint.
#[must_use]
pub fn settle(
    task: &PlannedTask,
    resolved: &BTreeMap<String, (u64, Digest)>,
    history: &History,
) -> (Digest, FingerprintInputs, Verdict) {
    let inputs = resolved
        .iter()
        .filter(|(port, _)| !task.remembers(port))
        .map(|(port, (_, digest))| (port.clone(), digest.clone()))
        .collect();
    let document = FingerprintInputs {
        step: task.step.clone(),
        code_version: task.code.clone(),
        config: task.config.clone(),
        inputs,
        observed: task.observed.clone(),
        window: task.window,
        seed: task.seed,
    };
    let print = fingerprint(&document);
    let verdict = match reusable(task, &print, history) {
        Some(outputs) => Verdict::Reuse {
            fingerprint: print.clone(),
            outputs,
        },
        None => Verdict::Run {
            reasons: reasons(task, &document, history),
        },
    };
    (print, document, verdict)
}

fn reusable(task: &PlannedTask, print: &Digest, history: &History) -> Option<Vec<OutputResult>> {
    let mut outputs = Vec::new();
    for output in &task.outputs {
        let slot = (task.slot.clone(), output.artifact.clone());
        match history
            .slots
            .get(&slot)
            .filter(|commit| commit.fingerprint == *print)
        {
            Some(commit) => outputs.push(result(&output.port, &output.artifact, commit)),
            None if output.optional => {}
            None => return None,
        }
    }
    (!outputs.is_empty()).then_some(outputs)
}

fn result(port: &str, artifact: &str, commit: &SlotCommit) -> OutputResult {
    OutputResult {
        port: port.to_owned(),
        artifact: artifact.to_owned(),
        version: commit.version,
        rows: commit.rows,
        digest: commit.digest.clone(),
    }
}

fn reasons(task: &PlannedTask, document: &FingerprintInputs, history: &History) -> Vec<Reason> {
    let Some(last) = history.last.get(&task.slot) else {
        return vec![Reason::NeverRan];
    };
    let found = differences(last, document);
    if !found.is_empty() {
        return found;
    }
    // Nothing differs from the last execution, and yet its commits are not the newest of the slot.
    let required = task
        .outputs
        .iter()
        .find(|o| !o.optional)
        .or(task.outputs.first());
    match required {
        Some(output) if history.heads.contains_key(&output.artifact) => {
            vec![Reason::OutputOverwritten {
                artifact: output.artifact.clone(),
            }]
        }
        _ => vec![Reason::NeverRan],
    }
}
