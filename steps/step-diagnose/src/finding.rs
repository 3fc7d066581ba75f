//! What a check found.

use mixline_schema::Assertion;
use mixline_schema::catalog::ModelChecks;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// As it should be.
    Pass,
    /// A person should look.
    Review,
    /// Not to be used.
    Fail,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Fail => "fail",
        }
    }

    /// The verdict on a value that should not pass `review`, let alone `fail`; NaN fails.
    pub(crate) fn at_most(value: f64, review: f64, fail: f64) -> Self {
        if value <= review {
            Self::Pass
        } else if value <= fail {
            Self::Review
        } else {
            Self::Fail
        }
    }

    /// The verdict on a value that should not go below `review`, let alone `fail`; NaN fails.
    pub(crate) fn at_least(value: f64, review: f64, fail: f64) -> Self {
        Self::at_most(-value, -review, -fail)
    }
}

/// One check's result on one subject.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) subject: String,
    pub(crate) verdict: Verdict,
    pub(crate) value: Option<f64>,
    pub(crate) threshold: Option<f64>,
    pub(crate) message: String,
    pub(crate) advice: &'static str,
}

impl Finding {
    /// A value beside its threshold.
    pub(crate) fn measured(
        check: &'static str,
        subject: impl Into<String>,
        verdict: Verdict,
        (value, threshold): (f64, f64),
        message: String,
        advice: &'static str,
    ) -> Self {
        Self {
            check,
            subject: subject.into(),
            verdict,
            value: value.is_finite().then_some(value),
            threshold: Some(threshold),
            message,
            advice,
        }
    }

    /// The finding as lineage servers are told of it.
    pub(crate) fn assertion(&self) -> Assertion {
        let severity = match self.verdict {
            Verdict::Pass => None,
            Verdict::Review => Some("warn".to_owned()),
            Verdict::Fail => Some("error".to_owned()),
        };
        Assertion {
            artifact: None,
            assertion: format!("{} {}", self.check, self.subject).trim().to_owned(),
            success: self.verdict == Verdict::Pass,
            severity,
            actual: self.value.map(|value| format!("{value:.4}")),
        }
    }

    pub(crate) fn into_row(self) -> ModelChecks {
        let pass = self.verdict == Verdict::Pass;
        ModelChecks {
            check: self.check.to_owned(),
            subject: self.subject,
            verdict: self.verdict.name().to_owned(),
            value: self.value,
            threshold: self.threshold,
            message: self.message,
            advice: if pass { "" } else { self.advice }.to_owned(),
        }
    }
}

/// Adds the row of the whole: the worst verdict, and what led to it.
pub(crate) fn overall(findings: &mut Vec<Finding>) -> Verdict {
    let worst = findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Pass);
    let mut causes: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.verdict == worst && worst != Verdict::Pass)
        .map(|finding| finding.check)
        .collect();
    causes.dedup();
    let message = match worst {
        Verdict::Pass => "every check passed".to_owned(),
        _ => format!("because of {}", causes.join(", ")),
    };
    findings.push(Finding {
        check: "verdict",
        subject: String::new(),
        verdict: worst,
        value: None,
        threshold: None,
        message,
        advice: "read the rows of the checks it names",
    });
    worst
}
