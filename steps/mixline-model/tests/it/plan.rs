//! Plans beside golden numbers, finite differences, and what they claim about themselves.

use mixline_model::Model;
use mixline_model::fit::{Draws, fit_bayesian};
use mixline_model::kernel::SaturationKind;
use mixline_model::plan::{
    Budget, CellBounds, Flighting, Goal, GroupBounds, Horizon, Pacing, PlanError, PlanSpec,
    Simulator, Surface, Utility, flights, frontier, optimise,
};
use mixline_numerics::sampler::Settings;
use mixline_panels::reference::{national, national_spec};
use mixline_panels::shared::{self, Csv};
use mixline_panels::world::{self, Size};

/// The golden draws of the national example.
fn golden_draws(model: &Model) -> Option<Draws> {
    let table = Csv::read("golden/national_draws.csv")?;
    let labels = model.layout.labels();
    let columns: Vec<Vec<f64>> = labels.iter().map(|label| table.numbers(label)).collect();
    let rows = (0..table.len()).flat_map(|d| columns.iter().map(move |column| column[d]));
    Some(Draws {
        chains: vec![rows.collect()],
        labels,
        statistics: Vec::new(),
        warmup: None,
        evaluations: 0,
    })
}

fn golden_surface() -> Option<(Model, Surface)> {
    let model = Model::new(national_spec(), national()?).unwrap();
    let draws = golden_draws(&model)?;
    let horizon = Horizon {
        carry_in: false,
        ..Horizon::default()
    };
    let surface = Surface::new(&model, &draws, horizon, false).unwrap();
    Some((model, surface))
}

/// The mean outcome as the goal.
fn plain() -> PlanSpec {
    PlanSpec {
        goal: Goal {
            utility: Utility::Mean,
            ..Goal::default()
        },
        ..PlanSpec::default()
    }
}

fn mean(draws: &[f64]) -> f64 {
    draws.iter().sum::<f64>() / draws.len() as f64
}

