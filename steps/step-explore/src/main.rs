//! The binary `step-explore`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_explore::Explore>()
}
