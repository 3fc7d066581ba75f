//! The binary of [`step_check`].

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_check::Check>()
}
