//! The binary `step-decompose`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_decompose::Decompose>()
}
