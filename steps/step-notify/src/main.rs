//! The binary `step-notify`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_notify::Notify>()
}
