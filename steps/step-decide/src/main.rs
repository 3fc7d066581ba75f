//! The binary `step-decide`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_decide::Decide>()
}
