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

/// The machine, as far as process numbers are concerned: the boot and the space that processes are
/// numbered in, so that two containers are two machines. `None` where there is no such thing to
/// read.
pub(crate) fn machine() -> Option<u64> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(hash(&format!("{}{}", boot.trim(), space.display())))
}

/// A machine by its name.
pub(crate) fn hash(name: &str) -> u64 {
    let digest = blake3::hash(name.as_bytes());
    let (first, _) = digest.as_bytes().split_at(8);
    first
        .iter()
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// What people call this machine.
pub(crate) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unknown".to_owned(),
        name => name.to_owned(),
    }
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
