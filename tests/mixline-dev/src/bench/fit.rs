//! `cargo dev bench fit`: effective draws per CPU second beside nutpie, panels; `bench memory`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use mixline_model::Model;
use mixline_model::fit::{Draws, fit_bayesian};
use mixline_model::posterior::Posterior;
use mixline_numerics::density::LogDensity as _;
use mixline_numerics::diagnostics::{Chains, ess_bulk, rhat};
use mixline_numerics::sampler::Settings;
use mixline_panels::reference::{meridian, national, national_spec};
use mixline_panels::shared;
use mixline_panels::world::{self, Size};
use serde_json::Value;

use super::figure::Figures;
use crate::shell::{output, root};

/// nutpie on the national example, in the same run, as CPU seconds and least bulk ESS.
const NUTPIE: &str = include_str!("nutpie.py");

/// Prints every figure.
pub(super) fn run() -> Result<()> {
    national_example()?;
    panel()?;
    linear()
}

/// Least bulk ESS and greatest R-hat over the sampled parameters.
fn convergence(draws: &Draws) -> Result<(f64, f64)> {
    let mut worst = (f64::INFINITY, 1.0f64);
    for at in 0..draws.width() {
        let chains = Chains::new(draws.parameter(at))?;
        let (ess, r_hat) = (ess_bulk(&chains), rhat(&chains));
        if ess.is_finite() {
            worst = (worst.0.min(ess), worst.1.max(r_hat));
        }
    }
    Ok(worst)
}

/// Seconds of CPU: one thread, so wall time is an upper bound of it.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed().as_secs_f64())
}

fn national_example() -> Result<()> {
    let Some(panel) = national() else {
        return Ok(());
    };
    println!("national example: 179 weeks, 2 channels, 15 parameters, 4 chains × 1000 draws\n");
    println!(
        "{:<44} {:>9} {:>8} {:>7} {:>14}",
        "", "CPU s", "min ESS", "R-hat", "ESS per CPU s"
    );
    let model = Model::new(national_spec(), panel)?;
    let mut rates = Figures::new("ours");
    for seed in 0..10 {
        let settings = Settings {
            seed,
            ..Settings::default()
        };
        let (draws, seconds) = timed(|| fit_bayesian(&model, &settings, |_| true));
        let (ess, r_hat) = convergence(&draws?)?;
        rates.take(|| Ok(ess / seconds))?;
        println!(
            "{:<44} {seconds:>9.3} {ess:>8.0} {r_hat:>7.4} {:>14.0}",
            format!("ours, seed {seed}"),
            ess / seconds
        );
    }
    let ours = rates.median();
    for (name, rate) in peers()? {
        println!(
            "{name:<44} {:>9} {:>8} {:>7} {rate:>14.1}   ours: {:.0} ×",
            "",
            "",
            "",
            ours / rate
        );
    }
    Ok(())
}

/// nutpie's effective draws per CPU second: as recorded with the golden posterior, and run here
/// when the development Python has it.
fn peers() -> Result<Vec<(String, f64)>> {
    let mut peers = Vec::new();
    let recorded = shared::golden("national_results.json");
    if let Some(rate) = recorded
        .as_ref()
        .and_then(|golden| golden["run"]["ess_per_cpu_s"].as_f64())
    {
        peers.push(("nutpie, as recorded with the reference".to_owned(), rate));
    }
    let python = crate::test::python()?;
    let has = Command::new(&python)
        .args(["-c", "import nutpie, pymc"])
        .output()?;
    let Some(csv) =
        shared::file("mmm/pymc-marketing/mmm_example.csv").filter(|_| has.status.success())
    else {
        eprintln!("skipped nutpie in this run: install `nutpie` and `pymc` into target/python");
        return Ok(peers);
    };
    let text = output(Command::new(&python).args(["-c", NUTPIE]).arg(csv))?;
    let found: Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .context("nutpie printed no JSON")?;
    for run in found.as_array().into_iter().flatten() {
        let rate =
            run["ess"].as_f64().unwrap_or(f64::NAN) / run["cpu"].as_f64().unwrap_or(f64::NAN);
        peers.push((
            format!("nutpie in this run, {} tuning draws", run["tune"]),
            rate,
        ));
    }
    Ok(peers)
}

