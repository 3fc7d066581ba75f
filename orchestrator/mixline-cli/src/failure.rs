//! Errors as people read them, and the exit code each one means.
//!
//! Library errors become words here and nowhere else: what failed, where, why, and what to do.

use std::fmt::Write as _;
use std::process::ExitCode;

use mixline_artifact::StoreError;
use mixline_run::relay::SettingsError;
use mixline_run::{ProjectError, RunError};
use mixline_schema::ExitCode as Code;

use crate::ui::style::Style;

pub(crate) use mixline_run::chain as one_line;

/// What a command gives back.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// The exit code of a command whose run failed.
pub(crate) const RUN_FAILED: u8 = 1;

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    fn new(code: Code, error: anyhow::Error) -> Self {
        Self {
            code: code.code(),
            error,
            hint: None,
        }
    }

    /// A wrong command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, anyhow::Error::msg(message.into()))
    }

    /// Data that is not what it should be.
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(Code::Data, anyhow::Error::msg(message.into()))
    }

    /// A wrong configuration.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Code::Config, anyhow::Error::msg(message.into()))
    }

    /// A file that could not be read or written.
    pub(crate) fn file(action: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        let what = format!("could not {action} {}", path.display());
        Self::new(Code::Storage, anyhow::Error::new(source).context(what))
    }

    /// The same failure with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The number given to the operating system.
    #[cfg(test)]
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// Prints the error once, to standard error, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Whoever read our output has seen enough (`mixline runs | head`).
        let gone = self.error.downcast_ref::<std::io::Error>();
        if gone.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprint!("{}", self.text(Style::for_stderr()));
        ExitCode::from(self.code)
    }

    /// The error and what caused it, on one line.
    pub(crate) fn line(&self) -> String {
        one_line(self.error.as_ref())
    }

    /// The error as text: what, why, and what to do.
    pub(crate) fn text(&self, style: Style) -> String {
        let mut text = format!("{} ", style.red("error:"));
        if let Some(RunError::Plan { errors }) = self.error.downcast_ref() {
            let many = if errors.len() == 1 { "" } else { "s" };
            let _ = writeln!(text, "the DAG has {} error{many}", errors.len());
            for error in errors {
                text += &plan_error(error, style);
            }
            return text;
        }
        for (depth, cause) in self.error.chain().enumerate() {
            let cause = cause.to_string();
            // Many libraries repeat their causes in their own words.
            if text.trim_end().ends_with(cause.trim_end()) {
                continue;
            }
            let lead = if depth == 0 { "" } else { "  because: " };
            let _ = writeln!(
                text,
                "{lead}{}",
                indent(cause.trim_end(), 2 + 9 * depth.min(1))
            );
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, " {} {}", style.cyan("hint:"), indent(hint, 7));
        }
        text
    }
}

fn plan_error(error: &mixline_plan::PlanError, style: Style) -> String {
    let place = if error.path.is_empty() {
        error.file.clone()
    } else {
        format!("{}, {}", error.file, error.path)
    };
    let mut text = format!(
        "  {}\n    {}\n",
        style.bold(&place),
        indent(&error.message, 4)
    );
    if let Some(hint) = &error.hint {
        let _ = writeln!(text, "    {} {}", style.cyan("hint:"), indent(hint, 10));
    }
    text
}

/// Further lines set in by `by` spaces, under the first.
fn indent(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (code, advice) = (error.exit_code(), error.advice());
        let hint = advice.map(str::to_owned);
        Self {
            code: code.code(),
            error: error.into(),
            hint,
        }
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        Self::new(Code::Config, error.into())
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::new(Code::Config, error.into())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::Project(_)
            | RunError::NoDatabase { .. }
            | RunError::NewerState { .. }
            | RunError::Plan { .. }
            | RunError::NoStep { .. }
            | RunError::Describe { .. }
            | RunError::Container(_) => Code::Config,
            RunError::Refused { .. } => Code::Credentials,
            RunError::NoDag { .. } | RunError::NoRun { .. } | RunError::NotAFile { .. } => {
                Code::Usage
            }
            RunError::Store { source, .. } => source.exit_code(),
            _ => Code::Storage,
        };
        Self::new(code, error.into())
    }
}

impl From<mixline_schema::ArtifactRefError> for Failure {
    fn from(error: mixline_schema::ArtifactRefError) -> Self {
        Self::new(Code::Usage, error.into())
    }
}

impl From<mixline_schema::WindowError> for Failure {
    fn from(error: mixline_schema::WindowError) -> Self {
        Self::new(Code::Usage, error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Code::Storage, error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Code::Bug, error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_printed_once_with_its_hint() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let failure = Failure::file("read", std::path::Path::new("a.csv"), missing);
        let text = failure.hint("put it there").text(Style::PLAIN);
        let expected =
            "error: could not read a.csv\n  because: no such file\n hint: put it there\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_name_that_does_not_exist_is_a_data_error_and_a_bad_reference_a_usage_error() {
        assert_eq!(Failure::from(StoreError::Name("X".into())).code(), 65);
        let bad = "a@@".parse::<mixline_schema::ArtifactRef>().unwrap_err();
        assert_eq!(Failure::from(bad).code(), 2);
    }
}
