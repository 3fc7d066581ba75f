//! Running other programs, and where the tree and its binaries are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lives two folders below the root")
}

/// `cargo` with arguments, in the root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Prints the command, runs it, and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("\u{25b8} {}", words(command));
    let status = command
        .status()
        .with_context(|| format!("could not start {}", words(command)))?;
    if !status.success() {
        bail!("{} failed with {status}", words(command));
    }
    Ok(())
}

/// Runs quietly and returns standard output; its standard error joins the failure.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("could not start {}", words(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed with {}\n{stderr}", words(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy();
    command.get_args().fold(name.into_owned(), |text, arg| {
        text + " " + &arg.to_string_lossy()
    })
}

/// Builds every program of the workspace (one feature set, so nothing is compiled twice).
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let mut args = vec!["build", "--workspace", "--bins"];
    if release {
        args.push("--release");
    }
    run(&mut cargo(&args))?;
    Ok(target()?.join(if release { "release" } else { "debug" }))
}

/// Cargo's target folder, wherever the environment puts it.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = output(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("cargo metadata has no target")?;
    Ok(PathBuf::from(folder))
}

/// Whether a program answers `--version`.
pub(crate) fn exists(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether this is CI, where a tool that is missing is an error and not a reason to leave a test out.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Whether we may do everything on this machine.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
