//! Secrets: read where the configuration says, shown nowhere.

use std::fmt;
use std::path::Path;

use mixline_step::StepError;

/// A value that must not be seen. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The value, for the one call that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A value out of the configuration, that need not be secret.
    pub(crate) fn plain(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret is: the two keys of a configuration of which exactly one is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Path of the keys' section: `targets.team`.
    pub(crate) section: &'a str,
    /// What the keys begin with: `url` of `url_env` and `url_file`.
    pub(crate) key: &'static str,
    /// Name of an environment variable.
    pub(crate) env: Option<&'a str>,
    /// Path of a file.
    pub(crate) file: Option<&'a Path>,
}

impl Place<'_> {
    /// Whether neither key is set.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.env.is_none() && self.file.is_none()
    }

    /// Refuses two places, and values that look like the secret itself, without repeating them.
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let Self { section, key, .. } = self;
        if self.env.is_some() && self.file.is_some() {
            let both = format!("`{section}` has both `{key}_env` and `{key}_file`");
            return Err(StepError::config(both).hint("keep one of them"));
        }
        if self.env.is_some_and(|name| !is_variable_name(name)) {
            let problem = format!("`{section}.{key}_env` is no name of an environment variable");
            return Err(StepError::config(problem)
                .hint("write the variable's name (letters, digits, `_`), not the secret itself"));
        }
        let odd = |path: &Path| {
            let text = path.to_string_lossy();
            text.trim().is_empty() || text.contains("://") || text.chars().any(char::is_control)
        };
        if self.file.is_some_and(odd) {
            let problem = format!("`{section}.{key}_file` is no path of a file");
            return Err(StepError::config(problem)
                .hint("write the path of a file that holds the secret, not the secret itself"));
        }
        Ok(())
    }

    /// As [`check`](Self::check), and one of the keys must be set.
    pub(crate) fn require(&self) -> Result<(), StepError> {
        if self.is_nowhere() {
            let Self { section, key, .. } = self;
            let problem = format!("`{section}` has neither `{key}_env` nor `{key}_file`");
            return Err(StepError::config(problem).hint(format!(
                "name the environment variable or the file that holds it: `{key}_env = \"…\"`"
            )));
        }
        self.check()
    }

    /// The secret, without white space around it.
    pub(crate) fn read(&self) -> Result<Secret, StepError> {
        let value = match (self.env, self.file) {
            (Some(name), _) => self.variable(name)?,
            (None, Some(path)) => self.file(path)?,
            (None, None) => return Err(StepError::bug(format!("{self:?} was not checked"))),
        };
        Ok(Secret(value.trim().to_owned()))
    }

    /// Steps know no environment; this one does, because a secret must be in no configuration.
    #[expect(
        clippy::disallowed_methods,
        reason = "secrets must not pass through configurations, which are fingerprinted and kept"
    )]
    fn variable(&self, name: &str) -> Result<String, StepError> {
        let Self { section, key, .. } = self;
        let value = std::env::var(name).unwrap_or_default();
        if value.trim().is_empty() {
            let problem =
                format!("the environment variable `{name}` (`{section}.{key}_env`) is not set");
            return Err(StepError::credentials(problem).hint(format!(
                "set `{name}` where the step runs, or use `{key}_file`"
            )));
        }
        Ok(value)
    }

    fn file(&self, path: &Path) -> Result<String, StepError> {
        let Self { section, key, .. } = self;
        let what = format!("the file `{}` (`{section}.{key}_file`)", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            StepError::credentials(format!("{what} cannot be read"))
                .hint("put the secret there, readable for the user the step runs as")
                .because(error)
        })?;
        if text.trim().is_empty() {
            return Err(StepError::credentials(format!("{what} is empty"))
                .hint("put the secret there, alone on one line"));
        }
        Ok(text)
    }
}

/// As POSIX has it.
fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(env: Option<&'a str>, file: Option<&'a str>) -> Place<'a> {
        Place {
            section: "targets.team",
            key: "url",
            env,
            file: file.map(Path::new),
        }
    }

    #[test]
    fn a_secret_pasted_in_place_of_its_name_is_refused_and_not_repeated() {
        for wrong in [
            place(Some("https://hooks.example/T0/xyz"), None),
            place(None, Some("https://hooks.example/T0/xyz")),
        ] {
            let said = wrong.require().unwrap_err().chain();
            assert!(
                said.contains("targets.team.url_") && !said.contains("xyz"),
                "{said}"
            );
        }
    }

    #[test]
    fn exactly_one_place_is_named() {
        assert!(place(None, None).require().is_err());
        assert!(place(Some("A"), Some("b")).require().is_err());
        place(Some("A_1"), None).require().unwrap();
        place(None, Some("secrets/url")).require().unwrap();
        place(None, None).check().unwrap();
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = place(Some("MIXLINE_NO_SUCH_VARIABLE"), None)
            .read()
            .unwrap_err()
            .chain();
        assert!(
            said.contains("`MIXLINE_NO_SUCH_VARIABLE`") && said.contains("targets.team"),
            "{said}"
        );
        let said = place(None, Some("no/such/file"))
            .read()
            .unwrap_err()
            .chain();
        assert!(said.contains("`no/such/file`"), "{said}");
        assert_eq!(format!("{:?}", Secret("x".into())), "Secret(…)");
    }
}
