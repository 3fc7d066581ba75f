//! What a rule found.

use mixline_schema::catalog::DataFindings;

/// How bad it is; the most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Stops the run.
    Error,
    /// Worth a look.
    Warning,
    /// An idea.
    Suggestion,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Suggestion];

    /// The word in the table.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Suggestion => "suggestion",
        }
    }
}

/// One finding; see the columns of `data_findings`.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Rule.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Artifact checked.
    pub artifact: &'static str,
    /// What inside it.
    pub subject: String,
    /// Where; empty for the whole subject.
    pub at: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// Measured value.
    pub value: Option<f64>,
    /// Limit.
    pub threshold: Option<f64>,
}

impl Finding {
    /// A finding about the whole subject, not yet in words.
    pub(crate) fn new(
        severity: Severity,
        code: &'static str,
        artifact: &'static str,
        subject: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            artifact,
            subject: subject.into(),
            at: String::new(),
            message: String::new(),
            advice: String::new(),
            value: None,
            threshold: None,
        }
    }

    pub(crate) fn error(
        code: &'static str,
        artifact: &'static str,
        subject: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Error, code, artifact, subject)
    }

    pub(crate) fn warning(
        code: &'static str,
        artifact: &'static str,
        subject: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, code, artifact, subject)
    }

    pub(crate) fn at(mut self, at: impl ToString) -> Self {
        self.at = at.to_string();
        self
    }

    pub(crate) fn says(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn advises(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// A limit that is not a finite number (an infinite factor) is left out.
    pub(crate) fn measured(mut self, value: f64, threshold: f64) -> Self {
        self.value = Some(value).filter(|value| value.is_finite());
        self.threshold = Some(threshold);
        self
    }

    /// The key of its row.
    pub(crate) fn identity(&self) -> (&str, &str, &str, &str) {
        (self.code, self.artifact, &self.subject, &self.at)
    }

    /// One line for an error message.
    pub(crate) fn summary(&self) -> String {
        let at = if self.at.is_empty() {
            String::new()
        } else {
            format!(" at {}", self.at)
        };
        format!(
            "{} in {} `{}`{at}: {}",
            self.code, self.artifact, self.subject, self.message
        )
    }

    pub(crate) fn into_row(self) -> DataFindings {
        DataFindings {
            code: self.code.to_owned(),
            severity: self.severity.word().to_owned(),
            artifact: self.artifact.to_owned(),
            subject: self.subject,
            at: self.at,
            message: self.message,
            advice: self.advice,
            value: self.value,
            threshold: self.threshold,
        }
    }
}
