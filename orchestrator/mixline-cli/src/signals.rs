//! Ctrl-C and SIGTERM: the first one stops the run cleanly, a second one stops at once.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mixline_run::Cancel;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Outcome;

/// Exit code of a process stopped by Ctrl-C.
const INTERRUPTED: u8 = 130;
/// Exit code of a process stopped by SIGTERM.
const TERMINATED: u8 = 143;

/// The switch that signals turn, and which signal it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    cancel: Cancel,
    code: Arc<AtomicU8>,
}

impl Stop {
    /// Starts to listen; the first signal stops the run that is going on.
    pub(crate) fn listen() -> Outcome<Self> {
        Self::saying("tasks get SIGTERM and commit nothing; Ctrl-C again to leave")
    }

    /// Starts to listen; the first signal is answered with what it means.
    pub(crate) fn saying(meaning: &'static str) -> Outcome<Self> {
        let stop = Self::default();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let heard = stop.clone();
        tokio::spawn(async move {
            loop {
                let code = tokio::select! {
                    _ = interrupt.recv() => INTERRUPTED,
                    _ = terminate.recv() => TERMINATED,
                };
                if heard.code.swap(code, Ordering::Relaxed) != 0 && code == INTERRUPTED {
                    std::process::exit(i32::from(code));
                }
                eprintln!("stopping: {meaning}");
                heard.cancel.cancel();
            }
        });
        Ok(stop)
    }

    /// The switch for the engine.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Whether a signal came.
    pub(crate) fn stopped(&self) -> bool {
        self.code.load(Ordering::Relaxed) != 0
    }

    /// The exit code of the signal that came, or else `code`.
    pub(crate) fn or(&self, code: ExitCode) -> ExitCode {
        match self.code.load(Ordering::Relaxed) {
            0 => code,
            signal => ExitCode::from(signal),
        }
    }
}
