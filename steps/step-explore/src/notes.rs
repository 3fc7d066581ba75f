//! Findings and statistics as they come.

use mixline_schema::catalog::{DataFindings, ExploreStatistics};

/// What was noted so far.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) findings: Vec<DataFindings>,
    pub(crate) statistics: Vec<ExploreStatistics>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The model cannot be right.
    Error,
    /// The answer may be wrong.
    Warning,
    /// The answer could be better.
    Suggestion,
}

impl Notes {
    /// Keeps a number; NaN and infinity have no place in a table.
    pub(crate) fn number(&mut self, statistic: &str, subject: &str, other: &str, value: f64) {
        if value.is_finite() {
            self.statistics.push(ExploreStatistics {
                statistic: statistic.to_owned(),
                subject: subject.to_owned(),
                other: other.to_owned(),
                value,
            });
        }
    }

    /// Adds a finding: a code, what it is about, where, and the value beside its limit.
    pub(crate) fn find(
        &mut self,
        severity: Severity,
        (code, subject, at): (&str, &str, &str),
        (value, threshold): (f64, f64),
        message: String,
        advice: &str,
    ) {
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Suggestion => "suggestion",
        };
        self.findings.push(DataFindings {
            code: code.to_owned(),
            severity: severity.to_owned(),
            artifact: "design".to_owned(),
            subject: subject.to_owned(),
            at: at.to_owned(),
            message,
            advice: advice.to_owned(),
            value: value.is_finite().then_some(value),
            threshold: Some(threshold),
        });
    }
}
