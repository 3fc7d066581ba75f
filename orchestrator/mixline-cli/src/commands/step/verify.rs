//! `mixline step verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mixline_compliance::{Finding, Options, Subject, Verdict, compliant, verify};
use serde_json::json;

use super::snippets;
use crate::app::App;
use crate::failure::{Failure, Outcome, RUN_FAILED};
use crate::ui::table::Table;

/// Hold a step to the contract, and print how Airflow, Argo and Kubernetes call it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Path of the binary, the name of a step that is known, or an image with its tag
    #[arg(value_name = "STEP")]
    step: String,
    /// Image that holds the step, for the snippets
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Leave out the snippets
    #[arg(long)]
    no_snippets: bool,
    /// Arguments that make the step take ten seconds or more, so that stopping it can be checked
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    slow: Option<String>,
    /// A folder that the step's container may read, at the same path as outside
    #[arg(long, value_name = "DIR")]
    mount: Vec<PathBuf>,
    /// Arguments of `run` that make the step succeed, for example `--in media=media.csv`
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

pub(super) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let subject = locate(app, &args.step).await?;
    let scratch = Scratch::make()?;
    let mut options = Options::new(&scratch.0);
    options.run_args.clone_from(&args.args);
    options.folders.clone_from(&args.mount);
    let words = |text: &String| text.split_whitespace().map(str::to_owned).collect();
    options.slow_args = args.slow.as_ref().map(words);
    let findings = verify(&subject, &options);
    let good = compliant(&findings);
    if app.json() {
        let subject = named(&subject);
        app.document(&json!({ "step": subject, "compliant": good, "findings": findings }))?;
    } else {
        print(app, &findings, good)?;
        if good && !args.no_snippets {
            app.line("")?;
            let image = match &subject {
                Subject::Image(image) => Some(image.as_str()),
                Subject::Binary(_) => args.image.as_deref(),
            };
            app.line(snippets::all(&name(&subject), image))?;
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(RUN_FAILED)
    })
}

/// A file that is there, an image, or else a step of the project.
async fn locate(app: &App, step: &str) -> Outcome<Subject> {
    let path = Path::new(step);
    if path.is_file() {
        let absolute = std::path::absolute(path);
        let absolute = absolute.map_err(|source| Failure::file("find", path, source))?;
        return Ok(Subject::Binary(absolute));
    }
    if step.contains(':') {
        return Ok(Subject::Image(step.to_owned()));
    }
    if step.contains('/') {
        let hint = "an image is written with its tag, for example `mixline/step-fit:latest`";
        return Err(Failure::usage(format!("there is no file {step}")).hint(hint));
    }
    Ok(Subject::Binary(app.engine().await?.find_step(step)?))
}

/// What was asked for.
fn named(subject: &Subject) -> String {
    match subject {
        Subject::Binary(path) => path.display().to_string(),
        Subject::Image(image) => image.clone(),
    }
}

/// The step's name: the last part of the path or of the image.
fn name(subject: &Subject) -> String {
    let all = named(subject);
    let last = all.rsplit('/').next().unwrap_or_default();
    let bare = last.split(':').next().unwrap_or_default();
    bare.to_owned()
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
