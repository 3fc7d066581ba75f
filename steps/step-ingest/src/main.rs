//! The binary `step-ingest`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_ingest::Ingest>()
}
