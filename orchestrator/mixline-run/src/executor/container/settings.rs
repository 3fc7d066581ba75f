//! `[container]` of `mixline.toml`: which images, and what of the machine they see.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Stands for the step's name in [`ContainerSettings::image`].
const STEP: &str = "{step}";

/// How attempts run as containers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerSettings {
    /// Image of a step; `{step}` becomes the step's name.
    pub image: String,
    /// Network of the engine; by default none when the store is a folder, else the engine's own.
    pub network: Option<String>,
    /// Numeric user and group, `1000:1000`; by default the owner of the store's folder, else
    /// 65532, which is nobody.
    pub user: Option<String>,
    /// Names of variables passed on from the orchestrator's environment. Those that stores read
    /// (`AWS_…`, `GOOGLE_…`, `AZURE_…`) are passed on anyway when the store has a URL.
    pub env: Vec<String>,
    /// Folders mounted beside the project and the store, at the same path as outside. They may be
    /// written unless `:ro` follows.
    pub mounts: Vec<String>,
}

impl Default for ContainerSettings {
    fn default() -> Self {
        Self {
            image: format!("mixline/{STEP}:latest"),
            network: None,
            user: None,
            env: Vec::new(),
            mounts: Vec::new(),
        }
    }
}

/// A folder that a container sees, at the same path as outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) read_only: bool,
}

impl ContainerSettings {
    /// The image of a step.
    #[must_use]
    pub fn image_of(&self, step: &str) -> String {
        self.image.replace(STEP, step)
    }

    /// The key and what is wrong with its value, when one is.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        let numeric = |text: &str| {
            let mut parts = text.split(':').map(str::parse::<u32>);
            parts.clone().count() <= 2 && parts.all(|part| part.is_ok_and(|id| id > 0))
        };
        if self.image.trim().is_empty() {
            let problem = "is empty; write for example `registry.example.com/mixline/{step}:1.0`";
            return Some(("container.image", problem.to_owned()));
        }
        if let Some(user) = self.user.as_deref().filter(|user| !numeric(user)) {
            let problem = format!("is `{user}`; write numbers above 0, for example `1000:1000`");
            return Some(("container.user", problem));
        }
        let unnamed = self
            .env
            .iter()
            .find(|name| name.is_empty() || name.contains('='));
        unnamed.map(|name| {
            let problem = format!("holds `{name}`; write names only, values come from outside");
            ("container.env", problem)
        })
    }

    /// The folders of `mounts`; relative ones are below `root`.
    pub(super) fn folders(&self, root: &Path) -> Vec<Folder> {
        let folder = |text: &String| {
            let bare = text.strip_suffix(":ro");
            Folder {
                path: root.join(bare.unwrap_or(text)),
                read_only: bare.is_some(),
            }
        };
        self.mounts.iter().map(folder).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_name_becomes_part_of_the_image() {
        let settings = ContainerSettings::default();
        assert_eq!(settings.image_of("step-fit"), "mixline/step-fit:latest");
    }

    #[test]
    fn root_names_and_values_are_refused_with_their_key() {
        let with = |user: &str, env: &str| ContainerSettings {
            user: Some(user.to_owned()),
            env: vec![env.to_owned()],
            ..ContainerSettings::default()
        };
        let key = |settings: ContainerSettings| settings.problem().map(|(key, _)| key);
        assert_eq!(key(with("1000:1000", "SLACK_URL")), None);
        for user in ["root", "0:0", "1000:0", "1:2:3", ""] {
            assert_eq!(key(with(user, "A")), Some("container.user"), "{user}");
        }
        assert_eq!(key(with("1000", "A=b")), Some("container.env"));
    }

    #[test]
    fn mounts_are_below_the_root_and_may_be_read_only() {
        let settings = ContainerSettings {
            mounts: vec!["data".into(), "/srv/exports:ro".into()],
            ..ContainerSettings::default()
        };
        let folders = settings.folders(Path::new("/p"));
        assert_eq!(folders[0].path, Path::new("/p/data"));
        assert!(!folders[0].read_only);
        assert_eq!(folders[1].path, Path::new("/srv/exports"));
        assert!(folders[1].read_only);
    }
}
