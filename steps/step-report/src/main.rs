//! The binary `step-report`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_report::Report>()
}