#[test]
fn the_golden_budgets_are_reproduced() {
    let Some((model, surface)) = golden_surface() else {
        return;
    };
    let golden = shared::golden("national_budget.json").unwrap();
    let budget = golden["budget"].as_f64().unwrap();
    // One reading of the peer gives every one of the eight weeks the whole budget.
    for (reading, factor) in [
        ("budget_is_horizon_total", 1.0),
        ("budget_is_per_week", 8.0),
    ] {
        let want = &golden[reading];
        let spec = PlanSpec {
            budget: Budget::Total(budget * factor),
            channels: [("x1", 0.0), ("x2", 0.0)]
                .map(|(name, min)| {
                    let bounds = CellBounds {
                        min: Some(min),
                        max: Some(budget * factor),
                        ..CellBounds::default()
                    };
                    (name.to_owned(), bounds)
                })
                .into(),
            ..plain()
        };
        let best = optimise(&model, &surface, &spec).unwrap().best;
        let response = want["response"].as_f64().unwrap();
        assert!(
            best.response.mean >= response * (1.0 - 1e-9),
            "{reading}: {} below {response}",
            best.response.mean
        );
        assert!(
            (best.response.mean / response - 1.0).abs() < 1e-6,
            "{reading}"
        );
        for (cell, name) in best.cells.iter().zip(["x1", "x2"]) {
            let want = want[name].as_f64().unwrap() * factor;
            assert!(
                (cell.spend - want).abs() < 2e-3 * budget * factor,
                "{reading}: {name} {}",
                cell.spend
            );
        }
        assert!(
            (best.bound - best.value) <= 1e-9 * best.value,
            "{}",
            best.certificate()
        );
        let equal = vec![budget * factor / 2.0; 2];
        let at_equal = mean(&surface.total(&equal));
        assert!((at_equal / want["response_equal"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    }
}

/// A small panel with every saturation kind in turn, and its draws.
fn fitted(kind: SaturationKind, adstock_first: bool) -> (Model, Draws) {
    let world = world::draw(Size {
        geos: 2,
        weeks: 60,
        channels: 3,
        seed: 11,
    });
    let mut spec = world.spec;
    spec.media.saturation = kind;
    spec.media.adstock_first = adstock_first;
    let model = Model::new(spec, world.panel).unwrap();
    let settings = Settings {
        chains: 2,
        draws: 60,
        tune: 100,
        seed: 3,
        ..Settings::default()
    };
    let draws = fit_bayesian(&model, &settings, |_| true).unwrap();
    (model, draws)
}

#[test]
fn slopes_and_curvatures_are_those_of_the_values() {
    for kind in SaturationKind::ALL {
        for adstock_first in [true, false] {
            let (model, draws) = fitted(kind, adstock_first);
            let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
            for (i, cell) in surface.cells().iter().enumerate() {
                let x = 0.7 * cell.current.max(0.2 * cell.observed_most);
                let at = surface.mean(i, x, None);
                assert!((at.value - mean(&surface.each(i, x))).abs() <= 1e-9 * at.value.abs());
                let h = 1e-4 * x;
                let (up, down) = (surface.mean(i, x + h, None), surface.mean(i, x - h, None));
                let slope = (up.value - down.value) / (2.0 * h);
                assert!(
                    (slope - at.slope).abs() <= 1e-5 * at.slope.abs(),
                    "{kind:?} {slope} {}",
                    at.slope
                );
                let curvature = (up.slope - down.slope) / (2.0 * h);
                let scale = at.curvature.abs().max(1e-9 * at.slope / x);
                assert!(
                    (curvature - at.curvature).abs() <= 1e-4 * scale,
                    "{kind:?} {curvature} {}",
                    at.curvature
                );
            }
        }
    }
}

/// What a plan promises is what the model itself predicts when its weeks are appended to the data.
#[test]
fn planned_spend_brings_what_the_model_says_when_it_comes_true() {
    let (model, draws) = fitted(SaturationKind::Logistic, true);
    let horizon = Horizon {
        periods: 4,
        ..Horizon::default()
    };
    let surface = Surface::new(&model, &draws, horizon, false).unwrap();
    let lags = model.design.kernels[0].lags();
    let mut with = model.panel.clone();
    let old = with.periods();
    let last = *with.dates.last().unwrap();
    let extra = 4 + lags;
    with.dates
        .extend((1..=extra as u64).map(|k| last + chrono::Days::new(7 * k)));
    with.holdout.extend(vec![true; extra]);
    let grow = |values: &[f64], fill: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        let mut grown = Vec::new();
        for g in 0..2 {
            grown.extend_from_slice(&values[g * old..(g + 1) * old]);
            grown.extend((0..extra).map(|t| fill(g, t)));
        }
        grown
    };
    with.outcome = grow(&with.outcome, &|_, _| 1.0);
    let mut without = with.clone();
    for (c, cell) in surface.cells().iter().enumerate() {
        let media = model.panel.channels[c].media.clone();
        let recent: Vec<f64> = (0..2)
            .map(|g| media[(g + 1) * old - 8..(g + 1) * old].iter().sum())
            .collect();
        let total: f64 = recent.iter().sum();
        let planned = |g: usize, t: usize| {
            if t < 4 {
                cell.current / 4.0 * cell.units_per_spend * recent[g] / total
            } else {
                0.0
            }
        };
        let spend = with.channels[c].spend.clone().unwrap();
        for (panel, on) in [(&mut with, 1.0), (&mut without, 0.0)] {
            panel.channels[c].media = grow(&media, &|g, t| on * planned(g, t));
            panel.channels[c].spend = Some(grow(&spend, &|_, _| 0.0));
        }
    }
    let scales = model.design.scales();
    let predicted = |panel| {
        let model = Model::with_scales(model.spec.clone(), panel, &scales).unwrap();
        let mut evaluator = mixline_model::response::Evaluator::new(&model);
        let rows: Vec<&[f64]> = draws.rows().collect();
        let of = |row: &&[f64]| {
            evaluator.set(row);
            (0..2)
                .map(|g| {
                    let scale = model.design.outcome_scale[g];
                    (0..3)
                        .map(|c| scale * evaluator.contribution(g, c).iter().sum::<f64>())
                        .sum::<f64>()
                })
                .sum::<f64>()
        };
        rows.iter().map(of).collect::<Vec<f64>>()
    };
    let (on, off) = (predicted(with), predicted(without));
    let current: Vec<f64> = surface.cells().iter().map(|cell| cell.current).collect();
    for ((on, off), planned) in on.iter().zip(&off).zip(surface.total(&current)) {
        assert!(
            (on - off - planned).abs() <= 1e-9 * planned.abs(),
            "{} {planned}",
            on - off
        );
    }
}

#[test]
fn the_best_plan_keeps_every_constraint_and_beats_the_others() {
    let (model, draws) = fitted(SaturationKind::Hill, true);
    let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
    let spec = PlanSpec {
        max_change: Some(0.6),
        groups: vec![GroupBounds {
            name: "two".into(),
            channels: vec!["c0".into(), "c1".into()],
            min: Some(0.5 * (surface.cells()[0].current + surface.cells()[1].current)),
            max: None,
        }],
        channels: [(
            "c2".to_owned(),
            CellBounds {
                locked: true,
                ..CellBounds::default()
            },
        )]
        .into(),
        ..plain()
    };
    let plans = optimise(&model, &surface, &spec).unwrap();
    let best = &plans.best;
    assert!((best.budget() - plans.current.budget()).abs() < 1e-6 * best.budget());
    assert!((best.cells[2].spend - surface.cells()[2].current).abs() < 1e-9);
    assert_eq!(best.cells[2].bound, "locked");
    for cell in &best.cells {
        assert!(cell.lower - 1e-6 <= cell.spend && cell.spend <= cell.upper + 1e-6);
    }
    for other in [&plans.current, &plans.greedy] {
        assert!(best.value >= other.value * (1.0 - 1e-9));
    }
    assert!(best.bound >= best.value);
}

#[test]
fn flexible_budgets_stop_at_their_targets() {
    let (model, draws) = fitted(SaturationKind::Logistic, true);
    let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
    let slope = |x: &[f64]| surface.mean(0, x[0], None).slope;
    let current: Vec<f64> = surface.cells().iter().map(|cell| cell.current).collect();
    let target = 0.8 * slope(&current);
    let flexible = |marginal, average| PlanSpec {
        budget: Budget::Flexible {
            target_marginal_roas: marginal,
            target_roas: average,
            min: None,
            max: None,
        },
        max_change: None,
        ..plain()
    };
    let plan = optimise(&model, &surface, &flexible(Some(target), None))
        .unwrap()
        .best;
    for cell in plan.cells.iter().filter(|cell| cell.bound.is_empty()) {
        assert!((cell.marginal.mean / target - 1.0).abs() < 1e-3, "{cell:?}");
    }
    let average = 0.9 * plan.response.mean / plan.budget();
    let wider = optimise(&model, &surface, &flexible(None, Some(average)))
        .unwrap()
        .best;
    assert!((wider.response.mean / wider.budget() / average - 1.0).abs() < 1e-3);
    assert!(wider.budget() > plan.budget());
}

#[test]
fn pessimists_plan_for_less_risk_and_know_their_bound() {
    let (model, draws) = fitted(SaturationKind::Logistic, true);
    let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
    for utility in [
        Utility::MeanSd(1.0),
        Utility::Cvar(0.1),
        Utility::BeatsCurrent,
    ] {
        let spec = |utility| PlanSpec {
            goal: Goal {
                utility,
                ..Goal::default()
            },
            ..plain()
        };
        let mean = optimise(&model, &surface, &spec(Utility::Mean)).unwrap();
        let careful = optimise(&model, &surface, &spec(utility)).unwrap();
        let best = &careful.best;
        assert!(best.value <= best.bound * (1.0 + 1e-9));
        assert!(best.value >= careful.current.value);
        // Tight for concave responses: the certificate of a saddle point.
        // A worst tenth of 120 draws is a dozen of them: CVaR has corners, and a looser bound.
        let slack = match utility {
            Utility::MeanSd(_) => 1e-4,
            _ => 0.1,
        };
        if utility != Utility::BeatsCurrent {
            let gap = best.bound - best.value;
            assert!(gap <= slack * mean.best.gain.mean, "{utility:?} {gap}");
        }
        // The mean's own optimum cannot be more useful to a pessimist.
        let x: Vec<f64> = mean.best.cells.iter().map(|cell| cell.spend).collect();
        if utility == Utility::MeanSd(1.0) {
            let current: Vec<f64> = surface.cells().iter().map(|cell| cell.current).collect();
            let (with, without) = (surface.total(&x), surface.total(&current));
            let gains: Vec<f64> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
            let m = crate::plan::mean(&gains);
            let squares: Vec<f64> = gains.iter().map(|f| (f - m).powi(2)).collect();
            let sd = crate::plan::mean(&squares).sqrt();
            assert!(best.value >= m - sd - 1e-9 * m.abs());
        }
    }
}

#[test]
fn a_simulated_change_is_the_difference_of_two_totals() {
    let (model, draws) = fitted(SaturationKind::MichaelisMenten, true);
    let horizon = Horizon {
        flighting: Flighting::Recent,
        ..Horizon::default()
    };
    let surface = Surface::new(&model, &draws, horizon, true).unwrap();
    let simulator = Simulator::new(&surface);
    let mut changes = vec![0.0; surface.cells().len()];
    (changes[0], changes[1]) = (0.2, -0.1);
    let simulated = simulator.simulate(&changes).unwrap();
    let current: Vec<f64> = surface.cells().iter().map(|cell| cell.current).collect();
    let before = mean(&surface.total(&current));
    let after = mean(&surface.total(&simulated.spend));
    assert!((simulated.change.mean - (after - before)).abs() <= 1e-9 * before);
    assert!(simulated.by_cell[2].is_none() && simulated.by_cell[0].is_some());
    assert!(matches!(
        simulator.simulate(&[-1.5]),
        Err(PlanError::Number { .. })
    ));
}

#[test]
fn the_frontier_rises_and_bends_down() {
    let (model, draws) = fitted(SaturationKind::Logistic, true);
    let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
    let spec = plain();
    let budget = surface.cells().iter().map(|cell| cell.current).sum();
    let multipliers: Vec<f64> = (5..=15).map(|k| f64::from(k) / 10.0).collect();
    let points = frontier(&model, &surface, &spec, budget, &multipliers).unwrap();
    assert_eq!(points.len(), 11);
    for pair in points.windows(2) {
        assert!(pair[1].response.mean > pair[0].response.mean);
        assert!(pair[1].marginal <= pair[0].marginal * (1.0 + 1e-6));
    }
    for point in &points {
        assert!(point.proportional <= point.bound * (1.0 + 1e-9));
    }
}

#[test]
fn what_cannot_be_planned_says_why() {
    let (model, draws) = fitted(SaturationKind::Logistic, true);
    let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
    let unknown = PlanSpec {
        channels: [("cc".to_owned(), CellBounds::default())].into(),
        ..plain()
    };
    let error = optimise(&model, &surface, &unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`channels` names `cc`, which is no planned channel (c0, c1, c2)"
    );
    let too_much = PlanSpec {
        budget: Budget::TimesCurrent(3.0),
        max_change: Some(0.1),
        ..plain()
    };
    let error = optimise(&model, &surface, &too_much).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the constraints contradict each other: the total must have at least"),
        "{error}"
    );
}

#[test]
fn flights_keep_their_pace_and_know_what_they_miss() {
    for (kind, adstock_first) in [
        (SaturationKind::Logistic, true),
        (SaturationKind::Hill, true),
        (SaturationKind::MichaelisMenten, false),
    ] {
        let (model, draws) = fitted(kind, adstock_first);
        let surface = Surface::new(&model, &draws, Horizon::default(), false).unwrap();
        let spend: Vec<f64> = surface
            .cells()
            .iter()
            .map(|cell| cell.observed_most)
            .collect();
        let pacing = Pacing {
            least: 0.3,
            most: 2.0,
        };
        let found = flights(&surface, &spend, pacing).unwrap();
        for (i, own) in found.cells.iter().enumerate() {
            let total: f64 = own.spend.iter().sum();
            assert!((total / spend[i] - 1.0).abs() < 1e-9);
            let even = spend[i] / 8.0;
            for x in &own.spend {
                assert!(
                    0.3 * even - 1e-6 <= *x && *x <= 2.0 * even + 1e-6,
                    "{x} {even}"
                );
            }
            // An even flight is one of those it could have chosen.
            let at_even = mean(&surface.each(i, spend[i]));
            assert!(
                own.response >= at_even * (1.0 - 1e-9),
                "{} {at_even}",
                own.response
            );
            if surface.concave(i) {
                assert!(own.bound - own.response <= 1e-5 * own.response, "{own:?}");
            }
        }
        assert!(found.gain.mean >= -1e-9);
        let sum: f64 = found.cells.iter().map(|own| own.response).sum();
        assert!((sum / found.response.mean - 1.0).abs() < 1e-9);
    }
}
