//! A day of a scheduler, twice. In simulated minutes it is a test of `mixline-run`, which holds the
//! clock; as a real process with real steps, a window every second, one of `mixline-it`. Here both go
//! on for the whole day and show their figures.

use anyhow::Result;

use crate::shell::{build, cargo, run as shell};

/// Minutes of a day.
const MINUTES: &str = "1440";

/// Runs both days.
pub(crate) fn run() -> Result<()> {
    shell(test("mixline-run", "soak", "").env("MIXLINE_SOAK_MINUTES", MINUTES))?;
    build(false)?;
    shell(test("mixline-it", "it", "soak::").env("MIXLINE_SOAK_WINDOWS", MINUTES))
}

/// The tests of a target that match, with what they print.
fn test(package: &str, target: &str, matching: &str) -> std::process::Command {
    let mut test = cargo(&["test", "-p", package, "-p", "mixline-features"]);
    test.args(["--test", target, matching, "--", "--nocapture"]);
    test
}
