//! `cargo dev`: everything a developer does with this tree, as one command each.

mod airflow;
mod bench;
mod check;
mod demo;
mod deps;
mod generate;
mod history;
mod images;
mod new_step;
mod shell;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Work on Mixline: demo, test, check, generate, deps, new-step, images, bench.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build, make a synthetic world, run daily_ingest on it and show the result.
    Demo(demo::Args),
    /// Build every program and run every test.
    Test(test::Args),
    /// fmt, clippy, rustdoc, dependency rules, generated files, licenses.
    Check,
    /// Write the generated files: JSON Schemas, the catalogue, schema history.
    Generate(generate::Args),
    /// Check who imports whom against the rules of ARCHITECTURE.md.
    Deps,
    /// Make a new step crate that compiles and passes its test.
    NewStep(new_step::Args),
    /// Build an image of every program, from scratch, and print their sizes.
    Images(images::Args),
    /// Print figures beside a peer; never part of the tests.
    Bench(bench::Args),
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Check => check::run(),
        Command::Generate(args) => generate::run(&args),
        Command::Deps => deps::run(),
        Command::NewStep(args) => new_step::run(&args),
        Command::Images(args) => images::run(&args),
        Command::Bench(args) => bench::run(&args),
    }
}
