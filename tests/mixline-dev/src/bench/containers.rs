//! What a container costs beside a process: starting, describing, and room on a disk.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::bench::figure::Figures;
use crate::bench::orchestration::Project;
use crate::images::{self, engine::Engine};
use crate::shell::output;

/// Tasks of the chain that is run as processes and as containers.
const TASKS: usize = 10;
/// Times each figure is taken.
const TIMES: usize = 5;
/// Tag of the images, so that nobody's are overwritten.
const TAG: &str = "bench";

/// Start time of `describe`, a chain of no-op tasks both ways, and sizes of all images.
pub(crate) fn run(bin: &Path) -> Result<()> {
    describe(bin)?;
    let Some(engine) = Engine::find()? else {
        return Ok(());
    };
    let host = engine.host.as_deref();
    images::make(bin, "step-noop", TAG, host)?;
    chain(bin, host)?;
    println!("\n{:<44} {:>9}", "image", "size");
    for program in images::programs()? {
        let image = images::make(bin, &program, TAG, host)?;
        println!("{image:<44} {:>6.1} MB", images::size(&image, host)? / 1e6);
    }
    Ok(())
}

/// The slowest step decides: every plan of a new build asks all of them.
fn describe(bin: &Path) -> Result<()> {
    println!("{:<44} {:>9} {:>9}", "", "median", "best");
    for program in images::programs()? {
        if !program.starts_with("step-") {
            continue;
        }
        let mut figures = Figures::new(&format!("{program} describe"));
        for _ in 0..TIMES * 4 {
            figures.take(|| {
                let started = Instant::now();
                output(Command::new(bin.join(&program)).arg("describe"))?;
                Ok(started.elapsed().as_secs_f64())
            })?;
        }
        figures.print_milliseconds();
    }
    Ok(())
}

fn chain(bin: &Path, host: Option<&str>) -> Result<()> {
    let contained =
        format!("executor = \"container\"\n[container]\nimage = \"mixline/{{step}}:{TAG}\"\n");
    for (label, more) in [
        (format!("run: {TASKS} no-op tasks as processes"), ""),
        (
            format!("run: {TASKS} no-op tasks as containers"),
            &contained,
        ),
    ] {
        let mut figures = Figures::new(&label);
        for _ in 0..TIMES {
            let project = Project::with(bin, TASKS, more)?;
            project.open_to_nobody()?;
            figures.take(|| project.mixline(&["run", "chain"], host))?;
        }
        figures.print_milliseconds();
    }
    Ok(())
}
