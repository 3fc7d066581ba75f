//! The binary `step-prepare`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_prepare::Prepare>()
}
