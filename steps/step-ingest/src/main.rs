//! The binary `step-ingest`.

/// Exports can be large: what was freed has to be given back before the next table is built.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_ingest::Ingest>()
}
