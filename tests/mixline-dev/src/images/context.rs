//! What an image is built from: one program and the files it cannot do without.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

/// Where systems keep the certificates of the authorities they trust.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Fills `folder`: `program`, and under `base/` the libraries it is linked with at the paths where
/// the loader looks for them, certificates, an empty `/tmp`, and how names are resolved.
pub(crate) fn stage(program: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("could not clear an image's folder")?;
    }
    let base = folder.join("base");
    for library in libraries(program)? {
        copy(&library, &inside(&base, &library))?;
    }
    let authorities = AUTHORITIES
        .iter()
        .map(Path::new)
        .find(|path| path.is_file());
    let authorities = authorities
        .context("no certificate authorities on this machine; install ca-certificates")?;
    copy(authorities, &base.join("etc/ssl/certs/ca-certificates.crt"))?;
    fs::write(base.join("etc/nsswitch.conf"), "hosts: files dns\n")?;
    let tmp = base.join("tmp");
    fs::create_dir_all(&tmp)?;
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o1777))?;
    let copied = folder.join("program");
    // A name for the same file costs nothing; across file systems it has to be copied.
    fs::hard_link(program, &copied).or_else(|_| fs::copy(program, &copied).map(drop))?;
    Ok(())
}

fn inside(base: &Path, path: &Path) -> PathBuf {
    base.join(path.strip_prefix("/").unwrap_or(path))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file has a folder")?)?;
    fs::copy(from, to).with_context(|| format!("could not copy {}", from.display()))?;
    Ok(())
}

/// The shared libraries and the loader of a program, as the loader itself finds them; none for a
/// static one.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let ldd = Command::new("ldd").arg(program).output();
    let ldd = ldd.with_context(|| format!("could not look at {} with ldd", program.display()))?;
    Ok(paths(&String::from_utf8_lossy(&ldd.stdout)))
}

/// The paths in what `ldd` prints: `libc.so.6 => /lib/libc.so.6 (0x…)` or `/lib64/ld.so (0x…)`.
fn paths(printed: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let place = line.split_once("=>").map_or(line, |(_, place)| place);
        let place = place.split_whitespace().next()?;
        place.starts_with('/').then(|| PathBuf::from(place))
    };
    printed.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_read_and_the_kernels_page_is_not() {
        let printed = "\tlinux-vdso.so.1 (0x1)\n\tlibm.so.6 => /lib/x/libm.so.6 (0x2)\n\
                       \t/lib64/ld-linux-x86-64.so.2 (0x3)\n";
        let expected = ["/lib/x/libm.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(paths(printed), expected);
        assert!(paths("\tstatically linked\n").is_empty());
    }

    #[test]
    fn a_context_holds_the_program_and_what_it_needs() {
        let dir = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let folder = dir.path().join("context");
        stage(&program, &folder).unwrap();
        stage(&program, &folder).unwrap();
        assert!(
            folder
                .join("base/etc/ssl/certs/ca-certificates.crt")
                .is_file()
        );
        assert_eq!(
            fs::metadata(folder.join("program")).unwrap().len(),
            fs::metadata(program).unwrap().len()
        );
    }
}
