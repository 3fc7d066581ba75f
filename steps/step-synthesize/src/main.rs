//! The binary of [`step_synthesize`].

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_synthesize::Synthesize>()
}
