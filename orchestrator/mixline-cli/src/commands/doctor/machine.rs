//! The machine: disk space.

use std::path::Path;

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
