//! What the orchestrator itself costs: processes that do nothing, and plans that run nothing.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::shell::output;

const CHAIN: usize = 40;

/// 40 chained no-op processes, the same again reused, and the plan alone.
pub(crate) fn run(bin: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("no scratch folder")?;
    std::fs::create_dir_all(folder.path().join("dags"))?;
    std::fs::write(folder.path().join("dags/chain.toml"), chain_dag(CHAIN))?;
    let steps = toml::Value::from(bin.display().to_string());
    std::fs::write(
        folder.path().join("mixline.toml"),
        format!("steps = [{steps}]\n"),
    )?;
    let timed = |label: &str, args: &[&str]| -> Result<()> {
        let started = Instant::now();
        output(
            Command::new(bin.join("mixline"))
                .args(args)
                .current_dir(folder.path()),
        )?;
        println!(
            "{label:<48} {:>8.0} ms",
            started.elapsed().as_secs_f64() * 1e3
        );
        Ok(())
    };
    timed(
        &format!("run: {CHAIN} chained no-op step processes"),
        &["run", "chain"],
    )?;
    timed("run again: every task reused", &["run", "chain"])?;
    timed("plan only: every task reused", &["plan", "chain"])
}

/// `noop_00 → noop_01 → …`, each a process that reads its predecessor's artifact.
fn chain_dag(tasks: usize) -> String {
    let mut dag = String::from("name = \"chain\"\n");
    for i in 0..tasks {
        dag += &format!(
            "\n[tasks.noop_{i:02}]\nstep = \"step-noop\"\noutputs = {{ out = \"noop_{i:02}\" }}\n"
        );
        if i > 0 {
            dag += &format!("inputs = {{ input = \"noop_{:02}\" }}\n", i - 1);
        }
    }
    dag
}
