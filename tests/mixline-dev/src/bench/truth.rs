//! `cargo dev bench truth`: does a 90 % interval of ROAS hold the truth 90 % of the time?
//!
//! Worlds are made by the fitted family, with parameters drawn around typical values; each is
//! fitted, and the intervals are counted.

use anyhow::Result;
use mixline_model::Model;
use mixline_model::fit::fit_bayesian;
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
    )
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
