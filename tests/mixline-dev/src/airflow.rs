//! `cargo dev test airflow`: Apache Airflow with its own scheduler runs the pipelines in containers,
//! and `mixline` agrees with what it has made.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::images;
use crate::shell::{self, build, exists, root, target};

/// Its tests and its DAGs.
const FOLDER: &str = "dags/airflow";

/// Installs Airflow, builds the images, runs the package's tests and the trial.
pub(crate) fn run() -> Result<()> {
    let bin = build(false)?;
    let python = python()?;
    let folder = root().join(FOLDER);
    let mixline = bin.join("mixline");
    let mut tests = Command::new(&python);
    tests
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"])
        .env("MIXLINE", &mixline)
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AIRFLOW_HOME", target()?.join("airflow/home"))
        .current_dir(&folder);
    shell::run(&mut tests)?;
    trial(&python, &mixline, &bin)
}

/// The trial, on the engine of the environment or one of our own.
fn trial(python: &Path, mixline: &Path, bin: &Path) -> Result<()> {
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let mut trial = Command::new(python);
    let Some(engine) = images::tests(bin, &mut trial)? else {
        return Ok(());
    };
    let images = images::pattern();
    trial
        .arg(root().join(FOLDER).join("tests/trial.py"))
        .arg(scratch.path().join("trial"))
        .env("MIXLINE", mixline)
        .env("MIXLINE_AIRFLOW_IMAGE", images)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(host) = &engine.host {
        trial.env("MIXLINE_AIRFLOW_DOCKER_URL", host);
    }
    open(scratch.path())?;
    shell::run(&mut trial)
}

/// Containers run as nobody, who has to get through.
fn open(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
        .context("could not open the scratch folder to others")
}

/// A virtual environment with Airflow as pinned, made once under the target folder.
fn python() -> Result<PathBuf> {
    let requirements = root().join(FOLDER).join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("requirements.txt is gone")?;
    let folder = target()?.join("airflow/python");
    let (python, marker) = (folder.join("bin/python"), folder.join("installed"));
    if std::fs::read_to_string(&marker).ok().as_deref() == Some(wanted.as_str()) {
        return Ok(python);
    }
    if !exists("python3", &["-m", "venv", "--help"]) {
        bail!("python3 with venv is needed for Airflow; install it");
    }
    shell::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "--requirement"]);
    shell::run(pip.arg(&requirements))?;
    std::fs::write(&marker, wanted).context("could not mark the environment as complete")?;
    Ok(python)
}
