//! What every process exposes, under the names that Prometheus' own libraries use.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Memory, processor time and files of this process.
#[derive(Debug)]
pub(super) struct Process {
    memory: Gauge,
    cpu: Counter<f64, AtomicU64>,
    files: Gauge,
}

/// Clock ticks per second in `/proc`; the same on every Linux.
const TICKS: f64 = 100.0;
impl Process {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let all = Self {
            memory: Gauge::default(),
            cpu: Counter::default(),
            files: Gauge::default(),
        };
        let (memory, cpu) = (all.memory.clone(), all.cpu.clone());
        registry.register_with_unit(
            "process_resident_memory",
            "Resident memory",
            Unit::Bytes,
            memory,
        );
        registry.register_with_unit(
            "process_cpu",
            "Processor time, user and system",
            Unit::Seconds,
            cpu,
        );
        registry.register("process_open_fds", "Open files", all.files.clone());
        all
    }

    /// Reads `/proc`; a value that is not there keeps what it was.
    pub(super) fn look(&self) {
        if let Some(kibibytes) = resident() {
            self.memory.set(kibibytes.saturating_mul(1024));
        }
        let ticks = |at| field("/proc/self/stat", at)?.parse::<f64>().ok();
        if let (Some(user), Some(system)) = (ticks(13), ticks(14)) {
            let total = (user + system) / TICKS;
            self.cpu.inc_by((total - self.cpu.get()).max(0.0));
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            self.files
                .set(i64::try_from(files.count()).unwrap_or(i64::MAX));
        }
    }
}

/// Resident memory in KiB.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A field of a file in `/proc`. Our own name holds no space, so that fields can be counted.
fn field(path: &str, at: usize) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.split_whitespace().nth(at).map(str::to_owned)
}
