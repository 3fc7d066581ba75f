//! The binary, held to the contract of `steps/README.md` from outside.
//!
//! Deliveries are given as a file: read from the store, they are what the first run wrote, and the
//! second run would have another input. To make a run slow, a target is configured that nobody
//! listens at, so that the step waits for its second try.

mixline_compliance::step_compliance!(
    "step-notify",
    run = [
        "--in",
        "briefing=tests/data/briefing.csv",
        "--in",
        "deliveries=tests/data/deliveries.csv",
    ],
    slow = ["--config", "tests/data/slow.toml"],
);
