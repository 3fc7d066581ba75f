//! What the orchestrator itself costs: processes that do nothing, and plans that run nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::bench::figure::Figures;
use crate::shell::output;

/// Times each figure is taken.
const TIMES: usize = 5;

/// Chained no-op processes, the same again reused, and plans of many tasks.
pub(crate) fn run(bin: &Path) -> Result<()> {
    println!("{:<44} {:>9} {:>9}", "", "median", "best");
    let mut first = Figures::new("run: 40 chained no-op step processes");
    for _ in 0..TIMES {
        let project = Project::new(bin, 40)?;
        first.take(|| project.mixline(&["run", "chain"], None))?;
    }
    first.print_milliseconds();
    let project = Project::new(bin, 40)?;
    project.mixline(&["run", "chain"], None)?;
    repeated(
        &project,
        "run again: 40 tasks, all reused",
        &["run", "chain"],
    )?;
    let project = Project::new(bin, 200)?;
    project.mixline(&["run", "chain"], None)?;
    repeated(&project, "plan: 200 tasks, all reused", &["plan", "chain"])?;
    let project = Project::new(bin, 10_000)?;
    repeated(
        &project,
        "plan: 10,000 tasks, none ever run",
        &["plan", "chain"],
    )
}

fn repeated(project: &Project, label: &str, args: &[&str]) -> Result<()> {
    let mut figures = Figures::new(label);
    for _ in 0..TIMES {
        figures.take(|| project.mixline(args, None))?;
    }
    figures.print_milliseconds();
    Ok(())
}

/// A project whose only DAG is a chain.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    mixline: PathBuf,
}

impl Project {
    fn new(bin: &Path, tasks: usize) -> Result<Self> {
        Self::with(bin, tasks, "")
    }

    /// A project with more in its `mixline.toml`.
    pub(crate) fn with(bin: &Path, tasks: usize, more: &str) -> Result<Self> {
        let folder = tempfile::tempdir().context("no scratch folder")?;
        std::fs::create_dir_all(folder.path().join("dags"))?;
        std::fs::write(folder.path().join("dags/chain.toml"), chain_dag(tasks))?;
        let steps = toml::Value::from(bin.display().to_string());
        std::fs::write(
            folder.path().join("mixline.toml"),
            format!("steps = [{steps}]\n{more}"),
        )?;
        Ok(Self {
            folder,
            mixline: bin.join("mixline"),
        })
    }

    /// Lets containers, which run as nobody, read the project and write the store.
    pub(crate) fn open_to_nobody(&self) -> Result<()> {
        let store = self.folder.path().join("store");
        std::fs::create_dir_all(&store)?;
        for (folder, mode) in [(self.folder.path(), 0o755), (&store, 0o777)] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    /// Runs a command, with containers on the engine `host`; its wall seconds.
    pub(crate) fn mixline(&self, args: &[&str], host: Option<&str>) -> Result<f64> {
        let started = Instant::now();
        let mut command = Command::new(&self.mixline);
        command.envs(host.map(|host| ("DOCKER_HOST", host)));
        output(command.args(args).current_dir(self.folder.path()))?;
        Ok(started.elapsed().as_secs_f64())
    }
}

/// `noop_0 → noop_1 → …`, each a process that reads its predecessor's artifact.
fn chain_dag(tasks: usize) -> String {
    let mut dag = String::from("name = \"chain\"\n");
    for i in 0..tasks {
        dag += &format!(
            "\n[tasks.noop_{i}]\nstep = \"step-noop\"\noutputs = {{ out = \"noop_{i}\" }}\n"
        );
        if i > 0 {
            dag += &format!("inputs = {{ input = \"noop_{}\" }}\n", i - 1);
        }
    }
    dag
}
