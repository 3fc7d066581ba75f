//! The binary of [`step_noop`].

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_noop::Noop>()
}
