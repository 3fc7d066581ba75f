//! `cargo dev images`: an image for every step and one for `mixline`, from programs that are
//! compiled already.
//!
//! A context holds one program and what it is linked with, so that building an image is copying
//! files. No base image is pulled.

mod context;
pub(crate) mod engine;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell::{build, cargo, output, root, target};

/// Options of `cargo dev images`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Images of the release build: the ones to ship, and to quote sizes of.
    #[arg(long)]
    release: bool,
    /// Only these programs, for example `step-fit`.
    #[arg(value_name = "PROGRAM")]
    only: Vec<String>,
    /// Tag of every image.
    #[arg(long, default_value = "latest")]
    tag: String,
}

/// The program that is not a step.
const ORCHESTRATOR: &str = "mixline";

/// Builds the images on the engine that `docker` talks to, and prints their sizes.
pub(crate) fn run(args: &Args) -> Result<()> {
    engine::answers(None)
        .context("cargo dev images needs a Docker engine; start one or set DOCKER_HOST")?;
    let bin = build(args.release)?;
    let mut names = programs()?;
    if let Some(unknown) = args.only.iter().find(|name| !names.contains(name)) {
        bail!(
            "there is no program `{unknown}`; there are {}",
            names.join(", ")
        );
    }
    names.retain(|name| args.only.is_empty() || args.only.contains(name));
    println!("{:<40} {:>10}", "image", "size");
    for name in names {
        let image = make(&bin, &name, &args.tag, None)?;
        println!("{image:<40} {:>7.1} MB", size(&image, None)? / 1e6);
    }
    Ok(())
}

/// Builds the image of one program; its name.
pub(crate) fn make(bin: &Path, program: &str, tag: &str, host: Option<&str>) -> Result<String> {
    let folder = target()?.join("images").join(program);
    context::stage(&bin.join(program), &folder)?;
    let image = match program {
        ORCHESTRATOR => format!("mixline/orchestrator:{tag}"),
        step => format!("mixline/{step}:{tag}"),
    };
    let mut docker = engine::docker(host);
    docker.args(["build", "--quiet", "--tag", &image]);
    docker.args([
        "--build-arg",
        concat!("VERSION=", env!("CARGO_PKG_VERSION")),
    ]);
    if program != ORCHESTRATOR {
        docker.args(["--build-arg", &format!("STEP={program}")]);
    }
    output(docker.arg("--file").arg(dockerfile(program)).arg(&folder))?;
    Ok(image)
}

/// Tag of the images that tests use: not the one that people do.
const TESTED: &str = "test";

/// Finds or starts an engine, builds every image on it, and tells the tests. `None`, with a word
/// why, on a machine without an engine.
pub(crate) fn tests(bin: &Path, tests: &mut Command) -> Result<Option<engine::Engine>> {
    let Some(engine) = engine::Engine::find()? else {
        return Ok(None);
    };
    for program in programs()? {
        make(bin, &program, TESTED, engine.host.as_deref())?;
    }
    tests.env("MIXLINE_TEST_IMAGES", pattern());
    tests.envs(engine.host.iter().map(|host| ("DOCKER_HOST", host)));
    Ok(Some(engine))
}

/// The images that tests use, `{step}` being the step's name.
pub(crate) fn pattern() -> String {
    format!("mixline/{{step}}:{TESTED}")
}

fn dockerfile(program: &str) -> PathBuf {
    let name = match program {
        ORCHESTRATOR => "orchestrator.Dockerfile",
        _ => "step.Dockerfile",
    };
    root().join("docker").join(name)
}

/// Every program that is shipped: the steps, and `mixline`.
pub(crate) fn programs() -> Result<Vec<String>> {
    let metadata = output(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let is_program = |target: &&Value| target["kind"] == serde_json::json!(["bin"]);
    let names = targets
        .filter(is_program)
        .filter_map(|target| target["name"].as_str());
    let shipped = |name: &&str| name.starts_with("step-") || *name == ORCHESTRATOR;
    let mut names: Vec<String> = names.filter(shipped).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

/// Bytes of an image, all layers.
pub(crate) fn size(image: &str, host: Option<&str>) -> Result<f64> {
    let mut inspect = engine::docker(host);
    inspect.args(["image", "inspect", "--format", "{{.Size}}", image]);
    let size = output(&mut inspect)?;
    size.trim().parse().context("an image's size is a number")
}
