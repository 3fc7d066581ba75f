//! A scratch project, the built programs, and what the tests ask of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::str::FromStr;

use mixline_artifact::{CommitRecord, Store};
use tempfile::TempDir;

/// The folder of the built programs. `cargo dev test` builds them all first.
pub(crate) fn bin(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a running test has a path");
    let folder = exe
        .ancestors()
        .nth(2)
        .expect("tests live in <profile>/deps")
        .to_owned();
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{name} is not built: run `cargo dev test`, or `cargo build --workspace`"
    );
    path
}

/// A project in a scratch folder.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// An empty project whose steps are the built ones.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        let steps = bin("mixline")
            .parent()
            .expect("a folder")
            .display()
            .to_string();
        let config = format!("steps = [{steps:?}]\n");
        std::fs::write(folder.path().join("mixline.toml"), config).expect("writes");
        std::fs::create_dir_all(folder.path().join("dags")).expect("writes");
        Self { folder }
    }

    /// A project as `mixline init` makes it.
    pub(crate) fn initialized() -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        let project = Self { folder };
        project.ok(&["init", "."]);
        project
    }

    /// The project's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a DAG file.
    pub(crate) fn dag(&self, name: &str, text: &str) {
        std::fs::write(self.path().join("dags").join(format!("{name}.toml")), text)
            .expect("writes");
    }

    /// Adds a step of the project's own, a shell script.
    pub(crate) fn step(&self, name: &str, script: &str) {
        let folder = self.path().join("bin");
        std::fs::create_dir_all(&folder).expect("writes");
        std::fs::write(folder.join(name), script).expect("writes");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.join(name), executable).expect("writes");
        let file = self.path().join("mixline.toml");
        let config = std::fs::read_to_string(&file).expect("reads");
        let config = config.replacen("steps = [", "steps = [\"bin\", ", 1);
        std::fs::write(&file, config).expect("writes");
    }

    /// Adds to the project file.
    pub(crate) fn configure(&self, more: &str) {
        let file = self.path().join("mixline.toml");
        let config = std::fs::read_to_string(&file).expect("reads");
        std::fs::write(&file, config + more).expect("writes");
    }

    /// `mixline` with arguments, in the project.
    pub(crate) fn mixline(&self, args: &[&str]) -> Command {
        let mut command = Command::new(bin("mixline"));
        command.args(args).current_dir(self.path());
        command
    }

    /// Runs `mixline` and returns what it printed, whatever the exit code.
    pub(crate) fn output(&self, args: &[&str]) -> Output {
        self.mixline(args).output().expect("mixline starts")
    }

    /// Runs `mixline`, which must succeed, and returns its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "mixline {args:?} failed\n{out}\n{err}"
        );
        out
    }

    /// The store, opened from outside.
    pub(crate) async fn store(&self) -> Store {
        let folder = self.path().join("store");
        Store::open(&folder.display().to_string())
            .await
            .expect("the store opens")
    }

    /// Every commit of an artifact, oldest first.
    pub(crate) async fn history(&self, artifact: &str) -> Vec<CommitRecord> {
        let store = self.store().await;
        store
            .log(artifact)
            .expect("a legal name")
            .history(None)
            .await
            .expect("the log reads")
    }
}

/// How much a test is to do: what the variable says, which is as much as the bar asks for, or less.
pub(crate) fn asked<N: FromStr>(variable: &str, otherwise: N) -> N {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test goes on is the caller's choice"
    )]
    let asked = std::env::var(variable).ok();
    asked
        .and_then(|asked| asked.parse().ok())
        .unwrap_or(otherwise)
}

/// Bytes as text, for messages.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
