//! Where the state database is: a file of SQLite, or a Postgres server. A password in the address
//! is never shown.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

/// Where the state database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file, for orchestrators on one machine.
    File(PathBuf),
    /// A Postgres server, for orchestrators on several.
    Server(Url),
}

impl Location {
    /// Reads `postgres://user@host:port/database`, or the path of a file; a relative one is below
    /// `root`.
    ///
    /// # Errors
    /// What is wrong with it and what to write, in words that follow its name.
    pub fn parse(text: &str, root: &Path) -> Result<Self, String> {
        let Some((scheme, _)) = text.split_once("://") else {
            return match text.is_empty() {
                true => Err("is empty; write postgres://user@host/database, or a file".to_owned()),
                false => Ok(Self::File(root.join(text))),
            };
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(format!(
                "begins with `{scheme}://`; write postgres://user@host/database, or a file"
            ));
        }
        match Url::parse(text) {
            Ok(url) => Ok(Self::Server(url)),
            // The parser's words hold no part of the address.
            Err(error) => Err(format!(
                "is no address ({error}); write postgres://user@host/database"
            )),
        }
    }

    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => {
                let user = match url.username() {
                    "" => String::new(),
                    user => format!("{user}@"),
                };
                let host = url.host_str().unwrap_or_default();
                let port = url
                    .port()
                    .map(|port| format!(":{port}"))
                    .unwrap_or_default();
                write!(f, "postgres://{user}{host}{port}{}", url.path())
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let root = Path::new("/shop");
        for text in [
            "postgres://ada:se%40cret@db.internal:5433/mixline",
            "postgresql://ada@db.internal:5433/mixline?password=se@cret&sslmode=require",
        ] {
            let location = Location::parse(text, root).unwrap();
            assert_eq!(
                location.to_string(),
                "postgres://ada@db.internal:5433/mixline"
            );
            assert!(!format!("{location:?}").contains("cret"), "{location:?}");
        }
    }

    #[test]
    fn a_path_is_a_file_below_the_root_and_other_servers_are_refused() {
        let root = Path::new("/shop");
        let file = Location::parse("state/x.db", root).unwrap();
        assert_eq!(file, Location::File(PathBuf::from("/shop/state/x.db")));
        for (text, word) in [
            ("mysql://ada:secret@host/db", "mysql://"),
            ("", "is empty"),
            ("postgres://ada:secret@host:port/db", "port"),
        ] {
            let error = Location::parse(text, root).unwrap_err();
            assert!(error.contains(word) && !error.contains("secret"), "{error}");
        }
    }
}
