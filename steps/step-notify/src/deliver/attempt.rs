//! How one try ended.

use std::time::Duration;

use crate::failure::Failure;

/// How one try ended. Details are status codes and kinds of failure, never what a receiver wrote
/// and never an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The receiver has the message.
    Delivered(String),
    /// Another try may help, not before the receiver's wish.
    Again(String, Option<Duration>),
    /// Another try would end the same way.
    Never(String, Failure),
}

impl Attempt {
    /// What is written down.
    pub(crate) fn detail(&self) -> &str {
        match self {
            Self::Delivered(detail) | Self::Again(detail, _) | Self::Never(detail, _) => detail,
        }
    }
}

/// The innermost reason of a failed connection: what the operating system or TLS said. Messages
/// further out repeat addresses.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
