//! The binary `step-simulate`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_simulate::Simulate>()
}
