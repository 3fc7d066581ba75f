//! A server that dies with us: a shell waits on a pipe that only we hold, and stops the server when
//! the pipe closes. A test that is killed closes it too.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest time a server may take until it answers.
const START: Duration = Duration::from_secs(60);

/// `$1` is the scratch folder; the rest is the server. The folder goes last.
const SCRIPT: &str = r#"
folder="$1"; shift
"$@" </dev/null >"$folder/server.log" 2>&1 &
server=$!
read -r _
kill -INT $server 2>/dev/null
wait $server
rm -rf "$folder"
"#;

/// The shell, the pipe and the folder.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
    pipe: Option<ChildStdin>,
    folder: std::path::PathBuf,
}

impl Guard {
    /// Starts a server whose scratch folder goes with it, and waits until `answers` says yes.
    pub(crate) fn start(
        folder: TempDir,
        server: &Command,
        prepare: impl FnOnce(&mut Command),
        mut answers: impl FnMut() -> bool,
    ) -> io::Result<Self> {
        let folder = folder.keep();
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", SCRIPT, "guard"])
            .arg(&folder)
            .arg(server.get_program())
            .args(server.get_args())
            .stdin(Stdio::piped());
        for (name, value) in server.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        prepare(&mut shell);
        let mut shell = shell.spawn()?;
        let pipe = shell.stdin.take();
        let guard = Self {
            shell,
            pipe,
            folder,
        };
        let began = Instant::now();
        while !answers() {
            if began.elapsed() > START {
                let log = guard.log();
                return Err(io::Error::other(format!(
                    "no answer within {START:?}\n{log}"
                )));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(guard)
    }

    /// The scratch folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It is gone in a moment; whether it left well changes nothing any more.
        let _ = self.shell.wait();
    }
}
