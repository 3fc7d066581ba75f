//! Laws that hold for any journeys.

use mixline_attribution::conversion::{ConversionModel, DataDriven, IncrementalShapley};
use mixline_attribution::markov::{Chain, RemovalEffects, Transitions, Which};
use mixline_attribution::shapley::Cumulative;
use mixline_attribution::{
    ChannelId, Credit, Journey, Journeys, Outcome, PositionWeights, Totals, Touch, TouchRule,
};
use proptest::prelude::*;

const CHANNELS: u32 = 5;

/// Journeys over channels 0 to 4; channel 5 is never met.
fn journeys() -> impl Strategy<Value = Journeys> {
    let touch = (0..CHANNELS, 0.0f64..40.0);
    let journey = (
        prop::collection::vec(touch, 0..9),
        0.0f64..200.0,
        any::<bool>(),
    );
    prop::collection::vec(journey, 1..40).prop_map(|all| {
        let mut journeys = Journeys::new();
        for (customer, (mut touches, value, converts)) in all.into_iter().enumerate() {
            touches.sort_by(|a, b| b.1.total_cmp(&a.1));
            let outcome = if converts {
                Outcome::conversion(value, customer as u64)
            } else {
                Outcome::null(customer as u64)
            };
            let touches = touches
                .into_iter()
                .map(|(c, age)| Touch::new(ChannelId(c), age));
            journeys.push(touches, outcome);
        }
        journeys
    })
}

fn model() -> ConversionModel {
    ConversionModel {
        base: -2.0,
        own: vec![0.5, -0.3, 0.0, 1.0, -1.0, 0.2],
        carry: vec![0.4, 0.0, 0.2, 0.8, 0.1, 0.0],
        half_life_days: 3.0,
    }
}

fn effects(journeys: &Journeys, order: usize) -> RemovalEffects {
    let mut transitions = Transitions::new(order, Which::All, 1);
    journeys
        .iter()
        .for_each(|journey| transitions.add(&journey, 0));
    Chain::new(&transitions)
        .and_then(|chain| RemovalEffects::exact(&chain, CHANNELS as usize + 1))
        .unwrap_or_default()
}

/// Applies a check to every method.
fn with_methods(journeys: &Journeys, check: &mut dyn FnMut(&str, &dyn Credit)) {
    let model = model();
    check("last", &TouchRule::LastTouch);
    check(
        "last non-direct",
        &TouchRule::LastNonDirect {
            direct: Some(ChannelId(1)),
        },
    );
    check("first", &TouchRule::FirstTouch);
    check("linear", &TouchRule::Linear);
    check(
        "decay",
        &TouchRule::TimeDecay {
            half_life_days: 7.0,
        },
    );
    check(
        "position",
        &TouchRule::PositionBased(PositionWeights::default()),
    );
    check("shapley", &Cumulative);
    check("data-driven", &DataDriven(&model));
    let incremental = IncrementalShapley {
        model: &model,
        orders: 50,
        seed: 1,
    };
    check("incremental", &incremental);
    check("markov 1", &effects(journeys, 1));
    check("markov 2", &effects(journeys, 2));
}

