//! `mixline step`: steps by themselves, without a DAG.

mod snippets;
mod verify;

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use clap::Subcommand;
use mixline_plan::StepEntry;
use mixline_run::Engine;
use serde_json::{Value, json};

use crate::app::App;
use crate::failure::{Failure, Outcome, one_line};
use crate::ui::table::Table;

/// Steps by themselves: list, describe, run, verify
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the steps that were found, with what they read and write
    List,
    /// Print a step's descriptor: ports, configuration schema, exit codes
    Describe {
        /// Step name, for example `step-measure`
        step: String,
    },
    Run(Run),
    Verify(verify::Args),
}

/// Run one step against the project's store
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline step run step-synthesize -- --set days=365 --seed 7
  mixline step run step-measure -- --in media=media_daily@3 --out-dir ./out

`mixline step run STEP -- --help` lists what a step takes.")]
struct Run {
    /// Step name, for example `step-measure`
    step: String,
    /// Arguments of the step's own `run`
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// Carries out `mixline step …`.
pub(crate) async fn execute(app: &App, args: Args) -> Outcome<ExitCode> {
    match args.command {
        Command::List => list(app).await,
        Command::Describe { step } => describe(app, &step).await,
        Command::Run(args) => run(app, &args).await,
        Command::Verify(args) => verify::execute(app, &args).await,
    }
}

/// The step binaries of a project by name; the first folder that has one wins.
pub(crate) fn binaries(engine: &Engine) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for folder in &engine.project().steps {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name.filter(|name| name.starts_with("step-") && !name.contains('.'))
            else {
                continue;
            };
            if path.is_file() && !found.iter().any(|(known, _)| *known == name) {
                found.push((name, path));
            }
        }
    }
    found.sort();
    found
}

async fn list(app: &App) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let mut table = Table::new(&["step", "reads", "writes", "about"]);
    let mut documents = Vec::<Value>::new();
    for (name, path) in binaries(&engine) {
        match engine.describe(&path).await {
            Ok(StepEntry {
                descriptor, code, ..
            }) => {
                let names = |ports: &[mixline_schema::Port]| {
                    let names = ports.iter().map(|port| {
                        let mark = if port.optional { "?" } else { "" };
                        format!("{}{mark}", port.artifact)
                    });
                    names.collect::<Vec<_>>().join(" ")
                };
                let (reads, writes) = (names(&descriptor.inputs), names(&descriptor.outputs));
                table.row(vec![name, reads, writes, descriptor.about.clone()]);
                documents.push(json!({ "path": path, "code": code, "descriptor": descriptor }));
            }
            Err(error) => {
                let error = one_line(&error);
                table.row(vec![
                    name,
                    String::new(),
                    String::new(),
                    format!("broken: {error}"),
                ]);
                documents.push(json!({ "path": path, "error": error }));
            }
        }
    }
    if app.json() {
        app.document(&json!({ "steps": documents }))?;
    } else if documents.is_empty() {
        let folders: Vec<_> = engine
            .project()
            .steps
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        app.note(format!("no step binaries in {}", folders.join(", ")))?;
    } else {
        app.table(&table)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn describe(app: &App, step: &str) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let entry = engine.describe(&engine.find_step(step)?).await?;
    app.document(&entry.descriptor)?;
    Ok(ExitCode::SUCCESS)
}

async fn run(app: &App, args: &Run) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let program = engine.find_step(&args.step)?;
    let project = engine.project();
    let mut command = tokio::process::Command::new(&program);
    command.arg("run");
    if !args
        .args
        .iter()
        .any(|arg| arg == "--store" || arg.starts_with("--store="))
    {
        command.args(["--store", &project.store]);
    }
    command
        .args(&args.args)
        .current_dir(&project.root)
        .stdin(Stdio::null());
    let status = command.status().await;
    let status = status.map_err(|source| Failure::file("start", &program, source))?;
    // A shell's number for a death by signal.
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0);
    let code = status.code().unwrap_or(128 + signal);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
