//! `cargo dev check`: what must hold before a change lands, besides the tests.

use anyhow::Result;

use crate::shell::{self, cargo, exists};
use crate::{deps, generate};

/// Runs every check; the first failure ends it.
pub(crate) fn run() -> Result<()> {
    shell::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    deps::run()?;
    generate::run(&generate::Args { check: true })?;
    shell::run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    shell::run(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    if exists("cargo", &["deny", "--version"]) {
        shell::run(&mut cargo(&[
            "deny",
            "--all-features",
            "check",
            "licenses",
            "bans",
            "sources",
        ]))?;
    } else {
        eprintln!(
            "\u{25b8} deny: not installed, licenses and bans not checked (cargo install cargo-deny)"
        );
    }
    eprintln!("\u{2713} all checks passed");
    Ok(())
}
