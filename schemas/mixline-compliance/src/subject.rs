//! What is held to the contract, and how it is started: a binary, or an image as strictly as a
//! cluster would run it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::Options;

/// Any numeric user must do; this one owns nothing.
const USER: &str = "65532:65532";

/// A step in the form it is delivered in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A program.
    Binary(PathBuf),
    /// An image that the Docker engine has; started by the program `docker`.
    Image(String),
}

impl Subject {
    /// The call of the step with arguments. `name` tells calls apart.
    pub(crate) fn command(
        &self,
        args: &[&str],
        options: &Options,
        name: &str,
    ) -> io::Result<Command> {
        match self {
            Self::Binary(path) => {
                let mut command = Command::new(path);
                command.args(args);
                Ok(command)
            }
            Self::Image(image) => {
                let mut command = confined(options, name)?;
                command.arg(image).args(args);
                Ok(command)
            }
        }
    }

    /// Sends SIGTERM to the step of a call; whether it was there to be sent one.
    pub(crate) fn terminate(&self, child: &Child, scratch: &Path, name: &str) -> io::Result<bool> {
        match self {
            Self::Binary(_) => terminate(child).map(|()| true),
            // Not through the client, which passes signals on only once it is attached.
            Self::Image(_) => {
                let mut kill = Command::new("docker");
                kill.args(["kill", "--signal", "TERM", &container(scratch, name)]);
                Ok(kill.output()?.status.success())
            }
        }
    }

    /// Ends a call that took too long: a container outlives the client that started it.
    pub(crate) fn abandon(&self, scratch: &Path, name: &str) {
        if let Self::Image(_) = self {
            let mut remove = Command::new("docker");
            remove.args(["rm", "--force", &container(scratch, name)]);
            let _ = remove.output();
        }
    }
}

/// `docker run` with nothing a step may not count on: no root, no capabilities, no network, a root
/// that is read-only. The scratch folder is mounted at its own path, and Airflow's folder is there.
fn confined(options: &Options, name: &str) -> io::Result<Command> {
    let scratch = &options.scratch;
    let xcom = scratch.join("xcom");
    fs::create_dir_all(&xcom)?;
    for folder in [scratch.as_path(), &xcom] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    }
    let (scratch_text, xcom) = (scratch.display(), xcom.display());
    let mut command = Command::new("docker");
    command.args([
        "run",
        "--rm",
        "--read-only",
        "--network",
        "none",
        "--cap-drop",
        "ALL",
    ]);
    command.args(["--security-opt", "no-new-privileges", "--user", USER]);
    command.args([
        "--tmpfs",
        "/tmp:rw,mode=1777",
        "--name",
        &container(scratch, name),
    ]);
    command.args(["--volume", &format!("{scratch_text}:{scratch_text}")]);
    command.args(["--volume", &format!("{xcom}:/airflow/xcom")]);
    for folder in &options.folders {
        let folder = folder.display();
        command.args(["--volume", &format!("{folder}:{folder}:ro")]);
    }
    command.args(["--workdir", &scratch_text.to_string()]);
    Ok(command)
}

/// A name that no other call has.
fn container(scratch: &Path, name: &str) -> String {
    let folder = scratch.file_name().unwrap_or_default().to_string_lossy();
    format!("mixline-verify-{folder}-{name}")
}

#[cfg(unix)]
fn terminate(child: &Child) -> io::Result<()> {
    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    #[expect(
        unsafe_code,
        reason = "sending a signal to a child of ours needs a system call"
    )]
    // SAFETY: kill takes no pointers, and the child has not been waited for.
    let sent = unsafe { libc::kill(pid, libc::SIGTERM) };
    if sent == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(not(unix))]
fn terminate(_: &Child) -> io::Result<()> {
    Err(io::Error::other("signals exist on Unix only"))
}
