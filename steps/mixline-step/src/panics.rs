//! A panic is a bug with a place: it becomes an error, not a core dump.

use std::any::Any;
use std::panic;
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinError;

use crate::error::StepError;

/// Where the last panic happened.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Remembers the place of a panic instead of printing it in the middle of the logs.
pub(crate) fn remember_places() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

/// The error behind a task that did not finish.
pub(crate) fn of_task(error: JoinError) -> StepError {
    match error.try_into_panic() {
        Ok(payload) => as_error(&*payload),
        Err(_) => StepError::stopped(),
    }
}

/// The error behind a caught panic.
pub(crate) fn as_error(payload: &(dyn Any + Send)) -> StepError {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let at = place
        .map(|place| format!(" at {place}"))
        .unwrap_or_default();
    StepError::bug(format!("the step panicked{at}: {text}"))
        .hint("this is a bug in the step; nothing was committed")
}
