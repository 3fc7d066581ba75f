//! A Docker engine for tests: the one that answers, or one of our own for as long as it is needed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::shell::{self, target};

/// Time an engine of our own has to answer.
const START: Duration = Duration::from_secs(30);
/// Where distributions put the daemon; not always on the path of a user.
const DAEMONS: &[&str] = &[
    "/usr/sbin/dockerd",
    "/usr/bin/dockerd",
    "/usr/local/bin/dockerd",
];

/// `docker`, talking to `host` or to the engine of the environment.
pub(crate) fn docker(host: Option<&str>) -> Command {
    let mut command = Command::new("docker");
    if let Some(host) = host {
        command.env("DOCKER_HOST", host);
    }
    command
}

/// Asks the engine for its version.
pub(crate) fn answers(host: Option<&str>) -> Result<String> {
    let mut command = docker(host);
    command.args(["version", "--format", "{{.Server.Version}}"]);
    Ok(shell::output(&mut command)?.trim().to_owned())
}

/// An engine that answers.
#[derive(Debug)]
pub(crate) struct Engine {
    /// What `DOCKER_HOST` is to be; `None` for the engine of the environment.
    pub(crate) host: Option<String>,
    own: Option<Own>,
}

/// A daemon of ours: it ends with this value.
#[derive(Debug)]
struct Own {
    daemon: Child,
    folder: TempDir,
}

impl Engine {
    /// The engine of the environment when there is one, else a daemon of our own; `None`, with a
    /// word why, on a machine that has neither. In CI that is an error.
    pub(crate) fn find() -> Result<Option<Self>> {
        if answers(None).is_ok() {
            return Ok(Some(Self {
                host: None,
                own: None,
            }));
        }
        match start() {
            Ok(engine) => Ok(Some(engine)),
            Err(error) if shell::in_ci() => Err(error),
            Err(error) => {
                eprintln!("container tests are left out: {error:#}");
                Ok(None)
            }
        }
    }
}

/// Starts a daemon with a socket of its own that touches no network of the machine. Its images
/// stay under the target folder for the next time.
fn start() -> Result<Engine> {
    let daemon = DAEMONS
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file());
    let daemon = daemon.context("no Docker engine answers and no dockerd is installed")?;
    if !shell::is_root() {
        bail!("no Docker engine answers, and only root can start one");
    }
    let folder = tempfile::Builder::new()
        .prefix("mixline-docker-")
        .tempdir()?;
    let host = format!("unix://{}", folder.path().join("docker.sock").display());
    let log = std::fs::File::create(folder.path().join("dockerd.log"))?;
    let mut command = Command::new(daemon);
    command
        .arg("--data-root")
        .arg(target()?.join("docker"))
        .arg("--exec-root")
        .arg(folder.path().join("exec"))
        .arg("--pidfile")
        .arg(folder.path().join("dockerd.pid"))
        .args(["--host", &host, "--bridge=none", "--iptables=false"])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let daemon = command.spawn().context("could not start dockerd")?;
    let engine = Engine {
        host: Some(host.clone()),
        own: Some(Own { daemon, folder }),
    };
    let tries = START.as_millis() / 100;
    for _ in 0..tries {
        if answers(Some(&host)).is_ok() {
            return Ok(engine);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("dockerd was started and did not answer:\n{}", engine.log())
}

impl Engine {
    /// The end of what our daemon said.
    fn log(&self) -> String {
        let folder = self
            .own
            .as_ref()
            .map(|own| own.folder.path().join("dockerd.log"));
        let text = folder
            .and_then(|file| std::fs::read_to_string(file).ok())
            .unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Own {
    /// Asks it to stop, which also stops the containers, and waits.
    fn drop(&mut self) {
        let pid = self.daemon.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.daemon.wait();
    }
}
