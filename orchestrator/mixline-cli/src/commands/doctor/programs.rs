//! What tasks run: step binaries, and images that the container engine has.

use std::collections::{BTreeMap, BTreeSet};

use mixline_run::{Engine, RunError};

use super::Check;
use crate::commands::step;
use crate::failure::{Outcome, one_line};

/// What the pipelines of a project ask for.
pub(super) struct Used {
    /// Steps that run as processes.
    processes: BTreeSet<String>,
    /// Image → step that runs in it.
    images: BTreeMap<String, String>,
}

impl Used {
    /// Looks through every pipeline that can be read.
    pub(super) fn of(engine: &Engine) -> Outcome<Self> {
        let (mut processes, mut images) = (BTreeSet::new(), BTreeMap::new());
        let dags = engine.dags()?;
        for dag in dags.iter().filter_map(|name| engine.load_dag(name).ok()) {
            for task in dag.tasks.values() {
                match engine.image_of(task) {
                    Some(image) => drop(images.insert(image, task.step.clone())),
                    None => drop(processes.insert(task.step.clone())),
                }
            }
        }
        Ok(Self { processes, images })
    }
}

/// The step binaries: whether all that are there describe themselves, and none is missed.
pub(super) async fn steps(engine: &Engine, used: &Used) -> Check {
    let binaries = step::binaries(engine);
    if binaries.is_empty() {
        return no_steps(engine, used);
    }
    let mut broken = Vec::new();
    for (_, path) in &binaries {
        if let Err(error) = engine.describe(path).await {
            broken.push(one_line(&error));
        }
    }
    match broken.is_empty() {
        true => Check::ok(
            "steps",
            format!("{} found, all describe themselves", binaries.len()),
        ),
        false => Check::fail(
            "steps",
            broken.join("; "),
            "`mixline step verify` says more",
        ),
    }
}

fn no_steps(engine: &Engine, used: &Used) -> Check {
    if used.processes.is_empty() && !used.images.is_empty() {
        return Check::ok("steps", "no binaries; every task runs as a container");
    }
    let folders = engine.project().steps.iter();
    let folders = folders.map(|folder| folder.display().to_string());
    let seen = format!("none in {}", folders.collect::<Vec<_>>().join(", "));
    Check::fail(
        "steps",
        seen,
        "name their folder under `steps` in mixline.toml",
    )
}

/// The images: whether the engine has them, they hold the steps they are named for, and those are
/// the steps that would run as processes.
pub(super) async fn images(engine: &Engine, used: &Used) -> Check {
    if used.images.is_empty() {
        return Check::ok("images", "no task runs as a container");
    }
    let (mut broken, mut other) = (Vec::new(), Vec::new());
    for (image, step) in &used.images {
        match compared(engine, image, step).await {
            Ok(None) => {}
            Ok(Some(difference)) => other.push(difference),
            Err(error) => broken.push(one_line(&error)),
        }
    }
    if !broken.is_empty() {
        let advice = "build them with `cargo dev images --release`, or pull them; tasks cannot run \
                      without";
        return Check::fail("images", broken.join("; "), advice);
    }
    if !other.is_empty() {
        let advice = "containers run what is in the image; build or pull it again, or name another \
                      under `[container] image`";
        return Check::warn("images", other.join("; "), advice);
    }
    let seen = format!("{} used, all describe themselves", used.images.len());
    Check::ok("images", seen)
}

/// How the step in an image differs from the one it is used as.
async fn compared(engine: &Engine, image: &str, step: &str) -> Result<Option<String>, RunError> {
    let inside = engine.describe_image(image).await?.descriptor;
    if inside.name != step {
        return Ok(Some(format!("{image} holds {}, not {step}", inside.name)));
    }
    let Ok(binary) = engine.find_step(step) else {
        return Ok(None);
    };
    let outside = engine.describe(&binary).await?.descriptor;
    let same = inside.code_version == outside.code_version;
    Ok((!same).then(|| {
        format!(
            "{image} is version {}, the binary {}",
            inside.code_version, outside.code_version
        )
    }))
}
