//! `cargo dev bench`: figures, printed, never asserted. Machines are noisy; read ratios.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::shell::{build, output};

/// Options of `cargo dev bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which bench.
    #[arg(value_enum, default_value = "orchestration")]
    what: What,
    /// Use the release build (slow to make, the one to quote).
    #[arg(long)]
    release: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// 40 chained no-op step processes with durable state, then the same again, all reused.
    Orchestration,
}

/// Runs one bench and prints its figures.
pub(crate) fn run(args: &Args) -> Result<()> {
    let bin = build(args.release)?;
    match args.what {
        What::Orchestration => orchestration(&bin),
    }
}

const CHAIN: usize = 40;

fn orchestration(bin: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("no scratch folder")?;
    std::fs::create_dir_all(folder.path().join("dags"))?;
    std::fs::write(folder.path().join("dags/chain.toml"), chain_dag(CHAIN))?;
    let steps = toml::Value::from(bin.display().to_string());
    std::fs::write(folder.path().join("mixline.toml"), format!("steps = [{steps}]\n"))?;
    let timed = |label: &str, args: &[&str]| -> Result<()> {
        let started = Instant::now();
        output(Command::new(bin.join("mixline")).args(args).current_dir(folder.path()))?;
        println!("{label:<48} {:>8.0} ms", started.elapsed().as_secs_f64() * 1e3);
        Ok(())
    };
    timed(&format!("run: {CHAIN} chained no-op step processes"), &["run", "chain"])?;
    timed("run again: every task reused", &["run", "chain"])?;
    timed("plan only: every task reused", &["plan", "chain"])
}

/// `noop_00 → noop_01 → …`, each a process that reads its predecessor's artifact.
fn chain_dag(tasks: usize) -> String {
    let mut dag = String::from("name = \"chain\"\n");
    for i in 0..tasks {
        dag += &format!("\n[tasks.noop_{i:02}]\nstep = \"step-noop\"\noutputs = {{ out = \"noop_{i:02}\" }}\n");
        if i > 0 {
            dag += &format!("inputs = {{ input = \"noop_{:02}\" }}\n", i - 1);
        }
    }
    dag
}
