//! Journeys made by a known model: it is found again, and intervals hold the truth.

use mixline_attribution::conversion::{ConversionModel, FitOptions, fit};
use mixline_attribution::resample::{draws, group_of};
use mixline_attribution::survey::{Plan, Setting, Survey};
use mixline_attribution::{ChannelId, Journeys, Outcome, Touch, TouchRule};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const CHANNELS: usize = 4;

fn truth() -> ConversionModel {
    ConversionModel {
        base: -2.5,
        own: vec![0.8, -0.6, 0.3, -0.5],
        carry: vec![0.0, 0.9, 0.3, 0.0],
        half_life_days: 2.0,
    }
}

/// Journeys in which each touch converts as the model says.
fn journeys(model: &ConversionModel, customers: u64, seed: u64) -> Journeys {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut journeys = Journeys::new();
    for customer in 0..customers {
        let (mut met, mut now, mut before) = (Vec::new(), 0.0, 0.0);
        let converted = loop {
            now += -2.0 * random.random_range(1e-9..1.0_f64).ln();
            met.push((random.random_range(0..CHANNELS as u32), now));
            let touches = aged(&met, now);
            let p = model.probability(&touches, |_| true);
            // The journey goes on from one probability of a conversion to the next.
            let next: f64 = (p - before) / (1.0 - before);
            before = p;
            if random.random_range(0.0..1.0) < next {
                break true;
            }
            if random.random_range(0.0..1.0) < 0.3 {
                break false;
            }
        };
        let outcome = if converted {
            Outcome::conversion(50.0 + random.random_range(0.0..20.0), customer)
        } else {
            Outcome::null(customer)
        };
        journeys.push(aged(&met, now), outcome);
    }
    journeys
}

fn aged(met: &[(u32, f64)], end: f64) -> Vec<Touch> {
    let touch = |&(channel, at): &(u32, f64)| Touch::new(ChannelId(channel), end - at);
    met.iter().map(touch).collect()
}

#[test]
fn the_conversion_model_is_found_again() {
    let truth = truth();
    let journeys = journeys(&truth, 60_000, 3);
    let found = fit(&journeys, CHANNELS, &FitOptions::default(), 16, |c| {
        group_of(c, 16)
    })
    .expect("as the test made it");
    let model = &found.model;
    assert_eq!(model.half_life_days, 2.0);
    for channel in 0..CHANNELS {
        let own = model.base + model.own[channel] - truth.base - truth.own[channel];
        assert!(own.abs() < 0.1, "own {channel}: {model:?}");
        assert!(
            (model.carry[channel] - truth.carry[channel]).abs() < 0.1,
            "carry {channel}: {model:?}"
        );
    }
    assert!(found.quality.log_loss < found.quality.null_log_loss);
}

/// 60 worlds: the 90 % interval of a channel's credited value holds the value expected over all
/// worlds as often as it should, up to the error of 60 × 4 trials and of the random groups.
#[test]
fn intervals_hold_what_is_expected_over_worlds() {
    let plan = Plan {
        rules: vec![TouchRule::Linear],
        chains: vec![(1, mixline_attribution::markov::Which::All)],
        ..Plan::default()
    };
    let resamples = draws(plan.groups, 200, 5);
    let results: Vec<_> = (0..60)
        .map(|world| {
            let mut survey = Survey::new(plan.clone());
            let journeys = journeys(&truth(), 1_500, 100 + world);
            survey.add(&journeys);
            let setting = Setting {
                channels: CHANNELS,
                rest: ChannelId(0),
                draws: &resamples,
            };
            let linear = survey.rules(setting).remove(0);
            let markov = survey
                .markov(0, setting)
                .expect("as the test made it")
                .result;
            [linear, markov]
        })
        .collect();
    for method in 0..2 {
        let mut held = 0;
        for channel in 0..CHANNELS {
            let of = |world: &[mixline_attribution::survey::Result; 2]| {
                world[method].totals.value[channel]
            };
            let expected = results.iter().map(of).sum::<f64>() / results.len() as f64;
            let holds = |world: &&[mixline_attribution::survey::Result; 2]| {
                let interval = &world[method].intervals[channel];
                (interval.q05..=interval.q95).contains(&expected)
            };
            held += results.iter().filter(holds).count();
        }
        let share = held as f64 / (60 * CHANNELS) as f64;
        assert!((0.83..=0.97).contains(&share), "method {method}: {share}");
    }
}
