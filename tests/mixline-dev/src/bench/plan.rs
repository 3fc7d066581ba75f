//! `cargo dev bench plan`: budget plans over 4000 draws beside SciPy's SLSQP, and a what-if.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use mixline_model::Model;
use mixline_model::fit::Draws;
use mixline_model::kernel::{AdstockKind, SaturationKind};
use mixline_model::plan::{
    Goal, Horizon, Plan, PlanSpec, Simulator, Surface, Utility, best, best_spend,
};
use mixline_numerics::random::{Stream, standard_normal, stream, uniform};
use mixline_panels::world::{self, Size};
use serde_json::Value;

use crate::shell::output;

/// The same problem through `scipy.optimize.minimize`, method SLSQP, with exact gradients.
const SLSQP: &str = include_str!("slsqp.py");
const DRAWS: usize = 4000;
/// Seconds that SLSQP may take.
const LIMIT: u64 = 100;

/// Prints every figure.
pub(super) fn run() -> Result<()> {
    let python = crate::test::python()?;
    let has = Command::new(&python)
        .args(["-c", "import scipy"])
        .output()?;
    let python = has.status.success().then_some(python);
    if python.is_none() {
        eprintln!("skipped SLSQP: install `scipy` into target/python");
    }
    println!("one period, {DRAWS} draws, total fixed at current spend, every channel ±90 %\n");
    println!(
        "{:<10} {:>8} {:>11} {:>14} {:>12} {:>14} {:>12} {:>14} {:>12}",
        "curves",
        "channels",
        "ours, ms",
        "with intervals",
        "gap",
        "objective",
        "SLSQP, ms",
        "its objective",
        "short by"
    );
    for (kind, sizes) in [
        (SaturationKind::Logistic, &[10, 100, 1000][..]),
        (SaturationKind::Hill, &[10, 100, 1000]),
    ] {
        for &channels in sizes {
            allocate(kind, channels, python.as_deref())?;
        }
    }
    what_if()
}

/// A model of so many channels, with draws around plausible values.
fn problem(kind: SaturationKind, channels: usize, weeks: usize) -> Result<(Model, Draws)> {
    let size = Size {
        geos: 1,
        weeks,
        channels,
        seed: 17,
    };
    let world = world::draw(size);
    let mut spec = world.spec;
    spec.media.saturation = kind;
    if weeks < 100 {
        spec.media.adstock = AdstockKind::None;
    }
    let model = Model::new(spec, world.panel)?;
    let mut rng = stream(23, 1);
    let centres: Vec<f64> = model
        .layout
        .labels()
        .iter()
        .map(|label| centre(label, &mut rng))
        .collect();
    let row = |rng: &mut Stream| -> Vec<f64> {
        let noisy = |centre: &f64| centre * libm_exp(0.15 * standard_normal(rng));
        centres.iter().map(noisy).collect()
    };
    let rows: Vec<f64> = (0..DRAWS).flat_map(|_| row(&mut rng)).collect();
    let draws = Draws {
        labels: model.layout.labels(),
        chains: vec![rows],
        statistics: Vec::new(),
        warmup: None,
        evaluations: 0,
    };
    Ok((model, draws))
}

fn libm_exp(x: f64) -> f64 {
    mixline_numerics::lanes::exp(x)
}

/// A plausible value of a parameter.
fn centre(label: &str, rng: &mut Stream) -> f64 {
    let (low, high) = match label.split('[').next().unwrap_or(label) {
        "saturation_beta" => (0.1, 0.5),
        "saturation_lam" => (1.0, 6.0),
        "saturation_slope" => (1.0, 3.0),
        "saturation_kappa" => (0.3, 1.5),
        "adstock_alpha" => (0.2, 0.6),
        _ => (0.5, 1.0),
    };
    low + (high - low) * uniform(rng)
}

