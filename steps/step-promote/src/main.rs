//! The binary `step-promote`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_promote::Promote>()
}
