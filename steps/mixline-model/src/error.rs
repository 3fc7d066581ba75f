//! Why a model cannot be built.

use crate::panel::PanelError;
use crate::spec::PriorError;

/// A specification and a panel that do not make a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The data.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// A prior.
    #[error(transparent)]
    Prior(#[from] PriorError),
    /// A name in the specification that the data do not have.
    #[error("`{key}` names `{name}`, which is not among {known}")]
    Unknown {
        /// Where in the specification.
        key: String,
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A setting outside its domain, or settings that exclude each other.
    #[error("`{key}`: {reason}")]
    Setting {
        /// Where in the specification.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

impl ModelError {
    pub(crate) fn setting(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Setting {
            key: key.into(),
            reason: reason.into(),
        }
    }

    pub(crate) fn unknown<'a>(
        key: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() {
            "nothing".to_owned()
        } else {
            known.join(", ")
        };
        Self::Unknown {
            key: key.into(),
            name: name.to_owned(),
            known,
        }
    }
}
