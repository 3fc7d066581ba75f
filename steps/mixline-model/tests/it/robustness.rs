//! Awkward data: an error that names the place, or a fit that ends; never a panic or a NaN.

use chrono::{Days, NaiveDate};
use mixline_model::Model;
use mixline_model::fit::{EconometricSettings, fit_bayesian, fit_econometric};
use mixline_model::panel::{Channel, Control, Panel};
use mixline_model::response::{adstock_curves, channels, decompose, predict, response_curves};
use mixline_model::spec::ModelSpec;
use mixline_numerics::sampler::Settings;
use mixline_panels::world::{self, Size};

fn panel() -> Panel {
    world::draw(Size {
        geos: 1,
        weeks: 60,
        channels: 2,
        seed: 4,
    })
    .panel
}

/// Fits with both engines and goes through every result.
fn survives(name: &str, panel: Panel) {
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 1;
    let model = Model::new(spec, panel).unwrap_or_else(|error| panic!("{name}: {error}"));
    let settings = Settings {
        draws: 100,
        plain_tune: 200,
        chains: 2,
        ..Settings::default()
    };
    let bayesian = fit_bayesian(&model, &settings, |_| true).unwrap();
    let small = EconometricSettings {
        bootstraps: 5,
        ..EconometricSettings::default()
    };
    let (regression, econometric) = fit_econometric(&model, &small, 1).unwrap();
    assert!(
        regression.values.iter().all(|value| value.is_finite()),
        "{name}"
    );
    for draws in [bayesian, econometric] {
        assert!(
            draws.rows().flatten().all(|value| value.is_finite()),
            "{name}: draws"
        );
        let parts = decompose(&model, &draws);
        assert!(
            parts
                .totals
                .iter()
                .all(|total| total.value.mean.is_finite()),
            "{name}: parts"
        );
        assert!(
            channels(&model, &draws)
                .iter()
                .all(|own| own.contribution.mean.is_finite())
        );
        assert!(
            predict(&model, &draws, 1)
                .iter()
                .all(|cell| cell.crps.is_finite()),
            "{name}"
        );
        let curves = response_curves(&model, &draws);
        assert!(
            curves
                .iter()
                .all(|point| point.contribution.q95.is_finite()),
            "{name}: curves"
        );
        assert!(
            adstock_curves(&model, &draws)
                .iter()
                .all(|point| point.weight.mean.is_finite())
        );
    }
}

#[test]
fn awkward_data_are_survived() {
    let mut dormant = panel();
    dormant.channels[1].media.fill(0.0);
    dormant.channels[1].spend = Some(dormant.channels[1].media.clone());
    survives("a channel without media", dormant);

    let mut constant = panel();
    let cells = constant.outcome.len();
    constant.controls = vec![
        Control {
            name: "flat".into(),
            values: vec![7.0; cells],
        },
        Control {
            name: "zero".into(),
            values: vec![0.0; cells],
        },
        Control {
            name: "huge".into(),
            values: (0..cells).map(|t| 1e12 * t as f64).collect(),
        },
    ];
    survives("constant and huge controls", constant);

    let mut twins = panel();
    let twin = Channel {
        name: "twin".into(),
        ..twins.channels[0].clone()
    };
    twins.channels.push(twin);
    survives("twins", twins);

    for factor in [1e-6, 1e12] {
        let mut scaled = panel();
        scaled.outcome.iter_mut().for_each(|y| *y *= factor);
        for channel in &mut scaled.channels {
            channel.media.iter_mut().for_each(|x| *x *= factor);
        }
        survives("another scale", scaled);
    }

    let mut bare = panel();
    bare.channels.clear();
    survives("no media at all", bare);

    let mut gaps = panel();
    (0..60).step_by(3).for_each(|t| gaps.outcome[t] = f64::NAN);
    survives("gaps", gaps);
}

#[test]
fn what_cannot_be_modelled_is_named() {
    let message = |panel: Panel| {
        Model::new(ModelSpec::default(), panel)
            .unwrap_err()
            .to_string()
    };
    let mut negative = panel();
    negative.channels[0].media[5] = -1.0;
    let text = message(negative);
    assert!(
        text.starts_with("`c0` is -1 in geo `geo000` at 2023-02-06"),
        "{text}"
    );
    let mut broken = panel();
    broken.controls = vec![Control {
        name: "price".into(),
        values: vec![f64::NAN; 60],
    }];
    assert!(message(broken).contains("`price` is NaN"));
    let mut flat = panel();
    flat.outcome.fill(3.0);
    assert!(message(flat).contains("the outcome is 3 in every fitted period"));
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let week = Panel {
        geos: vec!["all".into()],
        dates: vec![start],
        outcome: vec![1.0],
        holdout: vec![false],
        ..Panel::default()
    };
    assert!(message(week).contains("1 observed outcomes are too few"));
    let mut backwards = panel();
    backwards.dates[3] = start - Days::new(4000);
    assert!(message(backwards).contains("dates must ascend"));
    let mut short = panel();
    short.channels[0].media.pop();
    assert!(message(short).contains("`c0` has 59 values"));
    let mut twice = panel();
    twice.channels[1].name = "c0".into();
    assert_eq!(message(twice), "the name `c0` is used twice");
}
