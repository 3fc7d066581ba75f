//! Everything that can be wrong with a DAG, found before anything runs.

use std::fmt;

use serde::Serialize;

/// One thing wrong with a DAG or a request. A parse or a plan reports all of them at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlanError {
    /// The DAG file.
    pub file: String,
    /// Where in it, for example `tasks.fit.config.draws`; empty for the whole file.
    pub path: String,
    /// Stable name of the kind of error, for example `task.cycle`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do, when there is something to say.
    pub hint: Option<String>,
}

/// The code of an input that nothing has written yet; the message begins with its name.
const INPUT_MISSING: &str = "input.missing";

impl PlanError {
    /// An input that does not exist and that no task of the DAG writes.
    pub(crate) fn input_missing(file: &str, path: String, key: &str, artifact: &str) -> Self {
        let message = format!("`{key}` does not exist and no task of this DAG writes it");
        let hint = format!("run the DAG or the step that writes `{artifact}` first");
        Self::new(file, path, INPUT_MISSING, message).hint(hint)
    }

    /// The table that nothing has written yet, when that is all that is wrong.
    #[must_use]
    pub fn missing_input(&self) -> Option<&str> {
        let name = self.message.split('`').nth(1);
        name.filter(|_| self.code == INPUT_MISSING)
    }

    pub(crate) fn new(
        file: &str,
        path: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            path: path.into(),
            code,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

impl std::error::Error for PlanError {}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}
