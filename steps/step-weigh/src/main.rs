//! The binary `step-weigh`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_weigh::Weigh>()
}
