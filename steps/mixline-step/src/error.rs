//! What a step fails with: a message, a hint, and the exit code that tells callers what to do.

use std::error::Error;
use std::fmt;

use mixline_artifact::{ContractViolations, StoreError};
use mixline_schema::ExitCode;

type Source = Box<dyn Error + Send + Sync>;

/// A failure of a step.
///
/// The constructor chooses the exit code, and with it whether callers try again. The message is a
/// lower-case fragment that says what failed and where; a [`hint`](Self::hint) says what to do.
#[derive(Debug)]
pub struct StepError {
    exit_code: ExitCode,
    message: String,
    hint: Option<String>,
    source: Option<Source>,
}

impl StepError {
    fn new(exit_code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            exit_code,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// The data is wrong, or a check failed: the same input fails again.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Data, message)
    }

    /// The configuration is wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Config, message)
    }

    /// Storage could not be read or written: trying again may help.
    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Storage, message)
    }

    /// A temporary failure (a rate limit, a time-out): trying again may help.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Temporary, message)
    }

    /// Credentials are missing or were refused.
    pub fn credentials(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Credentials, message)
    }

    /// A bug of ours.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Bug, message)
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// There is nothing to do in this window: callers count the task as skipped.
    pub fn nothing_to_do(message: impl Into<String>) -> Self {
        Self::new(ExitCode::NothingToDo, message)
    }

    /// The process was asked to stop.
    pub(crate) fn stopped() -> Self {
        Self::new(
            ExitCode::Stopped,
            "stopped by a signal; nothing was committed",
        )
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error one level deeper: `message` says what was being done when it happened.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        let mut outer = Self::new(self.exit_code, message);
        outer.hint.clone_from(&self.hint);
        outer.because(self)
    }

    /// Several problems found together; the first decides the exit code.
    pub(crate) fn several(problems: &[Self]) -> Self {
        let code = problems.first().map_or(ExitCode::Bug, Self::exit_code);
        let chains: Vec<String> = problems.iter().map(Self::chain).collect();
        Self::new(code, format!("{} problems were found", problems.len()))
            .because(chains.join("\n"))
    }

    /// The code the process exits with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.exit_code
    }

    /// What the reader can do about it, when there is advice.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The whole story on one page: message, each cause on its own line, then the hint.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let said = error.to_string();
            // Many libraries repeat their causes in their own words.
            if !text.ends_with(&said) {
                text.push_str("\n  because ");
                text.push_str(&said.replace('\n', "\n    "));
            }
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str("\n  hint: ");
            text.push_str(hint);
        }
        text
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<ContractViolations> for StepError {
    fn from(violations: ContractViolations) -> Self {
        Self::data("a table breaks its contract").because(violations)
    }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        let (code, advice) = (error.exit_code(), error.advice());
        let this = Self::new(code, "the store could not do what was asked").because(error);
        match advice {
            Some(advice) => this.hint(advice),
            None => this,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_names_every_cause_once_and_ends_with_the_hint() {
        let inner = StepError::data("row 3 has no date").because(std::io::Error::other("eof"));
        let outer = StepError::config("the mapping is wrong")
            .hint("fix it")
            .because(inner);
        assert_eq!(
            outer.chain(),
            "the mapping is wrong\n  because row 3 has no date\n  because eof\n  hint: fix it"
        );
        assert_eq!(outer.to_string(), "the mapping is wrong");
        assert_eq!(outer.exit_code(), ExitCode::Config);
    }
}
