//! `cargo dev test`: every program built once, then every test.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::airflow;
use crate::images;
use crate::shell::{self, build, cargo, exists, root, target};

/// Options of `cargo dev test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this crate: the inner loop. `airflow`: the pipelines under Apache Airflow instead.
    #[arg(value_name = "CRATE")]
    krate: Option<String>,
    /// Only tests whose name contains this.
    #[arg(long, short)]
    filter: Option<String>,
    /// Leave out the Python readers (deltalake, polars, DuckDB, pyarrow).
    #[arg(long)]
    no_python: bool,
    /// Leave out the browser that opens the report.
    #[arg(long)]
    no_browser: bool,
    /// Leave out the container tests.
    #[arg(long)]
    no_docker: bool,
}

/// Packages of the tests that ask other people's programs: readers of tables and draws, an MLflow
/// server, a parser of metrics.
const PYTHON: &[&str] = &[
    "deltalake",
    "polars",
    "duckdb",
    "pyarrow",
    "arviz<1",
    "h5netcdf",
    "mlflow",
    "prometheus-client",
    "moto[server,s3]",
];

/// Packages that drive the browser and look for what readers with disabilities would miss.
const NODE: &[&str] = &["axe-core@4", "puppeteer-core@24"];

/// Builds and tests.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.krate.as_deref() == Some("airflow") {
        return airflow::run();
    }
    if let Some(krate) = &args.krate {
        return one(krate, args);
    }
    let bin = build(false)?;
    let mut tests = if exists("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&[
            "test",
            "--workspace",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
        ])
    };
    tests.args(args.filter.iter());
    with_others(&mut tests, &bin, args)?;
    if args.filter.is_none() {
        shell::run(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))?;
    }
    Ok(())
}

/// The tests of one crate, without compiling its dependencies anew: see `mixline-features`.
fn one(krate: &str, args: &Args) -> Result<()> {
    let mut tests = cargo(&["test", "-p", krate, "-p", "mixline-features"]);
    tests.args(args.filter.iter());
    // Only the tests over built programs know others; everything else is the inner loop.
    match krate {
        "mixline-it" => with_others(&mut tests, &build(false)?, args),
        _ => shell::run(&mut tests),
    }
}

/// Runs tests with what they ask other people's programs with: Python, a browser, a Docker engine.
fn with_others(tests: &mut Command, bin: &Path, args: &Args) -> Result<()> {
    if !args.no_python {
        tests.env("MIXLINE_TEST_PYTHON", python()?);
    }
    if !args.no_browser
        && let Some((modules, chromium)) = browser()?
    {
        tests.env("MIXLINE_TEST_NODE", modules);
        tests.env("MIXLINE_TEST_CHROMIUM", chromium);
    }
    // The engine ends with this value, after the tests.
    let _engine = match args.no_docker {
        true => None,
        false => images::tests(bin, tests)?,
    };
    shell::run(tests)
}

/// A virtual environment with the peer readers, made once under the target folder.
pub(crate) fn python() -> Result<PathBuf> {
    let folder = target()?.join("python");
    let python = folder.join("bin/python");
    let marker = folder.join("installed");
    let wanted = PYTHON.join(" ");
    if std::fs::read_to_string(&marker).ok().as_deref() == Some(wanted.as_str()) {
        return Ok(python);
    }
    if !exists("python3", &["-m", "venv", "--help"]) {
        bail!("python3 with venv is needed for the reader tests; install it or pass --no-python");
    }
    shell::run(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&folder)
            .current_dir(root()),
    )?;
    install(&python)?;
    std::fs::write(&marker, wanted).context("could not mark the Python environment as complete")?;
    Ok(python)
}

/// Node modules, installed once under the target folder, and Chromium; `None` where the machine has
/// no node or no Chromium.
fn browser() -> Result<Option<(PathBuf, PathBuf)>> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find(|name| exists(name, &["--version"]));
    let (Some(chromium), true) = (chromium, exists("npm", &["--version"])) else {
        eprintln!("the browser test is left out: it needs npm and Chromium");
        return Ok(None);
    };
    let path = shell::output(Command::new("sh").args(["-c", &format!("command -v {chromium}")]))?;
    let chromium = PathBuf::from(path.trim());
    let folder = target()?.join("node");
    let (marker, wanted) = (folder.join("installed"), NODE.join(" "));
    if std::fs::read_to_string(&marker).ok().as_deref() != Some(wanted.as_str()) {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--silent",
        ]);
        shell::run(npm.args(NODE).current_dir(&folder))?;
        std::fs::write(&marker, wanted).context("could not mark the node modules as complete")?;
    }
    Ok(Some((folder, chromium)))
}

fn install(python: &Path) -> Result<()> {
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ])
    .args(PYTHON);
    shell::run(&mut pip)
}
