//! `mixline doctor`.

mod machine;
mod outside;
mod programs;
mod state;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;

use mixline_artifact::Store;
use mixline_plan::PlanError;
use mixline_run::{Engine, PlanOptions, Project, RunError};
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::failure::{Failure, Outcome, RUN_FAILED, one_line};
use crate::ui::table::Table;

/// Check that the project can run: files, store, state, clock, credentials, steps, images, pipelines
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    /// `ok`, `warn` or `fail`.
    verdict: &'static str,
    seen: String,
    advice: String,
}

impl Check {
    fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self {
            what,
            verdict: "ok",
            seen: seen.into(),
            advice: String::new(),
        }
    }

    fn warn(what: &'static str, seen: impl Into<String>, advice: &str) -> Self {
        Self {
            what,
            verdict: "warn",
            seen: seen.into(),
            advice: advice.to_owned(),
        }
    }

    fn fail(what: &'static str, seen: impl Into<String>, advice: &str) -> Self {
        Self {
            what,
            verdict: "fail",
            seen: seen.into(),
            advice: advice.to_owned(),
        }
    }

    /// A check that could not be carried out.
    fn failed(what: &'static str, failure: &Failure, advice: &str) -> Self {
        Self::fail(what, failure.line(), advice)
    }
}

/// Carries out `mixline doctor`.
pub(crate) async fn execute(app: &App, _: &Args) -> Outcome<ExitCode> {
    let project = app.project()?;
    let mut checks = vec![file(&project), key(&project), machine::disk(&project)];
    checks.push(store(&project).await);
    checks.extend(outside::credentials(&project));
    match app.engine().await {
        Ok(engine) => checks.extend(of_engine(&engine).await),
        Err(failure) => checks.push(Check::failed("state", &failure, RESTORE)),
    }
    let good = checks.iter().all(|check| check.verdict != "fail");
    if app.json() {
        app.document(&json!({ "ok": good, "checks": checks }))?;
    } else {
        print(app, &checks)?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(RUN_FAILED)
    })
}

/// What to do when the state database does not read.
const RESTORE: &str = "see the cause; if the database is damaged, stop every orchestrator and put a \
                       backup back: `mixline state restore --from DIR`";

/// Everything that needs the store and the state database. A check that breaks off is one that
/// fails; the others go on.
async fn of_engine(engine: &Engine) -> Vec<Check> {
    let mut checks = vec![
        settled("state", RESTORE, state::database(engine).await),
        settled("clock", RESTORE, state::clock(engine).await),
        settled("runs", RESTORE, open_runs(engine).await),
        settled("outbox", "see the cause", outside::outbox(engine).await),
    ];
    match programs::Used::of(engine) {
        Ok(used) => {
            checks.push(programs::steps(engine, &used).await);
            checks.push(programs::images(engine, &used).await);
        }
        Err(failure) => checks.push(Check::failed("steps", &failure, "see the cause")),
    }
    match dags(engine).await {
        Ok(dags) => checks.extend(dags),
        Err(failure) => checks.push(Check::failed("dag", &failure, "see the cause")),
    }
    checks
}

fn settled(what: &'static str, advice: &str, check: Outcome<Check>) -> Check {
    check.unwrap_or_else(|failure| Check::failed(what, &failure, advice))
}

fn print(app: &App, checks: &[Check]) -> Outcome<()> {
    let mut table = Table::new(&["check", "!verdict", "seen"]);
    for check in checks {
        table.row(vec![
            check.what.to_owned(),
            check.verdict.to_owned(),
            check.seen.clone(),
        ]);
    }
    app.table(&table)?;
    let mut said = BTreeSet::new();
    for check in checks.iter().filter(|check| !check.advice.is_empty()) {
        if !said.insert((check.what, &check.advice)) {
            continue;
        }
        app.line(format!(
            "\n{}: {}",
            app.style().bold(check.what),
            check.advice
        ))?;
    }
    Ok(())
}

fn file(project: &Project) -> Check {
    let path = project.root.join("mixline.toml");
    match path.is_file() {
        true => Check::ok("project", path.display().to_string()),
        false => Check::warn(
            "project",
            format!("no mixline.toml in {}", project.root.display()),
            "the defaults hold; `mixline init` writes the file",
        ),
    }
}

fn key(project: &Project) -> Check {
    let path = project.state.join("hash.key");
    let Ok(metadata) = std::fs::metadata(&path) else {
        let seen = format!("there is no {}", path.display());
        return Check::warn(
            "hash key",
            seen,
            "`mixline init` makes one; e-mails need it",
        );
    };
    match metadata.permissions().mode() & 0o077 {
        0 => Check::ok("hash key", path.display().to_string()),
        _ => Check::warn(
            "hash key",
            "other users may read it",
            "chmod 600 .mixline/hash.key",
        ),
    }
}

async fn store(project: &Project) -> Check {
    let probed = match Store::open(&project.store).await {
        Ok(store) => store.probe().await,
        Err(error) => Err(error),
    };
    match probed {
        Ok(()) => Check::ok(
            "store",
            format!("{}, one of two creates won", project.store),
        ),
        Err(error) => Check::fail(
            "store",
            one_line(&error),
            "check `store` in mixline.toml and credentials",
        ),
    }
}

async fn open_runs(engine: &Engine) -> Outcome<Check> {
    let open = engine.state().open_runs().await?;
    let lost = open.iter().filter(|run| engine.is_orphan(run)).count();
    Ok(match lost {
        0 => Check::ok("runs", format!("{} going on", open.len())),
        _ => Check::warn(
            "runs",
            format!("{lost} left open by an orchestrator that is gone"),
            "`mixline resume` brings them to their end",
        ),
    })
}

/// A DAG that cannot be planned. One whose inputs nothing has written yet is sound, and waits.
fn unplanned(name: &str, error: &RunError) -> Check {
    let missing = match error {
        RunError::Plan { errors } => errors.iter().map(PlanError::missing_input).collect(),
        _ => None,
    };
    let Some(missing): Option<BTreeSet<&str>> = missing else {
        let advice = format!("`mixline plan {name}` says where");
        return Check::fail("dag", format!("{name}: {}", one_line(error)), &advice);
    };
    let tables: Vec<&str> = missing.into_iter().collect();
    let seen = format!("{name} waits for {}", tables.join(", "));
    let advice = "nothing has written these tables yet: run the pipelines that do first";
    Check::warn("dag", seen, advice)
}

async fn dags(engine: &Engine) -> Outcome<Vec<Check>> {
    let mut checks = Vec::new();
    for name in engine.dags()? {
        checks.push(match engine.plan(&name, &PlanOptions::default()).await {
            Ok(plan) => Check::ok("dag", format!("{name}, {} tasks", plan.tasks.len())),
            Err(error) => unplanned(&name, &error),
        });
    }
    if checks.is_empty() {
        let seen = format!("none in {}", engine.project().dags.display());
        checks.push(Check::warn("dag", seen, "`mixline init` makes one"));
    }
    Ok(checks)
}
