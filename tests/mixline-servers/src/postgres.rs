//! A Postgres server of its own, from the machine's packages.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::guard::Guard;
use crate::{free_port, skip};

/// The user and the password that the server knows.
const USER: &str = "mixline";
const PASSWORD: &str = "loopback only";

/// A running server with an empty database for whoever asks for one.
#[derive(Debug)]
pub struct Postgres {
    guard: Guard,
    port: u16,
    tools: Tools,
}

#[derive(Debug, Clone)]
struct Tools {
    folder: PathBuf,
    /// Whom the server runs as: it refuses to be root.
    user: Option<(u32, u32)>,
}

impl Postgres {
    /// Starts a server; `None`, with a word about it, on a machine without Postgres.
    ///
    /// # Panics
    /// When Postgres is missing and `CI` is set, or when it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(tools) = Tools::find() else {
            return skip(
                "no Postgres server is installed; `apt-get install postgresql` brings one",
            );
        };
        let started = Self::start_with(tools);
        Some(started.unwrap_or_else(|error| panic!("Postgres does not start: {error}")))
    }

    fn start_with(tools: Tools) -> io::Result<Self> {
        let folder = TempDir::with_prefix("mixline-postgres-")?;
        let data = folder.path().join("data");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, PASSWORD)?;
        if let Some((uid, gid)) = tools.user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
            std::os::unix::fs::chown(&secret, Some(uid), Some(gid))?;
        }
        let mut initdb = tools.command("initdb");
        initdb
            .args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--auth=scram-sha-256", "--username", USER, "--pwfile"])
            .arg(&secret)
            .arg("-D")
            .arg(&data);
        let done = initdb.current_dir("/").output()?;
        if !done.status.success() {
            return Err(failed("initdb", &done));
        }
        let port = free_port()?;
        let mut server = Command::new(tools.folder.join("postgres"));
        server
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
            // Tests of many connections share it.
            .args(["-c", "max_connections=300"]);
        let ready = tools.clone();
        let guard = Guard::start(
            folder,
            &server,
            |shell| tools.as_user(shell.current_dir("/")),
            || {
                let mut probe = ready.command("pg_isready");
                probe.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
                probe.status().is_ok_and(|status| status.success())
            },
        )?;
        Ok(Self { guard, port, tools })
    }

    /// The address of a new, empty database.
    ///
    /// # Panics
    /// When the server does not make one.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        let mut make = self.tools.command("createdb");
        make.env("PGPASSWORD", PASSWORD)
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER])
            .arg(&name);
        let done = make.output().expect("createdb starts");
        assert!(done.status.success(), "{}", failed("createdb", &done));
        self.address(PASSWORD, &name)
    }

    /// The address of a database with a password that is wrong.
    #[must_use]
    pub fn with_wrong_password(&self) -> String {
        self.address("wrong-secret", "postgres")
    }

    /// The address of a database that does not exist.
    #[must_use]
    pub fn without_database(&self) -> String {
        self.address(PASSWORD, "absent")
    }

    /// The scratch folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.guard.folder()
    }

    fn address(&self, password: &str, database: &str) -> String {
        let password = password.replace(' ', "%20");
        format!(
            "postgres://{USER}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }
}

impl Tools {
    /// The newest installed version: Debian keeps versions side by side, off the path.
    fn find() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten();
        let mut folders: Vec<PathBuf> = versions
            .flatten()
            .map(|version| version.path().join("bin"))
            .collect();
        folders.sort();
        let on_path = std::env::var_os("PATH").unwrap_or_default();
        folders.splice(0..0, std::env::split_paths(&on_path));
        let folder = folders
            .into_iter()
            .rfind(|folder| folder.join("initdb").is_file())?;
        Some(Self {
            folder,
            user: unprivileged(),
        })
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        self.as_user(command.current_dir("/"));
        command
    }

    fn as_user(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
    }
}

/// When we are root: the user that Debian's package makes, or nobody.
fn unprivileged() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let ids = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody"))
}

fn failed(what: &str, output: &Output) -> io::Error {
    let said = String::from_utf8_lossy(&output.stderr);
    io::Error::other(format!("{what} ended with {}: {said}", output.status))
}
