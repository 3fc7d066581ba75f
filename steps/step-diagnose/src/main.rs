//! The binary `step-diagnose`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_diagnose::Diagnose>()
}
