//! `cargo dev generate`: files that follow from declarations, so they are never written by hand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use mixline_schema::{ExitCode, StepContext, StepDescriptor, StepResult};
use schemars::schema_for;

use crate::{history, shell};

/// Options of `cargo dev generate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a file is not up to date.
    #[arg(long)]
    pub(crate) check: bool,
}

const CATALOGUE_HEAD: &str = "# The catalogue of artifacts\n\n\
    Generated from the `artifact!` declarations in `mixline-schema/src/catalog/` by `cargo dev \
    generate`; change those, not this page.\n\n\
    `unit currency` means the unit named by the row's `currency` column. All times are UTC.\n\n";

/// Writes (or checks) every generated file.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut stale = Vec::new();
    for (path, content) in history::missing()? {
        if !args.check {
            std::fs::write(shell::root().join(&path), content)?;
        }
        stale.push(path.display().to_string());
    }
    for (path, content) in files()? {
        let full = shell::root().join(&path);
        if std::fs::read_to_string(&full).ok().as_deref() == Some(content.as_str()) {
            continue;
        }
        if !args.check {
            let folder = full.parent().context("a generated file has a folder")?;
            std::fs::create_dir_all(folder)?;
            std::fs::write(&full, content).with_context(|| format!("could not write {path:?}"))?;
        }
        stale.push(path.display().to_string());
    }
    match (args.check, stale.is_empty()) {
        (_, true) => eprintln!("\u{2713} generated files are up to date"),
        (false, false) => eprintln!("\u{2713} wrote {}", stale.join(", ")),
        (true, false) => bail!(
            "not up to date: {}; run `cargo dev generate`",
            stale.join(", ")
        ),
    }
    Ok(())
}

fn files() -> Result<BTreeMap<PathBuf, String>> {
    let specs = mixline_schema::catalog::all();
    let mut files = BTreeMap::new();
    for spec in &specs {
        let path = format!(
            "schemas/json/artifacts/{}.v{}.json",
            spec.name, spec.schema_version
        );
        files.insert(path.into(), pretty(&mixline_schema::json_schema(spec))?);
    }
    let catalogue = mixline_schema::catalogue_markdown(&specs);
    files.insert(
        "schemas/README.md".into(),
        format!("{CATALOGUE_HEAD}{}\n", catalogue.trim_end()),
    );
    files.insert(
        "schemas/json/context.json".into(),
        pretty(&schema_for!(StepContext))?,
    );
    files.insert(
        "schemas/json/descriptor.json".into(),
        pretty(&schema_for!(StepDescriptor))?,
    );
    files.insert(
        "schemas/json/result.json".into(),
        pretty(&schema_for!(StepResult))?,
    );
    files.insert(
        "schemas/json/exit_codes.json".into(),
        pretty(&exit_codes())?,
    );
    files.insert("schemas/json/dag.json".into(), dag_schema()?);
    files.insert("schemas/json/rules.json".into(), rules_schema()?);
    Ok(files)
}

fn exit_codes() -> BTreeMap<String, &'static str> {
    ExitCode::ALL
        .iter()
        .map(|e| (format!("{:03}", e.code()), e.meaning()))
        .collect()
}

fn dag_schema() -> Result<String> {
    pretty(&printed("mixline", &["dag", "schema"])?)
}

/// The rules file of step-decide: what its configuration has under `rules`.
fn rules_schema() -> Result<String> {
    let mut schema = printed("step-decide", &["describe"])?["config_schema"].take();
    let mut kinds = schema["$defs"].take();
    let mut rules = kinds["Rules"].take();
    if let Some(kinds) = kinds.as_object_mut() {
        kinds.remove("Rules");
    }
    rules["$schema"] = schema["$schema"].take();
    rules["$defs"] = kinds;
    pretty(&rules)
}

/// The JSON that a program of ours prints.
fn printed(program: &str, args: &[&str]) -> Result<serde_json::Value> {
    shell::run(&mut shell::cargo(&[
        "build",
        "--quiet",
        "--workspace",
        "--bin",
        program,
    ]))?;
    let path = shell::target()?.join("debug").join(program);
    Ok(serde_json::from_str(&shell::output(
        Command::new(path).args(args),
    )?)?)
}

pub(crate) fn pretty(value: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
