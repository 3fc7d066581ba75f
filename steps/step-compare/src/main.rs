//! The binary `step-compare`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_compare::Compare>()
}
