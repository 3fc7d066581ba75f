//! The runs this process drives. A run that the state database says is ours and that is not here
//! has lost its dispatcher (the database was away when it wanted to write, for example), and is
//! resumed like one whose process is gone.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One for the whole process, as process numbers are.
static DRIVEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn driven() -> MutexGuard<'static, BTreeSet<String>> {
    DRIVEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process drives the run.
pub(crate) fn is_driven(run_id: &str) -> bool {
    driven().contains(run_id)
}

/// The right to drive a run; given back when dropped.
#[derive(Debug)]
pub(crate) struct Driving(String);

impl Driving {
    /// Starts to drive a run; `None` while this process drives it already.
    pub(crate) fn start(run_id: &str) -> Option<Self> {
        let new = driven().insert(run_id.to_owned());
        new.then(|| Self(run_id.to_owned()))
    }

    /// The run.
    pub(crate) fn run_id(&self) -> &str {
        &self.0
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        driven().remove(&self.0);
    }
}