fn allocate(kind: SaturationKind, channels: usize, python: Option<&Path>) -> Result<()> {
    let (model, draws) = problem(kind, channels, 60)?;
    let horizon = Horizon {
        periods: 1,
        carry_in: false,
        ..Horizon::default()
    };
    let surface = Surface::new(&model, &draws, horizon, false)?;
    let spec = PlanSpec {
        max_change: Some(0.9),
        goal: Goal {
            utility: Utility::Mean,
            ..Goal::default()
        },
        ..PlanSpec::default()
    };
    let mut seconds = f64::INFINITY;
    let mut plan = None;
    let mut whole = f64::INFINITY;
    for _ in 0..3 {
        let started = Instant::now();
        best_spend(&model, &surface, &spec)?;
        seconds = seconds.min(started.elapsed().as_secs_f64());
        let started = Instant::now();
        plan = Some(best(&model, &surface, &spec)?);
        whole = whole.min(started.elapsed().as_secs_f64());
    }
    let plan = plan.context("no plan")?;
    let gap = (plan.bound - plan.value) / plan.value;
    let theirs = python
        .map(|python| slsqp(python, &model, &draws, &surface, &plan, kind))
        .transpose()?;
    let (time, value, short) = match theirs {
        Some((time, value)) if value.is_nan() => {
            (format!("> {time:.0}"), "stopped".into(), "-".into())
        }
        Some((time, value)) => (
            format!("{time:.1}"),
            format!("{value:.4}"),
            format!("{:.2} %", 100.0 * (1.0 - value / plan.value)),
        ),
        None => ("-".into(), "-".into(), "-".into()),
    };
    println!(
        "{:<10} {channels:>8} {:>11.1} {:>14.1} {gap:>12.1e} {:>14.4} {time:>12} {value:>14} {short:>12}",
        format!("{kind:?}"),
        seconds * 1e3,
        whole * 1e3,
        plan.value,
    );
    Ok(())
}

/// Milliseconds and objective of SLSQP on the same draws.
fn slsqp(
    python: &Path,
    model: &Model,
    draws: &Draws,
    surface: &Surface,
    plan: &Plan,
    kind: SaturationKind,
) -> Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("draws.f64");
    let mut bytes = std::io::BufWriter::new(std::fs::File::create(&file)?);
    let names: &[&str] = match kind {
        SaturationKind::Hill => &["saturation_beta", "saturation_slope", "saturation_kappa"],
        _ => &["saturation_beta", "saturation_lam"],
    };
    for cell in surface.cells() {
        let channel = &model.panel.channels[cell.channel].name;
        for name in names {
            let label = format!("{name}[{channel}]");
            let at = draws
                .labels
                .iter()
                .position(|own| *own == label)
                .context("no such label")?;
            for row in draws.rows() {
                bytes.write_all(&row[at].to_le_bytes())?;
            }
        }
    }
    bytes.flush()?;
    // Spend in units of the scaled media; outcome in original units.
    let rates: Vec<f64> = surface
        .cells()
        .iter()
        .map(|cell| cell.units_per_spend / model.design.media_scale[cell.channel])
        .collect();
    let current: Vec<f64> = surface.cells().iter().map(|cell| cell.current).collect();
    let request = serde_json::json!({
        "file": file, "kind": format!("{kind:?}"), "draws": DRAWS, "rates": rates,
        "lower": plan.cells.iter().map(|cell| cell.lower).collect::<Vec<f64>>(),
        "upper": plan.cells.iter().map(|cell| cell.upper).collect::<Vec<f64>>(),
        "limit": LIMIT, "current": current, "scale": model.design.outcome_scale[0],
    });
    let text = output(
        Command::new(python)
            .args(["-c", SLSQP])
            .arg(request.to_string()),
    )?;
    let found: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    let number = |key: &str| found[key].as_f64().unwrap_or(f64::NAN);
    Ok((number("cpu") * 1e3, number("value")))
}

/// Every one of 20 channels changed, eight weeks and their carry-over.
fn what_if() -> Result<()> {
    let (model, draws) = problem(SaturationKind::Logistic, 20, 120)?;
    let surface = Surface::new(&model, &draws, Horizon::default(), false)?;
    let simulator = Simulator::new(&surface);
    let changes = vec![0.2; 20];
    let mut seconds = f64::INFINITY;
    for _ in 0..5 {
        let started = Instant::now();
        simulator.simulate(&changes)?;
        seconds = seconds.min(started.elapsed().as_secs_f64());
    }
    println!(
        "\nwhat-if, 20 channels × {} draws, 8 weeks and carry-over, all channels changed: {:.1} ms",
        surface.draws(),
        seconds * 1e3
    );
    Ok(())
}
