//! Cells: text from a file into numbers, days and instants. What can be read in two ways is never
//! guessed.

pub(crate) mod day;
pub(crate) mod instant;
pub(crate) mod number;

/// Texts that stand for "no value" in exports.
const NOTHING: [&str; 8] = ["-", "--", "–", "—", "n/a", "N/A", "null", "NULL"];

/// Whether a cell holds no value.
pub(crate) fn is_empty(text: &str) -> bool {
    text.is_empty() || text.len() <= 4 && (text.trim().is_empty() || NOTHING.contains(&text.trim()))
}
