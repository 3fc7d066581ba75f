//! 62,483 real touchpoints: every method equals the reference to the printed digits.

use std::collections::BTreeMap;
use std::io::Read as _;

use mixline_attribution::markov::{Chain, RemovalEffects, Transitions, Which};
use mixline_attribution::sessionize::{Bought, End, Kind, Met, Rules, Sessionizer};
use mixline_attribution::shapley::{Cumulative, Positions, exact, positions, rate_game};
use mixline_attribution::{
    Channels, Credit, Journeys, Outcome, PositionWeights, Totals, Touch, TouchRule,
};

use crate::shared::shared;

/// The golden numbers are printed with at least 12 digits.
const DIGITS: f64 = 1e-9;

struct World {
    channels: Channels,
    journeys: Journeys,
    golden: BTreeMap<String, BTreeMap<String, f64>>,
}

#[derive(Default)]
struct Customer {
    met: Vec<Met>,
    bought: Vec<Bought>,
}

/// Seconds of `2018-07-22T20:40:41Z` since the start of the year, in microseconds since 2018.
fn micros(text: &str) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let part = |range: std::ops::Range<usize>| {
        text[range]
            .parse::<i64>()
            .expect("the reference is as it was")
    };
    assert_eq!(part(0..4), 2018);
    let day = BEFORE[part(5..7) as usize - 1] + part(8..10) - 1;
    let second = day * 86_400 + part(11..13) * 3_600 + part(14..16) * 60 + part(17..19);
    (1_514_764_800 + second) * 1_000_000
}

/// The journeys as the reference has them: cut after each conversion, whose row is the last touch.
fn world() -> Option<World> {
    let packed = shared("events/journeys_touchpoints.csv.gz")?;
    let golden = shared("events/journeys_touchpoints.golden.json")?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .expect("the reference is as it was");
    let mut channels = Channels::new();
    let mut customers: BTreeMap<String, Customer> = BTreeMap::new();
    let mut of_row = Vec::new();
    for (row, record) in csv::Reader::from_reader(text.as_bytes())
        .records()
        .enumerate()
    {
        let record = record.expect("the reference is as it was");
        let (at, channel) = (micros(&record[1]), channels.intern(&record[5]));
        of_row.push(channel);
        let customer = customers.entry(record[0].to_owned()).or_default();
        customer.met.push(Met {
            at,
            source: row as u32,
            kind: Kind::Click,
            row,
        });
        if &record[3] == "1" {
            customer.bought.push(Bought {
                at,
                value: record[4].parse().expect("the reference is as it was"),
                id: row as u64,
                row,
            });
        }
    }
    let rules = Rules {
        click_days: 365.0,
        view_days: 365.0,
        at_conversion: true,
        ..Rules::default()
    };
    let mut sessionizer = Sessionizer::new(rules, i64::MAX);
    let mut journeys = Journeys::new();
    for (number, customer) in customers.values_mut().enumerate() {
        sessionizer.customer(&mut customer.met, &mut customer.bought);
        assert!(sessionizer.left_out.is_empty());
        for trip in &sessionizer.trips {
            let steps = &sessionizer.steps[trip.steps.clone()];
            let touches = steps.iter().map(|step| Touch {
                channel: of_row[step.row],
                age_days: step.age_days,
                weight: step.weight,
            });
            let outcome = match trip.end {
                End::Converted(row) => {
                    let order = customer
                        .bought
                        .iter()
                        .find(|order| order.row == row)
                        .expect("the reference is as it was");
                    Outcome::conversion(order.value, number as u64)
                }
                End::Ended | End::Open => Outcome::null(number as u64),
            };
            journeys.push(touches, outcome);
        }
    }
    let golden: serde_json::Value =
        serde_json::from_slice(&golden).expect("the reference is as it was");
    assert_eq!(
        journeys.len() as u64,
        golden["journeys"]
            .as_u64()
            .expect("the reference is as it was")
    );
    Some(World {
        channels,
        journeys,
        golden: serde_json::from_value(golden["results"].clone())
            .expect("the reference is as it was"),
    })
}

impl World {
    fn compare(&self, model: &str, conversions: &[f64]) {
        for (channel, expected) in &self.golden[model] {
            let found = conversions[self
                .channels
                .find(channel)
                .expect("the reference is as it was")
                .index()];
            let off = (found - expected).abs();
            assert!(
                off <= DIGITS * expected.abs(),
                "{model}, {channel}: {found} for {expected}"
            );
        }
    }

