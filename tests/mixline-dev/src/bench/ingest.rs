//! A large CSV to a committed artifact, beside DuckDB's `COPY` to Parquet on the same file.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell::output;
use crate::test::python;

/// Generates the file, reads it with both, prints wall time and peak memory.
pub(crate) fn run(bin: &Path, rows: u64) -> Result<()> {
    let python = python()?;
    let folder = tempfile::tempdir().context("no scratch folder")?;
    let raw = folder.path().join("data/raw");
    std::fs::create_dir_all(&raw)?;
    let file = raw.join("meta_big.csv");
    generate(&file, rows)?;
    let megabytes = file.metadata()?.len() as f64 / 1e6;
    println!("{rows} rows, {megabytes:.0} MB");
    let ours = mixline(bin, folder.path())?;
    let theirs = duckdb(&python, &file, folder.path())?;
    println!(
        "{:<28} {:>8.2} s {:>8.0} MiB",
        "step-ingest, committed", ours.0, ours.1
    );
    println!(
        "{:<28} {:>8.2} s {:>8.0} MiB",
        "DuckDB COPY to Parquet", theirs.0, theirs.1
    );
    println!("{:<28} {:>8.2} ×", "ratio of wall time", ours.0 / theirs.0);
    Ok(())
}

/// Days × campaigns × ads, in the shape of a Meta Ads Manager export.
fn generate(path: &Path, rows: u64) -> Result<()> {
    const ADS: u64 = 50;
    const CAMPAIGNS: u64 = 100;
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "Day,Campaign name,Ad set name,Ad name,Amount spent (EUR),Impressions,Link clicks"
    )?;
    let first = chrono::NaiveDate::from_ymd_opt(2015, 1, 1).context("a day")?;
    let mut line = String::new();
    for i in 0..rows {
        let day = first + chrono::Days::new(i / (ADS * CAMPAIGNS));
        let (campaign, ad) = (i / ADS % CAMPAIGNS, i % ADS);
        // A cheap scramble: values that differ, the same on every machine.
        let noise = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let (spend, impressions) = (noise % 100_000, noise % 20_000);
        line.clear();
        writeln!(
            line,
            "{day},Campaign {campaign},Set {},Ad {ad},{}.{:02},{impressions},{}",
            ad % 7,
            spend / 100,
            spend % 100,
            impressions / 50,
        )?;
        file.write_all(line.as_bytes())?;
    }
    Ok(file.flush()?)
}

const SOURCE: &str =
    "name = \"meta\"\nkind = \"meta_ads\"\nfiles = [\"meta_big.csv\"]\nchannel = \"meta\"\n";

/// Wall seconds and peak MiB of `step-ingest`.
fn mixline(bin: &Path, project: &Path) -> Result<(f64, f64)> {
    std::fs::create_dir_all(project.join("sources"))?;
    std::fs::create_dir_all(project.join(".mixline"))?;
    std::fs::write(project.join("sources/meta.toml"), SOURCE)?;
    std::fs::write(project.join(".mixline/hash.key"), "00".repeat(32))?;
    let started = Instant::now();
    let mut command = Command::new(bin.join("step-ingest"));
    command.args([
        "run",
        "--store",
        "./store",
        "--set",
        "sources=[\"sources\"]",
    ]);
    let stdout = output(command.current_dir(project))?;
    let seconds = started.elapsed().as_secs_f64();
    let result: Value = serde_json::from_str(stdout.lines().last().unwrap_or_default())?;
    Ok((seconds, result["peak_rss_mib"].as_f64().unwrap_or(f64::NAN)))
}

const COPY: &str = "import duckdb, resource, sys\n\
    duckdb.sql(f\"copy (select * from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}' (format parquet)\")\n\
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n";

/// Wall seconds and peak MiB of DuckDB.
fn duckdb(python: &Path, file: &Path, folder: &Path) -> Result<(f64, f64)> {
    let started = Instant::now();
    let out = folder.join("duck.parquet");
    let stdout = output(Command::new(python).args(["-c", COPY]).arg(file).arg(out))?;
    Ok((started.elapsed().as_secs_f64(), stdout.trim().parse()?))
}
