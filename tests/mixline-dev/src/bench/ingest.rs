//! A large CSV to a committed artifact, beside DuckDB's `COPY` to Parquet on the same file.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::bench::figure::Figures;
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
    let (mut ours, mut theirs) = (Peak::new("step-ingest"), Peak::new("DuckDB"));
    // Turn by turn, so that a noisy neighbor disturbs both.
    for _ in 0..TIMES {
        ours.take(mixline(bin, folder.path())?);
        theirs.take(duckdb(&python, &file, folder.path())?);
    }
    println!(
        "{:<28} {:>9} {:>9} {:>12}",
        "", "median", "best", "peak memory"
    );
    ours.print("step-ingest, committed");
    theirs.print("DuckDB COPY to Parquet");
    let ratio = |of: fn(&Figures) -> f64| of(&ours.seconds) / of(&theirs.seconds);
    println!(
        "{:<28} {:>7.2} × {:>7.2} ×",
        "ratio",
        ratio(Figures::median),
        ratio(Figures::best)
    );
    Ok(())
}

/// Times each program reads the file.
const TIMES: usize = 5;

/// Seconds, and the most memory ever held.
struct Peak {
    seconds: Figures,
    mebibytes: f64,
}

impl Peak {
    fn new(label: &str) -> Self {
        Self {
            seconds: Figures::new(label),
            mebibytes: 0.0,
        }
    }

    fn take(&mut self, (seconds, mebibytes): (f64, f64)) {
        let _ = self.seconds.take(|| Ok(seconds));
        self.mebibytes = self.mebibytes.max(mebibytes);
    }

    fn print(&self, label: &str) {
        let (median, best) = (self.seconds.median(), self.seconds.best());
        println!(
            "{label:<28} {median:>7.2} s {best:>7.2} s {:>8.0} MiB",
            self.mebibytes
        );
    }
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
    // Each time from nothing.
    let store = project.join("store");
    if store.exists() {
        std::fs::remove_dir_all(&store)?;
    }
    let started = Instant::now();
    let mut command = Command::new(bin.join("step-ingest"));
    command.args(["run", "--store", "./store"]);
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
    Ok((
        started.elapsed().as_secs_f64(),
        stdout.lines().last().unwrap_or_default().trim().parse()?,
    ))
}
