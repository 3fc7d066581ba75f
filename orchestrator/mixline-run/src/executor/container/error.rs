//! What can go wrong between us and a container engine.

use bollard::errors::Error as EngineError;

use super::engine::{NOT_FOUND, has_status};

/// The engine, or what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// Nobody answers.
    #[error(
        "no Docker engine answers; start one, set DOCKER_HOST, or let this user open its socket"
    )]
    Unreachable {
        /// Cause.
        #[source]
        source: Box<EngineError>,
    },
    /// It has no such image.
    #[error(
        "the Docker engine has no image `{image}`; pull it, build it with `cargo dev images`, or change `container.image` in mixline.toml"
    )]
    NoImage {
        /// Its name.
        image: String,
    },
    /// It refused.
    #[error("the Docker engine could not {action}")]
    Refused {
        /// What was asked.
        action: &'static str,
        /// Cause.
        #[source]
        source: Box<EngineError>,
    },
    /// The image holds no step.
    #[error("`docker run {image} describe` {problem}")]
    Describe {
        /// Its name.
        image: String,
        /// What is wrong.
        problem: String,
    },
    /// A folder or file for the container could not be made.
    #[error("could not prepare {path}")]
    File {
        /// The folder or file.
        path: std::path::PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

impl ContainerError {
    /// Whether asking again would be answered the same: the engine answers, and refuses.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Unreachable { .. } => false,
            Self::Refused { source, .. } => has_status(source, NOT_FOUND),
            Self::NoImage { .. } | Self::Describe { .. } | Self::File { .. } => true,
        }
    }

    pub(super) fn refused(action: &'static str) -> impl FnOnce(EngineError) -> Self {
        move |source| Self::Refused {
            action,
            source: Box::new(source),
        }
    }
}
