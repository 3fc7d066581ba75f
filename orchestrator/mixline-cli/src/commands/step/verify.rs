//! `mixline step verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mixline_compliance::{Finding, Options, Verdict, compliant, verify};
use serde_json::json;

use super::snippets;
use crate::app::App;
use crate::failure::{Failure, Outcome, RUN_FAILED};
use crate::ui::table::Table;

/// Hold a step binary to the contract, and print how Airflow, Argo and Kubernetes call it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Path of the binary, or the name of a step that is known
    #[arg(value_name = "BINARY")]
    binary: String,
    /// Image that holds the step, for the snippets
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Leave out the snippets
    #[arg(long)]
    no_snippets: bool,
    /// Arguments that make the step take ten seconds or more, so that stopping it can be checked
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    slow: Option<String>,
    /// Arguments of `run` that make the step succeed, for example `--in media=media.csv`
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

pub(super) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let binary = locate(app, &args.binary).await?;
    let scratch = Scratch::make()?;
    let mut options = Options::new(&scratch.0);
    options.run_args.clone_from(&args.args);
    let words = |text: &String| text.split_whitespace().map(str::to_owned).collect();
    options.slow_args = args.slow.as_ref().map(words);
    let findings = verify(&binary, &options);
    let good = compliant(&findings);
    if app.json() {
        app.document(&json!({ "binary": binary, "compliant": good, "findings": findings }))?;
    } else {
        print(app, &findings, good)?;
        let name = binary
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if good && !args.no_snippets {
            app.line("")?;
            let name = name.unwrap_or_default();
            app.line(snippets::all(&name, args.image.as_deref()))?;
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(RUN_FAILED)
    })
}

/// A file that is there, or else a step of the project.
async fn locate(app: &App, binary: &str) -> Outcome<PathBuf> {
    let path = Path::new(binary);
    if path.is_file() {
        let absolute = std::path::absolute(path);
        return absolute.map_err(|source| Failure::file("find", path, source));
    }
    if binary.contains('/') {
        return Err(Failure::usage(format!("there is no file {binary}")));
    }
    Ok(app.engine().await?.find_step(binary)?)
}

fn print(app: &App, findings: &[Finding], good: bool) -> Outcome<()> {
    let mut table = Table::new(&["rule", "!verdict", "seen"]);
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::NotApplicable => "not_applicable",
        };
        table.row(vec![
            finding.rule.to_owned(),
            verdict.to_owned(),
            finding.detail.clone(),
        ]);
    }
    app.table(&table)?;
    let failed = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .count();
    app.line("")?;
    app.line(match good {
        true => app.style().green("the step keeps the contract"),
        false => app.style().red(&format!(
            "the step breaks {failed} of {} rules",
            findings.len()
        )),
    })
}

/// A folder that goes with the command.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("mixline-verify-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder)
            .map_err(|source| Failure::file("make the folder", &folder, source))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
