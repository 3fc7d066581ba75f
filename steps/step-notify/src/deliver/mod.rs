//! Sending: every letter to its target, each on its own, with patience.
//!
//! Steps are synchronous; a small runtime on this thread carries the conversations side by side.

mod access;
mod attempt;
mod http;
mod retry;
mod sign;
mod smtp;

use std::time::Duration;

use futures::future::join_all;
use mixline_step::{Context, StepError};

use crate::compose::Letter;
use crate::config::Config;
use crate::outbox::Outbox;

pub(crate) use access::Access;

/// How often a waiting letter looks whether the process was asked to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Sends every letter and records what became of it.
///
/// # Errors
/// Before anything is sent, when a secret is missing or an address is none.
pub(crate) fn all(
    letters: &[Letter<'_>],
    outbox: &mut Outbox<'_>,
    config: &Config,
    ctx: &Context,
) -> Result<(), StepError> {
    let mut ready = Vec::new();
    for letter in letters {
        ready.push((letter, letter.access()?));
    }
    if ready.is_empty() {
        return Ok(());
    }
    ctx.progress(0.3, "sending");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StepError::temporary("a runtime cannot be started").because(error))?;
    let conversations = ready
        .iter()
        .map(|(letter, access)| retry::patiently(letter, access, config, ctx));
    let outcomes = runtime.block_on(join_all(conversations));
    // A name that is still being looked up must not keep the step.
    runtime.shutdown_background();
    for ((letter, _), outcome) in ready.iter().zip(outcomes) {
        outbox.record(letter, outcome);
    }
    Ok(())
}

/// Ends when the process is asked to stop.
async fn stopped(ctx: &Context) {
    while !ctx.stopping() {
        tokio::time::sleep(LOOK).await;
    }
}
