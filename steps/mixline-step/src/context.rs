//! What a step may ask and tell while it runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mixline_schema::{ASSERTIONS, Assertion, InputRef, Window};
use serde_json::Value;

use crate::error::StepError;

/// Where progress goes.
pub(crate) trait ProgressSink: Send + Sync {
    /// `fraction` is between 0 and 1.
    fn progress(&self, fraction: f64, stage: &str);
    /// Nothing more will come: clear the line.
    fn finish(&self) {}
}

/// Ignores progress.
struct Silent;

impl ProgressSink for Silent {
    fn progress(&self, _: f64, _: &str) {}
}

/// The running step's view of the world: window, seed, progress, notes. No store, path or clock.
#[derive(Clone)]
pub struct Context {
    window: Option<Window>,
    seed: u64,
    shared: Arc<Shared>,
}

struct Shared {
    sink: Box<dyn ProgressSink>,
    stopping: AtomicBool,
    inputs: Mutex<Vec<InputRef>>,
    notes: Mutex<BTreeMap<String, Value>>,
    late_failure: Mutex<Option<StepError>>,
}

/// A panic while a lock was held leaves the value usable: every update is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    pub(crate) fn new(window: Option<Window>, seed: u64, sink: Box<dyn ProgressSink>) -> Self {
        let shared = Shared {
            sink,
            stopping: AtomicBool::new(false),
            inputs: Mutex::default(),
            notes: Mutex::default(),
            late_failure: Mutex::default(),
        };
        Self {
            window,
            seed,
            shared: Arc::new(shared),
        }
    }

    /// A context for unit tests of steps: no window, seed 0, silent.
    #[must_use]
    pub fn for_test() -> Self {
        Self::new(None, 0, Box::new(Silent))
    }

    /// The same context with a window.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// The same context with a seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The data interval; `None` means everything there is.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// The random seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The versions behind the inputs, by port; for documents that say where their numbers come
    /// from. Files have none. The fingerprint knows digests, not versions: an output that holds a
    /// version is not the same when it is made again.
    #[must_use]
    pub fn inputs(&self) -> Vec<InputRef> {
        lock(&self.shared.inputs).clone()
    }

    pub(crate) fn read(&self, inputs: Vec<InputRef>) {
        *lock(&self.shared.inputs) = inputs;
    }

    /// Says how far the step is: a bar on a terminal, an event line elsewhere.
    pub fn progress(&self, fraction: f64, stage: &str) {
        self.shared.sink.progress(fraction.clamp(0.0, 1.0), stage);
    }

    /// Adds a named number to the result's `checks`.
    pub fn note(&self, key: impl Into<String>, value: impl Into<Value>) {
        lock(&self.shared.notes).insert(key.into(), value.into());
    }

    /// Adds the rules that were checked, and whether they held; lineage servers are told.
    pub fn note_assertions(&self, assertions: &[Assertion]) {
        let all = assertions.iter().map(serde_json::to_value);
        self.note(ASSERTIONS, all.filter_map(Result::ok).collect::<Vec<_>>());
    }

    /// Whether the process was asked to stop. Long loops may look and return early; what they
    /// return is not committed.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Relaxed)
    }

    /// Lets the outputs be committed and fails the step afterwards with `error`.
    ///
    /// For steps whose output explains the failure: the findings of a check are kept, its
    /// consumers do not run. Such a commit is never reused.
    pub fn fail_after_commit(&self, error: StepError) {
        *lock(&self.shared.late_failure) = Some(error);
    }

    /// The notes so far, in key order; for tests and for the result document.
    #[must_use]
    pub fn notes(&self) -> BTreeMap<String, Value> {
        lock(&self.shared.notes).clone()
    }

    /// The failure to report after the commit, if one was asked for; taken once.
    #[must_use]
    pub fn late_failure(&self) -> Option<StepError> {
        lock(&self.shared.late_failure).take()
    }

    /// The same notes, progress and stop flag with the window and seed of a request.
    pub(crate) fn for_request(mut self, window: Option<Window>, seed: u64) -> Self {
        (self.window, self.seed) = (window, seed);
        self
    }

    pub(crate) fn finish_progress(&self) {
        self.shared.sink.finish();
    }

    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("window", &self.window)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_the_late_failure_reach_every_clone() {
        let ctx = Context::for_test().with_seed(3);
        let clone = ctx.clone();
        clone.note("rows", 5);
        clone.fail_after_commit(StepError::data("two findings are errors"));
        clone.stop();
        assert_eq!(ctx.notes()["rows"], 5);
        assert_eq!(
            ctx.late_failure().unwrap().to_string(),
            "two findings are errors"
        );
        assert!(ctx.stopping() && ctx.late_failure().is_none());
    }
}
