//! `cargo dev bench`: figures, printed, never asserted. Machines are noisy; read ratios.

mod attribution;
mod containers;
mod figure;
mod fit;
mod ingest;
mod orchestration;
mod plan;
mod soak;
mod truth;

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
    /// Worlds of `truth`.
    #[arg(long, default_value_t = 200)]
    worlds: u64,
    /// Rows of the generated file of `ingest`.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Journeys of `attribution` that the peer gets too.
    #[arg(long, default_value_t = 10_000_000)]
    journeys: u64,
    /// Further numbers of journeys of `attribution`, for the cost by size.
    #[arg(long, value_delimiter = ',', default_value = "1000000")]
    sizes: Vec<u64>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Chained no-op step processes with durable state, the same again reused, and large plans.
    Orchestration,
    /// Containers beside processes: starting, describing, sizes of all images.
    Containers,
    /// A generated CSV to a committed artifact, beside DuckDB's COPY to Parquet.
    Ingest,
    /// Effective draws per CPU second beside nutpie, panels, one gradient by geos.
    Fit,
    /// Budget plans of 10 to 1000 channels beside SciPy's SLSQP, and a what-if.
    Plan,
    /// Touches to credit by channel in one pass, beside ChannelAttribution.
    Attribution,
    /// Most memory of `step-fit` on a large panel.
    Memory,
    /// A day of a DAG that runs every minute, with time compressed: memory, database, windows.
    Soak,
    /// Coverage of ROAS intervals on worlds whose truth is known.
    Truth,
}

/// Runs one bench and prints its figures.
pub(crate) fn run(args: &Args) -> Result<()> {
    match args.what {
        What::Truth => return truth::run(args.worlds),
        What::Plan => return plan::run(),
        What::Soak => return soak::run(),
        _ => {}
    }
    let bin = build(args.release)?;
    match args.what {
        What::Truth | What::Plan | What::Soak => Ok(()),
        What::Fit => fit::run(),
        What::Memory => fit::memory(&bin),
        What::Containers => containers::run(&bin),
        What::Orchestration => orchestration::run(&bin),
        What::Ingest => ingest::run(&bin, args.rows),
        What::Attribution => attribution::run(&bin, args.journeys, &args.sizes),
    }
}
