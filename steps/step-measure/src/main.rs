//! The binary `step-measure`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_measure::Measure>()
}
