//! The binary, held to the contract of `steps/README.md` from outside.

mixline_compliance::step_compliance!("step-noop", slow = ["--set", "sleep_ms=30000"]);
