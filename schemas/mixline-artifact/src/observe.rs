//! Files outside the store that a step reads: which they are, and the digest of each.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mixline_schema::Digest;

/// One observed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedFile {
    /// Name as it enters the fingerprint: the path as given, joined with `/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The regular files behind `paths` (relative to `root`), folders walked, in name order. Paths that
/// do not exist are left out: the step says what is missing, in its own words.
///
/// # Errors
/// What the file system said.
pub fn files(root: &Path, paths: &[String]) -> io::Result<Vec<ObservedFile>> {
    let mut found = Vec::new();
    for name in paths {
        walk(name.trim_end_matches('/'), &root.join(name), &mut found)?;
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup();
    Ok(found)
}

fn walk(name: &str, path: &Path, found: &mut Vec<ObservedFile>) -> io::Result<()> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(());
    };
    if metadata.is_file() {
        found.push(ObservedFile {
            name: name.to_owned(),
            path: path.to_owned(),
        });
    } else if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let child = format!("{name}/{}", entry.file_name().to_string_lossy());
            walk(&child, &entry.path(), found)?;
        }
    }
    Ok(())
}

/// BLAKE3 of a file's bytes, read as a stream.
///
/// # Errors
/// What the file system said.
pub fn digest(path: &Path) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path)?)?;
    Ok(Digest::from_parts("b3", hasher.finalize().as_bytes()))
}

/// The digest of every file behind `paths`.
///
/// # Errors
/// What the file system said.
pub fn observe(root: &Path, paths: &[String]) -> io::Result<BTreeMap<String, Digest>> {
    files(root, paths)?
        .into_iter()
        .map(|file| Ok((file.name, digest(&file.path)?)))
        .collect()
}
