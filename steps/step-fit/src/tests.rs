use chrono::{Days, NaiveDate};
use mixline_model_tables::draws_from_table;
use mixline_step::{Context, Step as _, Table};

use super::*;

/// Sixty weeks of one channel whose effect is plain to see.
fn design(factor: f64) -> Table<Design> {
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let mut rows = Vec::new();
    for t in 0..60u64 {
        let spend = factor * (1.0 + ((t * 37) % 11) as f64);
        let noise = 0.02 * (((t * 17) % 7) as f64 - 3.0);
        let outcome = factor * (5.0 + 4.0 * (spend / factor / 8.0).tanh() + noise);
        for (role, variable, value) in [
            ("outcome", "revenue", outcome),
            ("media", "tv", spend),
            ("spend", "tv", spend),
        ] {
            rows.push(Design {
                date: start + Days::new(7 * t),
                geo: "all".into(),
                role: role.into(),
                variable: variable.into(),
                value,
                unit: "EUR".into(),
                split: if t >= 56 { "holdout" } else { "train" }.into(),
            });
        }
    }
    Table::from_rows(rows).unwrap()
}

fn run(config: &Config, factor: f64) -> Outputs {
    let ctx = Context::for_test().with_seed(4);
    Fit::run(
        config,
        Inputs {
            design: design(factor),
        },
        &ctx,
    )
    .unwrap()
}

#[test]
fn both_engines_write_the_same_tables() {
    for engine in [Engine::Bayesian, Engine::Econometric] {
        let config = Config {
            engine,
            draws: 200,
            chains: 2,
            ..Config::default()
        };
        let out = run(&config, 1.0);
        let card = ModelCard::read(&out.model).unwrap();
        assert_eq!(
            (card.engine, card.channels),
            (engine, vec!["tv".to_owned()])
        );
        let summary = out.summary.rows();
        let beta = summary
            .iter()
            .find(|row| row.parameter == "saturation_beta[tv]")
            .unwrap();
        assert!(
            beta.mean > 0.2 && beta.q05 <= beta.q50 && beta.q50 <= beta.q95,
            "{beta:?}"
        );
        assert_eq!(out.sampler.is_some(), engine == Engine::Bayesian);
        let labels: Vec<String> = summary.into_iter().map(|row| row.parameter).collect();
        let draws = draws_from_table(&out.draws.into_table().unwrap(), &labels).unwrap();
        assert_eq!(
            draws.len(),
            if engine == Engine::Bayesian { 400 } else { 200 }
        );
        assert!(out.netcdf.unwrap().rows()[0].bytes.starts_with(b"\x89HDF"));
    }
}

#[test]
fn the_scale_of_the_data_does_not_matter() {
    let config = Config {
        draws: 300,
        ..Config::default()
    };
    let means = |factor| -> Vec<f64> {
        run(&config, factor)
            .summary
            .rows()
            .into_iter()
            .map(|row| row.mean)
            .collect()
    };
    let usual = means(1.0);
    for factor in [1e-6, 1e12] {
        for (a, b) in usual.iter().zip(means(factor)) {
            assert!((a - b).abs() < 0.15 * a.abs().max(0.1), "{factor}: {a} {b}");
        }
    }
}

#[test]
fn mistakes_are_named() {
    let fails = |config: Config| {
        let inputs = Inputs {
            design: design(1.0),
        };
        Fit::run(&config, inputs, &Context::for_test())
            .unwrap_err()
            .chain()
    };
    let mut config = Config::default();
    config
        .model
        .media
        .channels
        .insert("radio".into(), Default::default());
    assert!(fails(config).contains("`media.channels` names `radio`, which is not among `tv`"));
    let config = Config {
        draws: 1,
        ..Config::default()
    };
    assert!(
        Fit::validate(&config)
            .unwrap_err()
            .chain()
            .contains("`draws` is 1")
    );
}
