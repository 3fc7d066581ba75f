//! Exit codes: the one table every caller reads.

use serde::{Deserialize, Serialize};

/// How a step process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ExitCode {
    /// Done, also when an earlier result was reused.
    Done = 0,
    /// Wrong command line.
    Usage = 2,
    /// Data or a check failed; the same input fails again.
    Data = 65,
    /// A bug of ours.
    Bug = 70,
    /// Storage could not be read or written.
    Storage = 74,
    /// Temporary failure.
    Temporary = 75,
    /// Credentials missing or refused.
    Credentials = 77,
    /// Configuration is wrong.
    Config = 78,
    /// Nothing to do in this window.
    NothingToDo = 99,
    /// Stopped by a signal.
    Stopped = 143,
}

/// What a failure means for retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Trying again may help (storage, temporary).
    Transient,
    /// The machine or process went away; trying again helps.
    Infrastructure,
    /// The data is wrong; trying again does not help.
    Data,
    /// The configuration, command line or credentials are wrong.
    Config,
    /// A bug.
    Bug,
    /// Stopped on request.
    Stopped,
}

impl ErrorClass {
    /// Whether the same again gives the same again.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::Data | Self::Config | Self::Bug)
    }
}

impl ExitCode {
    /// Every code, in order.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Usage,
        Self::Data,
        Self::Bug,
        Self::Storage,
        Self::Temporary,
        Self::Credentials,
        Self::Config,
        Self::NothingToDo,
        Self::Stopped,
    ];

    /// The number given to the operating system.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit code behind a number, if it is one of ours.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|e| i32::from(e.code()) == code)
    }

    /// One line for the table in `steps/README.md` and `describe`.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, also on reuse",
            Self::Usage => "wrong command line",
            Self::Data => "data or check failure; do not retry",
            Self::Bug => "bug; do not retry",
            Self::Storage => "storage could not be read or written; retry",
            Self::Temporary => "temporary failure; retry",
            Self::Credentials => "credentials missing or refused",
            Self::Config => "configuration is wrong",
            Self::NothingToDo => "nothing to do in this window; skip",
            Self::Stopped => "stopped by a signal; nothing committed",
        }
    }

    /// What the code means for retries; `None` for the two successes.
    #[must_use]
    pub fn class(self) -> Option<ErrorClass> {
        match self {
            Self::Done | Self::NothingToDo => None,
            Self::Storage | Self::Temporary => Some(ErrorClass::Transient),
            Self::Data => Some(ErrorClass::Data),
            Self::Bug => Some(ErrorClass::Bug),
            Self::Usage | Self::Credentials | Self::Config => Some(ErrorClass::Config),
            Self::Stopped => Some(ErrorClass::Stopped),
        }
    }

    /// The numbers after which trying again does not help, in order: what other orchestrators are told.
    #[must_use]
    pub fn permanent() -> Vec<u8> {
        let is_permanent = |code: &Self| code.class().is_some_and(ErrorClass::is_permanent);
        let permanent = Self::ALL.into_iter().filter(is_permanent);
        permanent.map(Self::code).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_data_configuration_and_bugs_stay_what_they_are() {
        assert_eq!(ExitCode::permanent(), [2, 65, 70, 77, 78]);
    }
}
