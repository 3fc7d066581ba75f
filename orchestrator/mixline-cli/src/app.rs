//! What commands share: the project, the store and the engine (each opened when first needed),
//! and the way to the screen.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use mixline_artifact::Store;
use mixline_run::{Engine, Project};
use serde::Serialize;

use crate::cli::Global;
use crate::failure::Outcome;
use crate::ui::style::Style;
use crate::ui::table::Table;

/// The frame of one command.
#[derive(Debug)]
pub(crate) struct App {
    global: Global,
    style: Style,
}

impl App {
    /// A frame with the global options.
    pub(crate) fn new(global: Global) -> Self {
        let style = Style::for_stdout(global.color);
        Self { global, style }
    }

    /// Whether one JSON document is asked for.
    pub(crate) fn json(&self) -> bool {
        self.global.json
    }

    /// Whether only results are asked for.
    pub(crate) fn quiet(&self) -> bool {
        self.global.quiet
    }

    /// How to write on standard output.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The project given, or the nearest one upwards, or the current folder.
    pub(crate) fn project_dir(&self) -> PathBuf {
        if let Some(project) = &self.global.project {
            return project.clone();
        }
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let found = here
            .ancestors()
            .find(|folder| folder.join("mixline.toml").is_file());
        found.unwrap_or(&here).to_owned()
    }

    /// The project.
    pub(crate) fn project(&self) -> Outcome<Project> {
        let dir = self.project_dir();
        // Nothing is made in a folder that somebody is in by mistake.
        if !dir.join("mixline.toml").is_file() && !dir.join("dags").is_dir() {
            let message = match &self.global.project {
                Some(_) => format!("there is no project in {}", dir.display()),
                None => format!("there is no project in {} or above it", dir.display()),
            };
            let hint = "`mixline init DIR` makes one; `--project DIR` names one that is elsewhere";
            return Err(crate::failure::Failure::config(message).hint(hint));
        }
        let mut project = Project::load(&dir, exe_dir().as_deref())?;
        if let Some(url) = variable(DATABASE_URL) {
            project = project.with_database(&url)?;
        }
        project.machine = variable(MACHINE);
        Ok(project)
    }

    /// The store of the project.
    pub(crate) async fn store(&self) -> Outcome<Store> {
        Ok(Store::open(&self.project()?.store).await?)
    }

    /// The engine of the project: store and state database.
    pub(crate) async fn engine(&self) -> Outcome<Engine> {
        Ok(Engine::open(self.project()?, now).await?)
    }

    /// Prints a line.
    #[expect(
        clippy::unused_self,
        reason = "the way to the screen belongs to the frame"
    )]
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Outcome<()> {
        Ok(writeln!(std::io::stdout().lock(), "{}", text.as_ref())?)
    }

    /// Prints a line unless only results are asked for.
    pub(crate) fn note(&self, text: impl AsRef<str>) -> Outcome<()> {
        if self.quiet() || self.json() {
            Ok(())
        } else {
            self.line(text)
        }
    }

    /// Prints the one JSON document.
    pub(crate) fn document(&self, value: &impl Serialize) -> Outcome<()> {
        self.line(serde_json::to_string_pretty(value)?)
    }

    /// Prints a table.
    pub(crate) fn table(&self, table: &Table) -> Outcome<()> {
        self.line(table.render(self.style))
    }
}

/// Where the state database is, with its password: it wins over `database` in mixline.toml.
const DATABASE_URL: &str = "MIXLINE_DATABASE_URL";
/// Name of this machine, for copies of one virtual machine that share its boot.
const MACHINE: &str = "MIXLINE_MACHINE";

/// A variable that says something.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The clock, read at this edge only.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The folder of the running binary: step binaries lie beside it.
pub(crate) fn exe_dir() -> Option<PathBuf> {
    std::env::current_exe()
        .ok()?
        .parent()
        .map(Path::to_path_buf)
}
