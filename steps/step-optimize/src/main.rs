//! The binary `step-optimize`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_optimize::Optimize>()
}
