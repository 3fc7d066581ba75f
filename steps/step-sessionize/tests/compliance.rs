//! The binary, held to the contract of `steps/README.md` from outside.

mixline_compliance::step_compliance!("step-sessionize");
