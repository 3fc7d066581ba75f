//! The machine: disk space, and a container engine where there is one.

use std::path::Path;
use std::process::Command;

use mixline_run::Project;

use super::Check;
use crate::ui::words;

/// Less than this is a warning.
const LITTLE: u64 = 1 << 30;
/// Less than this and nothing can be recorded.
const NOTHING: u64 = 50 << 20;

/// Free space where run state is kept.
pub(super) fn disk(project: &Project) -> Check {
    let folder = existing(&project.state);
    let free = rustix::fs::statvfs(folder).map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    let advice = "free some space: `mixline artifact gc` removes old versions from a store on this \
                  disk, and retention removes old runs";
    match free {
        Err(error) => Check::warn("disk", format!("could not be looked at: {error}"), advice),
        Ok(free) => {
            let seen = format!("{} free for run state", words::bytes(free));
            match free {
                0..NOTHING => Check::fail("disk", seen, advice),
                NOTHING..LITTLE => Check::warn("disk", seen, advice),
                _ => Check::ok("disk", seen),
            }
        }
    }
}

/// The nearest folder upwards that exists.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("/"))
}

/// The container engine and the step images it holds. None is needed to run steps as processes.
pub(super) fn containers() -> Check {
    let Some(client) = docker(&["version", "--format", "{{.Client.Version}}"]) else {
        return Check::ok("containers", "no docker client; steps run as processes");
    };
    let client = client.lines().next().unwrap_or_default().to_owned();
    let Some(images) = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]) else {
        let seen = format!("docker client {client}, no engine answers; steps run as processes");
        return Check::ok("containers", seen);
    };
    let steps = images.lines().filter(|image| {
        image
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("step-") || name.starts_with("mixline"))
    });
    Check::ok(
        "containers",
        format!("docker client {client}, {} images of steps", steps.count()),
    )
}

/// What docker prints; `None` when there is no client or it fails. (`docker version` fails without
/// an engine, but names the client first.)
fn docker(args: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() || args[0] == "version" && !text.trim().is_empty()).then_some(text)
}
