//! What people see: colors, tables, and the words for numbers and times.

pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod words;
