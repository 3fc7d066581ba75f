//! The code version: a digest of the running binary. A rebuilt step that is byte for byte the
//! same reuses what it wrote; any other does not.

use std::fs::File;
use std::io;
use std::path::Path;

use mixline_schema::Digest;

/// BLAKE3 of a file, without holding it in memory.
pub(crate) fn digest_of_file(path: &Path) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(Digest::from_parts("b3", hasher.finalize().as_bytes()))
}

/// The digest of the running binary.
pub(crate) fn version() -> io::Result<Digest> {
    digest_of_file(&std::env::current_exe()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_digest_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"content").unwrap();
        assert_eq!(
            digest_of_file(file.path()).unwrap(),
            Digest::of_bytes(b"content")
        );
    }
}
