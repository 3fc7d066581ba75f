//! How urgent a sentence is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Urgency, in rising order.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    #[default]
    Info,
    /// Worth a look.
    Warning,
    /// Something is wrong.
    Error,
}

impl Level {
    /// The level behind a word of `briefing`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error]
            .into_iter()
            .find(|level| level.word() == word)
    }

    /// Its word in `briefing`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
