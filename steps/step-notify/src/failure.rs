//! What failed sendings mean for the step: an exit code, and whom to ask.

use mixline_step::StepError;

use crate::outbox::Outbox;

/// Why a target did not get the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may work later: time-outs, broken connections, busy receivers.
    Temporary,
    /// The address or the credentials are not accepted.
    Access,
    /// The receiver does not want the message as it is.
    Refused,
}

/// The step's error, when a target failed. One that may work later decides the exit code, so that
/// callers try again.
pub(crate) fn of(outbox: &Outbox<'_>) -> Option<StepError> {
    let failed = &outbox.failed;
    if failed.is_empty() {
        return None;
    }
    let told = |(name, _, detail): &(String, Failure, String)| format!("`{name}` ({detail})");
    let named: Vec<String> = failed.iter().map(told).collect();
    let targets = if named.len() == 1 {
        "target"
    } else {
        "targets"
    };
    let message = format!(
        "{} {targets} did not get the message: {}",
        named.len(),
        named.join(", ")
    );
    let any = |kind: Failure| failed.iter().any(|(_, failure, _)| *failure == kind);
    let error = if any(Failure::Temporary) {
        StepError::temporary(message)
    } else if any(Failure::Access) {
        StepError::credentials(message)
    } else {
        StepError::data(message)
    };
    let mut advice = vec!["run the step again: only these targets get the message then"];
    if any(Failure::Access) {
        advice.push("check the address and credentials that `targets` names; they are read anew");
    }
    if any(Failure::Refused) {
        advice.push("the receiver's own log says what it did not like");
    }
    Some(error.hint(advice.join("; ")))
}
