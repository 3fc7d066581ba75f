//! The binary `step-sessionize`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_sessionize::Sessionize>()
}
