//! Charts, drawn once, in Rust.
