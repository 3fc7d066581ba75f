//! Cells: text from a file into numbers, days and instants. What can be read in two ways is never
//! guessed.

pub(crate) mod day;
pub(crate) mod instant;
pub(crate) mod number;

/// Texts that stand for "no value" in exports.
const NOTHING: [&str; 8] = ["-", "--", "–", "—", "n/a", "N/A", "null", "NULL"];

/// Whether a cell holds no value. Digits, which most cells begin with, are a value.
pub(crate) fn is_empty(text: &str) -> bool {
    match text.as_bytes() {
        [] => true,
        [first, ..] if first.is_ascii_digit() => false,
        bytes if bytes.len() > 12 => text.trim().is_empty(),
        _ => text.trim().is_empty() || NOTHING.contains(&text.trim()),
    }
}