fn panel() -> Result<()> {
    let Some(panel) = meridian(40, true) else {
        return Ok(());
    };
    println!(
        "\nMeridian's 40 geos × 156 weeks, 5 paid channels and an organic one, 4 × 1000 draws\n"
    );
    let mut spec = mixline_model::spec::ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    spec.scaling.outcome.per_capita = true;
    spec.scaling.media.per_capita = true;
    let model = Model::new(spec, panel)?;
    let settings = Settings {
        tune: 300,
        seed: 1,
        ..Settings::default()
    };
    let (draws, seconds) = timed(|| fit_bayesian(&model, &settings, |_| true));
    let draws = draws?;
    let (ess, r_hat) = convergence(&draws)?;
    let divergences: usize = draws
        .statistics
        .iter()
        .map(|own| own.diverging.iter().filter(|d| **d).count())
        .sum();
    println!(
        "{} parameters, {} sampled: {seconds:.1} CPU s, min ESS {ess:.0}, R-hat {r_hat:.4}, {divergences} divergences",
        model.layout.len(),
        model.sampled(),
    );
    Ok(())
}

fn linear() -> Result<()> {
    println!("\none gradient by number of geos (156 weeks, 6 channels)\n");
    println!(
        "{:>6} {:>10} {:>12} {:>14}",
        "geos", "sampled", "µs", "ns per cell"
    );
    for geos in [10, 40, 100, 200] {
        let size = Size {
            geos,
            weeks: 156,
            channels: 6,
            seed: 5,
        };
        let world = world::draw(size);
        let model = Model::new(world.spec, world.panel)?;
        let mut posterior = Posterior::new(&model);
        let at = posterior.start();
        let mut gradient = vec![0.0; at.len()];
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let (value, seconds) = timed(|| posterior.eval(&at, &mut gradient));
            value?;
            best = best.min(seconds);
        }
        let cells = (geos * size.weeks * size.channels) as f64;
        println!(
            "{geos:>6} {:>10} {:>12.0} {:>14.1}",
            model.sampled(),
            best * 1e6,
            best * 1e9 / cells
        );
    }
    Ok(())
}

/// Most memory of the step itself on 200 geos × 20 channels × 200 weeks.
pub(super) fn memory(bin: &Path) -> Result<()> {
    println!("\nstep-fit on 200 geos × 20 channels × 200 weeks, 4 chains × 1000 draws\n");
    let folder = root().join("target/bench-fit");
    std::fs::create_dir_all(&folder)?;
    let design = folder.join("design.csv");
    let world = world::draw(Size {
        geos: 200,
        weeks: 200,
        channels: 20,
        seed: 9,
    });
    write_design(&design, &world.panel)?;
    let mut command = Command::new(bin.join("step-fit"));
    command.args(["run", "--seed", "1"]);
    for setting in [
        "tune=150",
        "netcdf=false",
        "model.scaling.outcome.method.fixed=1000.0",
        "model.scaling.media.method.fixed=100.0",
    ] {
        command.args(["--set", setting]);
    }
    command
        .arg("--in")
        .arg(format!("design={}", design.display()));
    command.arg("--out-dir").arg(folder.join("out"));
    let text = output(&mut command)?;
    let result: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    println!(
        "{:.0} s, {:.0} MiB at most; {}",
        result["seconds"].as_f64().unwrap_or(f64::NAN),
        result["peak_rss_mib"].as_f64().unwrap_or(f64::NAN),
        result["checks"],
    );
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn write_design(path: &Path, panel: &mixline_model::panel::Panel) -> Result<()> {
    use std::io::Write as _;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "date,geo,role,variable,value,unit,split")?;
    for (g, geo) in panel.geos.iter().enumerate() {
        for (t, date) in panel.dates.iter().enumerate() {
            let at = g * panel.periods() + t;
            writeln!(
                file,
                "{date},{geo},outcome,revenue,{},EUR,train",
                panel.outcome[at]
            )?;
            for channel in &panel.channels {
                let (name, media) = (&channel.name, channel.media[at]);
                writeln!(file, "{date},{geo},media,{name},{media},EUR,train")?;
                writeln!(file, "{date},{geo},spend,{name},{media},EUR,train")?;
            }
        }
    }
    Ok(())
}
