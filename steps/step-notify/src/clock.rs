//! The one place of this step that reads the clock.
//!
//! Steps have no clock: the same inputs must give the same rows. No row of this step holds a
//! time. Receivers need one: a signature is only good for some minutes, an e-mail has a date, and
//! a server may say until when to wait.

use std::time::SystemTime;

/// Now.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
