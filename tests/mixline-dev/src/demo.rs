//! `cargo dev demo`: from a clean clone to a table of channels, in one command.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell::{build, output, root, run as run_command};

/// Options of `cargo dev demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Days of the synthetic world.
    #[arg(long, default_value_t = 730)]
    days: u32,
    /// Seed of the synthetic world.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Builds, makes a world in `demo/`, runs the pipeline on it, and shows the channels.
pub(crate) fn run(args: &Args) -> Result<()> {
    let bin = build(false)?;
    let demo = root().join("demo");
    if demo.exists() {
        std::fs::remove_dir_all(&demo).context("could not clear the last demo")?;
    }
    let mixline = |args: &[&str]| {
        let mut command = Command::new(bin.join("mixline"));
        command.args(args).current_dir(root());
        command
    };
    run_command(&mut mixline(&["init", "demo"]))?;
    eprintln!(
        "\n\u{2460} a synthetic world of {} days, whose truth is known",
        args.days
    );
    let (days, seed) = (format!("days={}", args.days), args.seed.to_string());
    let synthesize = ["--project", "demo", "step", "run", "step-synthesize", "--"];
    let options = ["--set", &days, "--seed", &seed];
    output(&mut mixline(&[&synthesize[..], &options[..]].concat()))?;
    eprintln!("\n\u{2461} the daily pipeline on its export files");
    let started = Instant::now();
    run_command(&mut mixline(&["--project", "demo", "run", "daily_ingest"]))?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("\n\u{2462} the weekly mix model on what the daily pipeline has written");
    let started = Instant::now();
    run_command(&mut mixline(&[
        "--project",
        "demo",
        "run",
        "weekly_retrain",
    ]))?;
    let weekly = started.elapsed().as_secs_f64();
    eprintln!("\n\u{2463} the plan for the coming weeks, recommendations, and the report");
    run_command(&mut mixline(&[
        "--project",
        "demo",
        "run",
        "weekly_optimize",
    ]))?;
    println!("\nWhat each channel brought in ({seconds:.1} s a day, {weekly:.1} s a week)\n");
    let model = model_by_channel(&export(&demo, &mixline, "mmm_results")?);
    let rows = channels(&export(&demo, &mixline, "unified_daily_metrics")?);
    let truth = truth_by_channel(&export(&demo, &mixline, "truth_daily")?);
    print_channels(&rows, &model, &truth);
    print_paths();
    let report = demo.join("report.html");
    let to = report.display().to_string();
    output(&mut mixline(&[
        "--project",
        "demo",
        "artifact",
        "export",
        "report",
        "--to",
        &to,
    ]))?;
    println!("\nOpen the report:  demo/report.html");
    Ok(())
}

fn export(demo: &Path, mixline: &dyn Fn(&[&str]) -> Command, artifact: &str) -> Result<Vec<Value>> {
    let file = demo.join(format!("{artifact}.json"));
    let to = file.display().to_string();
    output(&mut mixline(&[
        "--project",
        "demo",
        "artifact",
        "export",
        artifact,
        "--to",
        &to,
    ]))?;
    let text = std::fs::read_to_string(&file)?;
    serde_json::from_str(&text).with_context(|| format!("{artifact}.json is not a JSON array"))
}

/// Sums of one channel.
#[derive(Debug, Default)]
struct Sums {
    spend: f64,
    revenue: f64,
}

fn channels(rows: &[Value]) -> BTreeMap<String, Sums> {
    let mut channels: BTreeMap<String, Sums> = BTreeMap::new();
    for row in rows {
        let sums = channels
            .entry(row["channel"].as_str().unwrap_or("?").to_owned())
            .or_default();
        sums.spend += row["spend"].as_f64().unwrap_or(0.0);
        sums.revenue += row["attributed_revenue"].as_f64().unwrap_or(0.0);
    }
    channels
}

fn truth_by_channel(rows: &[Value]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let sum = sums
            .entry(row["channel"].as_str().unwrap_or("?").to_owned())
            .or_default();
        sum.0 += row["contribution"].as_f64().unwrap_or(0.0);
        sum.1 += row["spend"].as_f64().unwrap_or(0.0);
    }
    let roas = |(channel, (revenue, spend))| (spend > 0.0).then_some((channel, revenue / spend));
    sums.into_iter().filter_map(roas).collect()
}

/// ROAS of the mix model: 5 %, 50 % and 95 % quantiles.
fn model_by_channel(rows: &[Value]) -> BTreeMap<String, [f64; 3]> {
    let quantile = |row: &Value, key: &str| row[key].as_f64();
    let one = |row: &Value| {
        let channel = row["channel"].as_str()?.to_owned();
        let [low, middle, high] =
            ["roas_q05", "roas_q50", "roas_q95"].map(|key| quantile(row, key));
        Some((channel, [low?, middle?, high?]))
    };
    rows.iter().filter_map(one).collect()
}

fn print_channels(
    channels: &BTreeMap<String, Sums>,
    model: &BTreeMap<String, [f64; 3]>,
    truth: &BTreeMap<String, f64>,
) {
    println!(
        "{:<12} {:>14} {:>20} {:>15} {:>24} {:>10}",
        "channel",
        "spend",
        "attributed revenue",
        "attributed ROAS",
        "mix model ROAS (90 %)",
        "true ROAS"
    );
    for (channel, sums) in channels {
        let ratio = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.2}"));
        println!(
            "{channel:<12} {:>14} {:>20} {:>15} {:>24} {:>10}",
            grouped(sums.spend),
            grouped(sums.revenue),
            ratio((sums.spend > 0.0).then(|| sums.revenue / sums.spend)),
            model
                .get(channel)
                .map_or("–".to_owned(), |[low, middle, high]| {
                    format!("{middle:.2} ({low:.2} to {high:.2})")
                }),
            ratio(truth.get(channel).copied()),
        );
    }
    println!(
        "\nTrue ROAS is what the world was made with. Attribution alone does not find it; the"
    );
    println!("mix model says how sure it is: `mixline --project demo artifact show model_checks`.");
}

/// `1234567.8` as `1,234,568`.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < -0.5 { format!("-{out}") } else { out }
}

fn print_paths() {
    println!("\nWhere things are");
    for (path, what) in [
        (
            "demo/store/",
            "every artifact as a Delta table: Spark, polars, DuckDB read it",
        ),
        (
            "demo/data/raw/",
            "the export files the world was written to",
        ),
        ("demo/dags/", "the daily and the weekly pipeline"),
        (
            "demo/unified_daily_metrics.json",
            "the table behind the figures above",
        ),
    ] {
        println!("  {path:<34} {what}");
    }
    println!("\nNext:  mixline --project demo runs");
    println!("       mixline --project demo why daily_ingest");
    println!("       mixline --project demo artifact show mmm_results");
    println!("       mixline --project demo model list");
}
