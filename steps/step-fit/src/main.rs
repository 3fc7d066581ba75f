//! The binary `step-fit`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_fit::Fit>()
}
