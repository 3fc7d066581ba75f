//! A day of a scheduler. The run is a test of `mixline-run`, which has the simulated clock; here it
//! goes on for the whole day and shows its figures.

use anyhow::Result;

use crate::shell::{cargo, run as shell};

/// Minutes of a day.
const MINUTES: &str = "1440";

/// Runs the day.
pub(crate) fn run() -> Result<()> {
    let mut day = cargo(&[
        "test",
        "-p",
        "mixline-run",
        "-p",
        "mixline-features",
        "--lib",
    ]);
    day.args(["scheduler::soak", "--", "--nocapture"]);
    shell(day.env("MIXLINE_SOAK_MINUTES", MINUTES))
}
