//! ChannelAttribution's example set: its heuristics to nine digits, its simulations within their
//! error, and exact removal effects.

use std::collections::BTreeMap;

use mixline_attribution::markov::{Chain, RemovalEffects, Transitions, Which};
use mixline_attribution::{Channels, Journeys, Outcome, Totals, TouchRule};

use crate::shared::shared;

const CONVERSIONS: f64 = 19_785.0;
const NULLS: f64 = 68_602.0;

struct PathData {
    channels: Channels,
    journeys: Journeys,
    value: f64,
}

fn path_data() -> Option<PathData> {
    let text = shared("attribution/PathData.csv")?;
    let (mut channels, mut journeys, mut value) = (Channels::new(), Journeys::new(), 0.0);
    for (row, record) in csv::Reader::from_reader(text.as_slice())
        .records()
        .enumerate()
    {
        let record = record.expect("the reference is as it was");
        let number = |at: usize| {
            record[at]
                .parse::<f64>()
                .expect("the reference is as it was")
        };
        let outcome = Outcome {
            conversions: number(1),
            value: number(2),
            nulls: number(3),
            customer: row as u64,
        };
        value += outcome.value;
        journeys.push_path(&mut channels, &record[0], outcome);
    }
    Some(PathData {
        channels,
        journeys,
        value,
    })
}

/// Columns of a golden table by channel.
fn golden(name: &str) -> Option<BTreeMap<String, BTreeMap<String, f64>>> {
    let text = shared(&format!("golden/attribution/{name}.csv"))?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let headings = reader
        .headers()
        .expect("the reference is as it was")
        .clone();
    let row = |record: csv::StringRecord| {
        let cells = headings.iter().zip(record.iter()).skip(1);
        let numbers = cells.map(|(name, cell)| {
            (
                name.to_owned(),
                cell.parse().expect("the reference is as it was"),
            )
        });
        (record[0].to_owned(), numbers.collect())
    };
    Some(
        reader
            .records()
            .map(|record| row(record.expect("the reference is as it was")))
            .collect(),
    )
}

fn effects(data: &PathData, order: usize) -> (RemovalEffects, usize) {
    let mut transitions = Transitions::new(order, Which::All, 1);
    data.journeys
        .iter()
        .for_each(|journey| transitions.add(&journey, 0));
    let chain = Chain::new(&transitions).expect("the reference is as it was");
    let effects =
        RemovalEffects::exact(&chain, data.channels.len()).expect("the reference is as it was");
    (effects, transitions.states())
}

#[test]
fn heuristics_equal_channelattribution() {
    let (Some(data), Some(golden)) = (path_data(), golden("channelattribution_heuristics")) else {
        return;
    };
    let rules = [
        ("first_touch", TouchRule::FirstTouch),
        ("last_touch", TouchRule::LastTouch),
        ("linear_touch", TouchRule::Linear),
    ];
    for (name, rule) in rules {
        let totals = Totals::of(&rule, data.journeys.iter());
        for (channel, row) in &golden {
            let id = data
                .channels
                .find(channel)
                .expect("the reference is as it was");
            let pairs = [
                (
                    totals.conversions_of(id),
                    row[&format!("{name}_conversions")],
                ),
                (totals.value_of(id), row[&format!("{name}_value")]),
            ];
            for (found, expected) in pairs {
                let off = (found - expected).abs();
                assert!(
                    off <= 1e-9 * expected.abs(),
                    "{name}, {channel}: {found} for {expected}"
                );
            }
        }
    }
}

#[test]
fn removal_effects_are_exact() {
    let Some(data) = path_data() else { return };
    for order in 1..=3 {
        let Some(golden) = golden(&format!("exact_markov_order{order}")) else {
            return;
        };
        let (effects, states) = effects(&data, order);
        let totals = effects.totals(CONVERSIONS, data.value);
        let rate = CONVERSIONS / (CONVERSIONS + NULLS);
        assert!((effects.whole.conversion - rate).abs() < 1e-12);
        for (channel, row) in &golden {
            let id = data
                .channels
                .find(channel)
                .expect("the reference is as it was");
            let effect = effects.removals[id.index()].conversion;
            assert!(
                (effect - row["removal_effect"]).abs() < 1e-11,
                "order {order}, {channel}"
            );
            let credit = totals.conversions_of(id);
            assert!(
                (credit / row["total_conversions"] - 1.0).abs() < 1e-8,
                "{channel}: {credit}"
            );
            assert_eq!(states as f64, row["n_states"]);
        }
    }
}

/// Paths of one of the ten repetitions that ChannelAttribution makes of a simulation.
const SIMULATED: f64 = 1e6;

/// A simulation counts, among the paths that convert, those that do not meet the channel: the
/// standard error of a removal effect is that of a share of `SIMULATED · P` paths. Credits are
/// effects over their sum; values vary too, by their coefficient of variation.
#[test]
fn simulations_of_channelattribution_lie_within_their_error() {
    let Some(data) = path_data() else { return };
    for order in 1..=3 {
        let name = format!("channelattribution_markov_order{order}_nsim1e7");
        let Some(golden) = golden(&name) else { return };
        let (effects, _) = effects(&data, order);
        let totals = effects.totals(CONVERSIONS, data.value);
        let sum: f64 = golden.values().map(|row| row["total_conversions"]).sum();
        assert!((sum - CONVERSIONS).abs() < 1e-6);
        for (channel, row) in &golden {
            let id = data
                .channels
                .find(channel)
                .expect("the reference is as it was");
            let effect = effects.removals[id.index()];
            let error = |effect: f64| {
                ((1.0 - effect) / (effect * SIMULATED * effects.whole.conversion)).sqrt()
            };
            let off = row["total_conversions"] / totals.conversions_of(id) - 1.0;
            assert!(
                off.abs() < 3.5 * error(effect.conversion),
                "order {order}, {channel}: {off}"
            );
            let off = row["total_conversion_value"] / totals.value_of(id) - 1.0;
            assert!(
                off.abs() < 3.5 * 1.5 * error(effect.value),
                "value, {order}, {channel}: {off}"
            );
        }
    }
}
