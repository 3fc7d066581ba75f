//! `cargo dev bench truth`: does a 90 % interval of ROAS hold the truth 90 % of the time?
//!
//! Worlds are made by the fitted family, with parameters drawn around typical values; each is
//! fitted, and the intervals are counted. Then the budget plans: do they beat current spend in the
//! world's true response?

use anyhow::Result;
use mixline_model::Model;
use mixline_model::fit::{Draws, fit_bayesian};
use mixline_model::plan::{Horizon, PlanSpec, Surface, best};
use mixline_model::response::channels;
use mixline_numerics::sampler::Settings;
use mixline_panels::world::{self, Size};

/// Fits `worlds` national and a tenth as many panel worlds, and prints the coverage.
pub(super) fn run(worlds: u64) -> Result<()> {
    coverage(
        "national: 156 weeks, 3 channels",
        worlds,
        Size {
            geos: 1,
            weeks: 156,
            channels: 3,
            seed: 0,
        },
    )?;
    coverage(
        "panel: 8 geos × 104 weeks, 3 channels",
        worlds / 4,
        Size {
            geos: 8,
            weeks: 104,
            channels: 3,
            seed: 0,
        },
    )?;
    plans(worlds / 2)
}

/// Plans the budget of every world, and asks the world itself what the plan brings.
fn plans(worlds: u64) -> Result<()> {
    let (mut better, mut gains, mut promised) = (0u64, Vec::new(), Vec::new());
    for seed in 0..worlds {
        let world = world::draw(Size {
            geos: 1,
            weeks: 156,
            channels: 4,
            seed: 5000 + seed,
        });
        let model = Model::new(world.spec, world.panel)?;
        let settings = Settings {
            seed,
            ..Settings::default()
        };
        let draws = fit_bayesian(&model, &settings, |_| true)?;
        let surface = Surface::new(&model, &draws, Horizon::default(), false)?;
        let plan = best(&model, &surface, &PlanSpec::default())?;
        let truth = Draws {
            chains: vec![world.truth],
            ..draws
        };
        let true_surface = Surface::new(&model, &truth, Horizon::default(), false)?;
        let spend: Vec<f64> = plan.cells.iter().map(|cell| cell.spend).collect();
        let current: Vec<f64> = surface.cells().iter().map(|cell| cell.current).collect();
        let response = |x: &[f64]| true_surface.total(x)[0];
        let gain = response(&spend) / response(&current) - 1.0;
        better += u64::from(gain > 0.0);
        gains.push(gain);
        promised.push(plan.gain.mean / (plan.response.mean - plan.gain.mean));
    }
    let mean = |values: &[f64]| 100.0 * values.iter().sum::<f64>() / values.len().max(1) as f64;
    println!(
        "plans of {worlds} worlds (4 channels, ±50 %): better than current spend in the true \
         response in {:.1} %; true gain {:.1} % on average, promised {:.1} %",
        100.0 * better as f64 / worlds.max(1) as f64,
        mean(&gains),
        mean(&promised),
    );
    Ok(())
}

fn coverage(title: &str, worlds: u64, size: Size) -> Result<()> {
    let (mut inside, mut inside_half, mut total) = (0u64, 0u64, 0u64);
    let (mut error, mut divergent) = (0.0, 0u64);
    for seed in 0..worlds {
        let world = world::draw(Size {
            seed: 1000 + seed,
            ..size
        });
        let model = Model::new(world.spec, world.panel)?;
        let draws = fit_bayesian(
            &model,
            &Settings {
                seed,
                ..Settings::default()
            },
            |_| true,
        )?;
        divergent += u64::from(
            draws
                .statistics
                .iter()
                .any(|own| own.diverging.contains(&true)),
        );
        for result in channels(&model, &draws)
            .iter()
            .filter(|own| own.geo.is_none())
        {
            let (Some(roas), truth) = (result.roas, world.roas[result.channel]) else {
                continue;
            };
            total += 1;
            inside += u64::from(roas.q05 <= truth && truth <= roas.q95);
            inside_half += u64::from(roas.q25 <= truth && truth <= roas.q75);
            error += (roas.q50 / truth - 1.0).abs();
        }
    }
    let share = |count: u64| 100.0 * count as f64 / total as f64;
    println!(
        "{title}, {worlds} worlds: 90 % intervals hold the true ROAS in {:.1} %, 50 % intervals in \
         {:.1} %; median off by {:.1} % on average; {divergent} fits with a divergence",
        share(inside),
        share(inside_half),
        100.0 * error / total as f64,
    );
    Ok(())
}