    fn totals(&self, method: &impl Credit) -> Totals {
        Totals::of(method, self.journeys.iter())
    }
}

#[test]
fn the_five_rules_equal_the_reference() {
    let Some(world) = world() else { return };
    let rules = [
        ("last", TouchRule::LastTouch),
        ("first", TouchRule::FirstTouch),
        ("linear", TouchRule::Linear),
        (
            "time_decay_7d",
            TouchRule::TimeDecay {
                half_life_days: 7.0,
            },
        ),
        (
            "position_40_20_40",
            TouchRule::PositionBased(PositionWeights::default()),
        ),
    ];
    for (name, rule) in rules {
        let totals = world.totals(&rule);
        world.compare(name, &totals.conversions);
        assert!((totals.conversions.iter().sum::<f64>() - 1_838.0).abs() < 1e-9);
        assert!((totals.value.iter().sum::<f64>() - 11_423.5).abs() < 1e-8);
    }
}

#[test]
fn markov_equals_the_reference_and_the_conversion_rate_is_the_same_at_every_order() {
    let Some(world) = world() else { return };
    for order in 1..=3 {
        let mut transitions = Transitions::new(order, Which::All, 1);
        world
            .journeys
            .iter()
            .for_each(|journey| transitions.add(&journey, 0));
        let chain = Chain::new(&transitions).expect("the reference is as it was");
        let effects = RemovalEffects::exact(&chain, world.channels.len())
            .expect("the reference is as it was");
        let rate = 1_838.0 / 9_506.0;
        assert!(
            (effects.whole.conversion - rate).abs() < 1e-12,
            "order {order}"
        );
        assert!((effects.whole.value - 11_423.5 / 9_506.0).abs() < 1e-9);
        let totals = effects.totals(1_838.0, 11_423.5);
        world.compare(&format!("markov_{order}"), &totals.conversions);
        if order == 1 {
            let printed = [
                ("Facebook", 0.73201),
                ("Instagram", 0.47958),
                ("Online Display", 0.48149),
                ("Online Video", 0.59137),
                ("Paid Search", 0.71647),
            ];
            for (channel, effect) in printed {
                let at = world
                    .channels
                    .find(channel)
                    .expect("the reference is as it was")
                    .index();
                assert!(
                    (effects.removals[at].conversion - effect).abs() < 5e-6,
                    "{channel}"
                );
            }
        }
    }
}

#[test]
fn shapley_equals_the_reference_by_formula_and_by_coalitions() {
    let Some(world) = world() else { return };
    let totals = world.totals(&Cumulative);
    world.compare("shapley_simplified_counts", &totals.conversions);
    world.compare("shapley_exact_counts", &totals.conversions);
    let inside = |coalition: u32| {
        let journeys = world.journeys.iter().filter(|journey| {
            journey
                .touches
                .iter()
                .all(|touch| coalition >> touch.channel.0 & 1 == 1)
        });
        journeys
            .map(|journey| journey.outcome.conversions)
            .sum::<f64>()
    };
    world.compare(
        "shapley_exact_counts",
        &exact(5, inside).expect("the reference is as it was"),
    );
}

#[test]
fn the_ordered_shapley_value_equals_the_printed_one() {
    let Some(world) = world() else { return };
    let mut booked = Positions::new();
    world
        .journeys
        .iter()
        .for_each(|journey| positions(&journey, 50, &mut booked));
    let printed = [
        ("Facebook", [270.867, 141.850, 58.533]),
        ("Paid Search", [293.533, 139.500, 52.833]),
    ];
    for (channel, expected) in printed {
        let id = world
            .channels
            .find(channel)
            .expect("the reference is as it was");
        for (position, expected) in (1..).zip(expected) {
            let found = booked[&(id, position)].0;
            assert!(
                (found - expected).abs() < 6e-4,
                "{channel} at {position}: {found}"
            );
        }
    }
}

#[test]
fn the_rate_game_equals_the_reference_and_is_refused_for_its_negative_credit() {
    let Some(world) = world() else { return };
    let (credits, verdict) =
        rate_game(world.journeys.iter(), world.channels.len()).expect("the reference is as it was");
    world.compare("shapley_rate_scaled", &credits);
    let reason = verdict.unwrap_err().to_string();
    assert!(reason.contains("-371.9 of 1838.0"), "{reason}");
}
