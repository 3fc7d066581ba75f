use mixline_model::Model;
use mixline_model::fit::fit_bayesian;
use mixline_model::spec::ModelSpec;
use mixline_model_tables::{Engine, ModelCard, draws_to_pieces, read_panel};
use mixline_numerics::sampler::Settings;

use super::*;

/// Two regions and sixty weeks of two channels, one of them organic.
fn design() -> Table<Design> {
    let start = chrono::NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let mut rows = Vec::new();
    for (g, geo) in ["north", "south"].into_iter().enumerate() {
        for t in 0..60u64 {
            let wave = |a: u64, m: u64| 1.0 + ((t * a + g as u64) % m) as f64;
            let (tv, mail) = (wave(37, 11), wave(17, 7));
            let outcome = 50.0 + 4.0 * tv + 2.0 * mail + ((t * 13) % 5) as f64;
            let cells = [
                ("outcome", "revenue", outcome),
                ("media", "tv", tv),
                ("spend", "tv", 3.0 * tv),
                ("media", "mail", mail),
            ];
            rows.extend(cells.map(|(role, variable, value)| Design {
                date: start + chrono::Days::new(7 * t),
                geo: geo.into(),
                role: role.into(),
                variable: variable.into(),
                value,
                unit: "EUR".into(),
                split: "train".into(),
            }));
        }
    }
    Table::from_rows(rows).unwrap()
}

#[test]
fn parts_sum_to_the_outcome_by_week_region_and_in_all() {
    let design = design();
    let (panel, _) = read_panel(&design.rows()).unwrap();
    let outcome: f64 = panel.outcome.iter().sum();
    let model = Model::new(ModelSpec::default(), panel).unwrap();
    let draws = fit_bayesian(
        &model,
        &Settings {
            draws: 150,
            ..Settings::default()
        },
        |_| true,
    )
    .unwrap();
    let card = ModelCard::new(&model, Engine::Bayesian, 0);
    let inputs = Inputs {
        design,
        model: Table::from_rows(vec![card.file().unwrap()]).unwrap(),
        draws: draws_to_pieces(draws.into()).into_table().unwrap(),
    };
    let out = Decompose::run(&NoConfig::default(), inputs, &Context::for_test()).unwrap();
    let total: f64 = out.totals.rows().iter().map(|row| row.mean).sum();
    assert!(
        (total / outcome - 1.0).abs() < 1e-9,
        "{total} against {outcome}"
    );
    let cells = out.contributions.rows();
    for geo in ["north", "south", "all"] {
        let own: f64 = cells
            .iter()
            .filter(|row| row.geo == geo)
            .map(|row| row.mean)
            .sum();
        let want: f64 = model
            .panel
            .geos
            .iter()
            .enumerate()
            .filter(|(_, name)| geo == "all" || *name == geo)
            .map(|(g, _)| {
                model
                    .panel
                    .of_geo(&model.panel.outcome, g)
                    .iter()
                    .sum::<f64>()
            })
            .sum();
        assert!(
            (own / want - 1.0).abs() < 1e-9,
            "{geo}: {own} against {want}"
        );
    }
    let results = out.results.rows();
    assert_eq!(
        results.len(),
        2 * 3,
        "two channels in two regions and in all"
    );
    let mail = results
        .iter()
        .find(|row| row.channel == "mail" && row.geo == "all")
        .unwrap();
    assert_eq!(
        (mail.spend, mail.roas),
        (None, None),
        "organic media have no return on spend"
    );
    let curves = out.curves.rows();
    let at = |m: f64| {
        curves
            .iter()
            .find(|row| row.channel == "tv" && row.multiplier == m)
            .unwrap()
    };
    let tv = results
        .iter()
        .find(|row| row.channel == "tv" && row.geo == "all")
        .unwrap();
    assert!(
        (at(1.0).mean / tv.contribution - 1.0).abs() < 1e-9,
        "the curve goes through today"
    );
    assert!(at(0.0).mean.abs() < 1e-9 && at(1.0).observed && !at(2.0).observed);
    let weights: f64 = out
        .adstock
        .rows()
        .iter()
        .filter(|row| row.channel == "tv")
        .map(|row| row.mean)
        .sum();
    assert!((weights - 1.0).abs() < 1e-9);
}
