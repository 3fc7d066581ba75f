//! The overall verdict of a model's checks, which plans and promotions obey.

use mixline_schema::catalog::ModelChecks;

/// How a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every check holds.
    Pass,
    /// Some deserve a look.
    Review,
    /// Some fail.
    Fail,
}

impl Verdict {
    /// As `model_checks` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Fail => "fail",
        }
    }

    /// The verdict of a name; one that is not known counts as failed.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "pass" => Self::Pass,
            "review" => Self::Review,
            _ => Self::Fail,
        }
    }

    /// The overall verdict among checks; `None` when they have none.
    #[must_use]
    pub fn overall(checks: &[ModelChecks]) -> Option<Self> {
        let row = checks.iter().find(|row| row.check == "verdict");
        row.map(|row| Self::of(&row.verdict))
    }
}
