//! `cargo dev bench`: figures, printed, never asserted. Machines are noisy; read ratios.

mod figure;
mod ingest;
mod orchestration;

use anyhow::Result;

use crate::shell::build;

/// Options of `cargo dev bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which bench.
    #[arg(value_enum, default_value = "orchestration")]
    what: What,
    /// Use the release build (slow to make, the one to quote).
    #[arg(long)]
    release: bool,
    /// Rows of the generated file of `ingest`.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Chained no-op step processes with durable state, the same again reused, and large plans.
    Orchestration,
    /// A generated CSV to a committed artifact, beside DuckDB's COPY to Parquet.
    Ingest,
}

/// Runs one bench and prints its figures.
pub(crate) fn run(args: &Args) -> Result<()> {
    let bin = build(args.release)?;
    match args.what {
        What::Orchestration => orchestration::run(&bin),
        What::Ingest => ingest::run(&bin, args.rows),
    }
}
