//! The binary `step-ingest`.

/// Tables are large and short-lived here: memory that was freed is at hand for the next one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc's `mi_option_purge_delay`: milliseconds until freed memory is given back.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> std::process::ExitCode {
    keep_freed_memory();
    mixline_step::main::<step_ingest::Ingest>()
}

/// Giving memory back only to ask for it again took a third of the time of a large file.
fn keep_freed_memory() {
    #[expect(
        unsafe_code,
        reason = "the allocator's options are set through its C interface"
    )]
    // SAFETY: sets a number, before there is a second thread.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
    }
}
