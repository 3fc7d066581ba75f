//! What can go wrong with a store, in words an operator can act on.

use crate::contract::ContractViolations;

/// What a store error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreClass {
    /// The store could not be read or written; trying again may help.
    Storage,
    /// Others commit at the same time; trying again helps.
    Conflict,
    /// Credentials are missing or refused.
    Credentials,
    /// The store, artifact or version named does not exist, or the name is not legal.
    Missing,
    /// The data breaks its contract.
    Contract,
    /// The store's configuration is wrong.
    Config,
}

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no store we know.
    #[error("`{url}` is not a store: use a folder, `memory:`, `s3://…`, `gs://…` or `az://…`")]
    Url {
        /// Given URL.
        url: String,
        /// Parser's reason.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The store ignores conditional creates.
    #[error(
        "the store {url} does not honor conditional creates ({detail}): versions could be lost. \
         Use a store that supports If-None-Match, or a local folder that allows hard links"
    )]
    Probe {
        /// Store URL.
        url: String,
        /// What was seen.
        detail: String,
    },
    /// Reading or writing failed.
    #[error("could not {action} `{path}` in the store")]
    Io {
        /// `read`, `write`, `list`, `delete`.
        action: &'static str,
        /// Object path.
        path: String,
        /// Cause.
        #[source]
        source: object_store::Error,
    },
    /// A local folder could not be made or opened.
    #[error("could not open the store folder {path}")]
    Folder {
        /// Folder.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The name cannot name an artifact.
    #[error("`{0}` cannot name an artifact: use lower-case words joined by `_`")]
    Name(String),
    /// No version of the artifact exists.
    #[error("there is no artifact `{name}` in {url}{hint}")]
    NoArtifact {
        /// Artifact.
        name: String,
        /// Store URL.
        url: String,
        /// Near names, ready to print.
        hint: String,
    },
    /// The version does not exist.
    #[error("`{name}` has no version {version}; the newest is {head}")]
    NoVersion {
        /// Artifact.
        name: String,
        /// Asked version.
        version: u64,
        /// Newest version.
        head: u64,
    },
    /// The version was collected.
    #[error("`{name}@{version}` was removed by gc; the oldest version kept is {oldest}")]
    Collected {
        /// Artifact.
        name: String,
        /// Asked version.
        version: u64,
        /// Oldest readable version.
        oldest: u64,
    },
    /// The alias does not exist.
    #[error(
        "`{name}` has no alias `{alias}`; set it with `mixline artifact alias {name}@VERSION {alias}`"
    )]
    NoAlias {
        /// Artifact.
        name: String,
        /// Asked alias.
        alias: String,
    },
    /// A log entry is not what it should be.
    #[error("the log entry `{path}` is damaged: {detail}")]
    Damaged {
        /// Object path.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// The stored table has another schema version than the program expects.
    #[error("`{name}` is stored as v{stored}, this program reads v{expected}")]
    SchemaVersion {
        /// Artifact.
        name: String,
        /// Stored schema version.
        stored: u32,
        /// Expected schema version.
        expected: u32,
    },
    /// The stored columns do not admit the new rows.
    #[error("cannot add rows to `{name}`: {detail}; replace the table or raise its schema version")]
    Schema {
        /// Artifact.
        name: String,
        /// What differs.
        detail: String,
    },
    /// Too many others commit at once.
    #[error("could not commit to `{name}`: lost {tries} races in a row; try again")]
    Contention {
        /// Artifact.
        name: String,
        /// Races lost.
        tries: u32,
    },
    /// The rows break their contract.
    #[error(transparent)]
    Contract(#[from] ContractViolations),
    /// Columns could not be encoded or decoded.
    #[error("could not {action} the columns of `{name}`")]
    Columns {
        /// `encode`, `decode`, `combine`.
        action: &'static str,
        /// Artifact or file.
        name: String,
        /// Cause.
        #[source]
        source: polars::error::PolarsError,
    },
}

impl StoreError {
    /// The exit code of a program that stops with this error.
    #[must_use]
    pub fn exit_code(&self) -> mixline_schema::ExitCode {
        use mixline_schema::ExitCode;
        match self.class() {
            StoreClass::Storage => ExitCode::Storage,
            StoreClass::Conflict => ExitCode::Temporary,
            StoreClass::Credentials => ExitCode::Credentials,
            StoreClass::Missing | StoreClass::Contract => ExitCode::Data,
            StoreClass::Config => ExitCode::Config,
        }
    }

    /// What to do about it, where that does not follow from the message.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        if self.is_disk_full() {
            return Some(
                "free some space on the disk of the store and run it again; what was committed \
                 stands, and nothing half-written can be seen",
            );
        }
        match self.class() {
            StoreClass::Credentials => Some(
                "give credentials in the provider's usual variables, and check what they may do",
            ),
            StoreClass::Storage if matches!(self, Self::Io { .. }) => {
                Some("check that the store can be reached, and run it again")
            }
            StoreClass::Conflict => Some("run it again"),
            _ => None,
        }
    }

    fn is_disk_full(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let io = error.downcast_ref::<std::io::Error>();
            if io.is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// What the error means for the caller.
    #[must_use]
    pub fn class(&self) -> StoreClass {
        use object_store::Error as E;
        match self {
            Self::Io { source, .. } => match source {
                E::PermissionDenied { .. } | E::Unauthenticated { .. } => StoreClass::Credentials,
                E::NotFound { .. } => StoreClass::Missing,
                _ => StoreClass::Storage,
            },
            Self::Url { .. } | Self::Probe { .. } => StoreClass::Config,
            Self::Contention { .. } => StoreClass::Conflict,
            Self::Folder { .. } | Self::Damaged { .. } => StoreClass::Storage,
            Self::Name(_)
            | Self::NoArtifact { .. }
            | Self::NoVersion { .. }
            | Self::Collected { .. }
            | Self::NoAlias { .. } => StoreClass::Missing,
            Self::SchemaVersion { .. }
            | Self::Schema { .. }
            | Self::Contract(_)
            | Self::Columns { .. } => StoreClass::Contract,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognized_below_the_stores_own_words() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let source = object_store::Error::Generic {
            store: "local",
            source: Box::new(full),
        };
        let error = StoreError::Io {
            action: "write",
            path: "a/b".into(),
            source,
        };
        assert!(
            error
                .advice()
                .is_some_and(|advice| advice.contains("free some space"))
        );
        assert_eq!(error.class(), StoreClass::Storage);
    }
}
