//! Touches to credit by channel, beside ChannelAttribution on the paths of the same journeys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::shell::{self, output, root, target};

/// The peer, and what it needs.
const PEER: [&str; 3] = ["ChannelAttribution==2.2.5", "pandas", "matplotlib"];
const SCRIPT: &str = include_str!("channelattribution.py");

/// What one pass of ours prints.
#[derive(Debug, Deserialize)]
struct Ours {
    journeys: u64,
    touches: f64,
    seconds: f64,
    peak_mib: f64,
    conversions: Credit,
}

/// What the peer prints.
#[derive(Debug, Deserialize)]
struct Theirs {
    seconds: BTreeMap<String, f64>,
    peak_mib: f64,
    conversions: Credit,
}

type Credit = BTreeMap<String, BTreeMap<String, f64>>;

/// Worlds of several sizes for the cost by size, and the peer on the one of `journeys`.
pub(crate) fn run(bin: &Path, journeys: u64, sizes: &[u64]) -> Result<()> {
    let python = peer()?;
    let folder = tempfile::tempdir().context("no scratch folder")?;
    println!(
        "{:>12} {:>13} {:>10} {:>16} {:>12}",
        "journeys", "touches", "seconds", "touches / second", "peak memory"
    );
    let mut all = sizes.to_vec();
    all.push(journeys);
    all.sort_unstable();
    all.dedup();
    for size in all {
        let paths = folder.path().join("paths.csv");
        let compared = size == journeys;
        let store = folder.path().join("store");
        generate(bin, &store, size, compared.then_some(paths.as_path()))?;
        let ours = survey(bin, &store)?;
        println!(
            "{:>12} {:>13.0} {:>8.1} s {:>16.0} {:>8.0} MiB",
            ours.journeys,
            ours.touches,
            ours.seconds,
            ours.touches / ours.seconds,
            ours.peak_mib
        );
        std::fs::remove_dir_all(&store)?;
        if compared {
            compare(&ours, &channel_attribution(&python, &paths)?);
            std::fs::remove_file(&paths)?;
        }
    }
    Ok(())
}

fn generate(bin: &Path, store: &Path, journeys: u64, paths: Option<&Path>) -> Result<()> {
    let mut command = Command::new(bin.join("mixline-journeys"));
    command.arg("generate").arg("--store").arg(store);
    command.args(["--journeys", &journeys.to_string()]);
    if let Some(paths) = paths {
        command.arg("--paths").arg(paths);
    }
    output(&mut command).map(drop)
}

fn survey(bin: &Path, store: &Path) -> Result<Ours> {
    let mut command = Command::new(bin.join("mixline-journeys"));
    let printed = output(command.arg("survey").arg("--store").arg(store))?;
    Ok(serde_json::from_str(&printed)?)
}

fn channel_attribution(python: &Path, paths: &Path) -> Result<Theirs> {
    let mut command = Command::new(python);
    let printed = output(command.args(["-c", SCRIPT]).arg(paths))?;
    Ok(serde_json::from_str(
        printed.lines().last().unwrap_or_default(),
    )?)
}

/// Prints both, and by how much the results differ.
fn compare(ours: &Ours, theirs: &Theirs) {
    let all: f64 = theirs.seconds.values().sum();
    let parts: Vec<String> = theirs
        .seconds
        .iter()
        .map(|(name, seconds)| format!("{name} {seconds:.1} s"))
        .collect();
    println!(
        "ChannelAttribution on the same paths, read already: {all:.1} s ({}), {:.0} MiB: {:.1} × ours",
        parts.join(", "),
        theirs.peak_mib,
        all / ours.seconds
    );
    let names = [
        ("first_touch", "first_touch"),
        ("last_touch", "last_touch"),
        ("linear", "linear_touch"),
        ("markov_1", "markov_1"),
        ("markov_2", "markov_2"),
        ("markov_3", "markov_3"),
    ];
    for (name, peer) in names {
        let (Some(one), Some(other)) = (ours.conversions.get(name), theirs.conversions.get(peer))
        else {
            continue;
        };
        let off = other.iter().map(|(channel, credit)| {
            let found = one.get(channel).copied().unwrap_or(f64::NAN);
            ((found - credit) / credit).abs()
        });
        println!(
            "  {name:<12} largest relative difference {:.1e}",
            off.fold(0.0, f64::max)
        );
    }
}

/// A virtual environment with the peer, made once under the target folder.
fn peer() -> Result<PathBuf> {
    let folder = target()?.join("channelattribution");
    let python = folder.join("bin/python");
    let marker = folder.join("installed");
    if marker.exists() {
        return Ok(python);
    }
    let mut venv = Command::new("python3");
    shell::run(venv.args(["-m", "venv"]).arg(&folder).current_dir(root()))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    shell::run(pip.args(PEER))?;
    std::fs::write(&marker, PEER.join(" ")).context("the environment could not be marked")?;
    Ok(python)
}
