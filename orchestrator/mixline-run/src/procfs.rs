//! Processes that are not our children: who is alive, and how to stop a group.

/// When a process started, in clock ticks since boot; with the number it names one process for
/// good. `None` when it is gone (or only waits to be reaped).
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything; fields count from behind it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether this very process is alive.
pub(crate) fn is_alive(pid: u32, start: u64) -> bool {
    start_time(pid) == Some(start)
}

/// Sends a signal to a process group. A group that is gone needs no signal, so errors are ignored.
pub(crate) fn signal_group(pid: u32, signal: i32) {
    let Ok(pid) = i32::try_from(pid) else { return };
    if pid > 1 {
        #[expect(
            unsafe_code,
            reason = "`kill` takes two integers and touches no memory of ours"
        )]
        // SAFETY: `kill` has no memory effects; `pid` is above 1, so this is one group of ours.
        let _ = unsafe { libc::kill(-pid, signal) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_no_other_start_is() {
        let pid = std::process::id();
        let start = start_time(pid).unwrap();
        assert!(is_alive(pid, start));
        assert!(!is_alive(pid, start + 1));
    }
}
