//! Worlds of journeys for benches: `generate` writes one to a store, `survey` attributes it.
//!
//! `cargo dev bench attribution` calls both, each in a process of its own, so that peak memory is
//! what one of them needs.

mod generate;
mod survey;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

/// Worlds of journeys for benches.
#[derive(Debug, Parser)]
enum Command {
    /// Writes `touchpoints` and `orders` to a store, and the paths of the same journeys as CSV.
    Generate {
        /// Folder of the store.
        #[arg(long)]
        store: PathBuf,
        /// Journeys.
        #[arg(long)]
        journeys: u64,
        /// Where the paths go: path, conversions, value, nulls.
        #[arg(long)]
        paths: Option<PathBuf>,
    },
    /// Sessionizes the touches and applies all rules and chains of order 1 to 3, in one pass; prints
    /// figures as JSON.
    Survey {
        /// Folder of the store.
        #[arg(long)]
        store: PathBuf,
    },
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let figures = match Command::parse() {
        Command::Generate {
            store,
            journeys,
            paths,
        } => runtime.block_on(generate::run(&store, journeys, paths.as_deref()))?,
        Command::Survey { store } => runtime.block_on(survey::run(&store))?,
    };
    println!("{figures}");
    Ok(())
}

/// The most memory this process ever held, in MiB; as Linux tells it.
fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.map_or(f64::NAN, |kibibytes| kibibytes / 1024.0)
}
