//! The binary `step-attribute`.

fn main() -> std::process::ExitCode {
    mixline_step::main::<step_attribute::Attribute>()
}