/// The same journeys with channels renamed.
fn relabelled(journeys: &Journeys, name: impl Fn(u32) -> u32) -> Journeys {
    let mut renamed = Journeys::new();
    for journey in journeys.iter() {
        let touches = journey.touches.iter().map(|touch| Touch {
            channel: ChannelId(name(touch.channel.0)),
            ..*touch
        });
        renamed.push(touches, journey.outcome);
    }
    renamed
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_credit_sums_to_exactly_one_or_is_not_given(journeys in journeys()) {
        let mut wrong = Vec::new();
        with_methods(&journeys, &mut |name, method| {
            let mut shares = Vec::new();
            for journey in journeys.iter() {
                let given = method.credit(journey.touches, &mut shares);
                let sum: f64 = shares.iter().sum();
                let legal = shares.iter().all(|share| (0.0..=1.0).contains(share));
                let whole = if given { sum == 1.0 } else { sum == 0.0 };
                if !whole || !legal || shares.len() != journey.touches.len() {
                    wrong.push(format!("{name}: {shares:?}"));
                }
            }
        });
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn totals_add_up_to_all_conversions_and_all_value(journeys in journeys()) {
        let conversions: f64 = journeys.iter().map(|j| j.outcome.conversions).sum();
        let value: f64 = journeys.iter().map(|j| j.outcome.value).sum();
        let mut wrong = Vec::new();
        with_methods(&journeys, &mut |name, method| {
            let totals = Totals::of(method, journeys.iter());
            let given = totals.conversions.iter().sum::<f64>() + totals.uncredited_conversions;
            let worth = totals.value.iter().sum::<f64>() + totals.uncredited_value;
            if !close(conversions, given) || !close(value, worth) {
                wrong.push(format!("{name}: {given} of {conversions}, {worth} of {value}"));
            }
        });
        let whole = effects(&journeys, 3).totals(conversions, value);
        let given = whole.conversions.iter().sum::<f64>() + whole.uncredited_conversions;
        prop_assert!(close(conversions, given));
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn a_channel_that_nobody_met_gets_nothing(journeys in journeys()) {
        let mut credited = Vec::new();
        with_methods(&journeys, &mut |name, method| {
            let totals = Totals::of(method, journeys.iter());
            if totals.value_of(ChannelId(CHANNELS)) != 0.0 {
                credited.push(name.to_owned());
            }
        });
        for order in 1..=3 {
            let found = effects(&journeys, order);
            if found.removals.last().is_some_and(|unmet| unmet.conversion.abs() > 1e-12) {
                credited.push(format!("markov {order}"));
            }
        }
        prop_assert!(credited.is_empty(), "{credited:?}");
    }

    #[test]
    fn names_of_channels_do_not_matter(journeys in journeys()) {
        let name = |channel: u32| (channel + 2) % CHANNELS;
        let renamed = relabelled(&journeys, name);
        for rule in [TouchRule::Linear, TouchRule::LastTouch] {
            let (a, b) = (Totals::of(&rule, journeys.iter()), Totals::of(&rule, renamed.iter()));
            for channel in 0..CHANNELS {
                let (one, other) = (ChannelId(channel), ChannelId(name(channel)));
                prop_assert!(close(a.value_of(one), b.value_of(other)));
            }
        }
        let (a, b) = (Totals::of(&Cumulative, journeys.iter()), Totals::of(&Cumulative, renamed.iter()));
        let (before, after) = (effects(&journeys, 2), effects(&renamed, 2));
        for channel in 0..CHANNELS {
            let (one, other) = (ChannelId(channel), ChannelId(name(channel)));
            prop_assert!(close(a.value_of(one), b.value_of(other)));
            if let (Some(x), Some(y)) =
                (before.removals.get(one.index()), after.removals.get(other.index()))
            {
                prop_assert!(close(x.conversion, y.conversion) && close(x.value, y.value));
            }
        }
    }

    #[test]
    fn channels_that_are_met_alike_have_equal_shapley_values(journeys in journeys()) {
        // Each journey once as it is and once with channels 0 and 1 swapped.
        let swap = |channel: u32| if channel < 2 { 1 - channel } else { channel };
        let mut both = journeys.clone();
        for journey in relabelled(&journeys, swap).iter() {
            both.push(journey.touches.iter().copied(), journey.outcome);
        }
        let totals = Totals::of(&Cumulative, both.iter());
        prop_assert!(close(totals.value_of(ChannelId(0)), totals.value_of(ChannelId(1))));
    }

    #[test]
    fn at_order_one_repeats_of_a_channel_change_no_removal_effect(
        journeys in journeys(), times in 2usize..6,
    ) {
        let mut repeated = Journeys::new();
        for journey in journeys.iter() {
            let touches = journey.touches.iter().flat_map(|t| std::iter::repeat_n(*t, times));
            repeated.push(touches, journey.outcome);
        }
        let (once, often) = (effects(&journeys, 1), effects(&repeated, 1));
        for (a, b) in once.removals.iter().zip(&often.removals) {
            prop_assert!((a.conversion - b.conversion).abs() < 1e-10, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_conversion_rate_is_that_of_the_journeys_at_every_order(journeys in journeys()) {
        let met = || journeys.iter().filter(|journey| !journey.touches.is_empty());
        let all: f64 = met().map(|journey| journey.outcome.journeys()).sum();
        let converted: f64 = met().map(|journey| journey.outcome.conversions).sum();
        prop_assume!(all > 0.0);
        for order in 1..=4 {
            let whole = effects(&journeys, order).whole.conversion;
            prop_assert!((whole - converted / all).abs() < 1e-11, "order {order}");
        }
    }

    #[test]
    fn a_refund_takes_back_from_each_channel_what_the_order_gave_it(
        journeys in journeys(), part in 0.0f64..=1.0,
    ) {
        let mut orders = journeys.iter().filter(|journey| journey.outcome.conversions > 0.0);
        let Some(order) = orders.next() else {
            return Ok(());
        };
        let worth = |value: f64| Journey {
            outcome: Outcome { value, ..order.outcome },
            ..order
        };
        let value = order.outcome.value;
        let mut wrong = Vec::new();
        with_methods(&journeys, &mut |name, method| {
            let (whole, refunded) = (Totals::of(method, [order]), Totals::of(method, [worth(0.0)]));
            // A refund may come as an order of its own, or as a lower value of the order.
            let booked = Totals::of(method, [order, worth(-part * value)]);
            let restated = Totals::of(method, [worth(value - part * value)]);
            for channel in (0..CHANNELS).map(ChannelId) {
                let left = (1.0 - part) * whole.value_of(channel);
                let same = close(left, booked.value_of(channel))
                    && close(left, restated.value_of(channel))
                    && refunded.value_of(channel) == 0.0
                    && close(whole.conversions_of(channel), refunded.conversions_of(channel));
                if !same {
                    wrong.push(format!("{name}, {channel:?}"));
                }
            }
            let given = restated.value.iter().sum::<f64>() + restated.uncredited_value;
            if !close(given, value - part * value) {
                wrong.push(format!("{name}: {given} in all"));
            }
        });
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }
}

/// Start → a (1), a → b (1/2), a → conversion (1/4), a → null (1/4), b → conversion (1/2), b → null
/// (1/2). P = 1/4 + 1/2 · 1/2 = 1/2; without a nothing is left; without b 1/4 is left.
#[test]
fn a_chain_solved_by_hand() {
    let mut channels = mixline_attribution::Channels::new();
    let mut journeys = Journeys::new();
    let one = |converts: bool| {
        if converts {
            Outcome::conversion(10.0, 0)
        } else {
            Outcome::null(0)
        }
    };
    for (path, converts) in [("a > b", true), ("a > b", false), ("a", true), ("a", false)] {
        journeys.push_path(&mut channels, path, one(converts));
    }
    let effects = effects(&journeys, 1);
    let of = |name: &str| effects.removals[channels.find(name).expect("there is a chain").index()];
    assert!((effects.whole.conversion - 0.5).abs() < 1e-15);
    assert!((of("a").conversion - 1.0).abs() < 1e-15);
    assert!((of("b").conversion - 0.5).abs() < 1e-15);
    let totals = effects.totals(2.0, 20.0);
    assert!((totals.conversions[0] - 4.0 / 3.0).abs() < 1e-12);
}

/// A journey of 10,000 touches that goes to and fro is no trouble, and one of a single channel
/// costs nothing at all.
#[test]
fn very_long_journeys_are_solved() {
    let mut channels = mixline_attribution::Channels::new();
    let mut journeys = Journeys::new();
    journeys.push_path(
        &mut channels,
        &"a > b > ".repeat(5_000),
        Outcome::conversion(1.0, 0),
    );
    journeys.push_path(&mut channels, &"a > ".repeat(10_000), Outcome::null(1));
    journeys.push_path(&mut channels, "b", Outcome::null(2));
    for order in 1..=3 {
        let whole = effects(&journeys, order).whole.conversion;
        assert!((whole - 1.0 / 3.0).abs() < 1e-10, "order {order}: {whole}");
    }
}
