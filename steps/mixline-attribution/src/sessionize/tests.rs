//! Behavior of the sessionizer on small lives.

use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000_000;
const END: i64 = NEW_YEAR + 200 * DAY;

fn click(row: usize, at: i64, source: u32) -> Met {
    Met {
        at: NEW_YEAR + at,
        source,
        kind: Kind::Click,
        row,
    }
}

fn view(row: usize, at: i64, source: u32) -> Met {
    Met {
        kind: Kind::View,
        ..click(row, at, source)
    }
}

fn order(row: usize, at: i64, value: f64) -> Bought {
    Bought {
        at: NEW_YEAR + at,
        value,
        id: row as u64,
        row,
    }
}

/// Journeys as rows of touches and how they ended; and what was left out.
type Told = (Vec<(Vec<usize>, End)>, Vec<(LeftOut, Reason)>);

fn told(rules: Rules, met: &[Met], bought: &[Bought]) -> Told {
    let mut sessionizer = Sessionizer::new(rules, END);
    sessionizer.customer(&mut met.to_vec(), &mut bought.to_vec());
    let rows = |trip: &Trip| {
        let steps = &sessionizer.steps[trip.steps.clone()];
        (steps.iter().map(|step| step.row).collect(), trip.end)
    };
    (
        sessionizer.trips.iter().map(rows).collect(),
        sessionizer.left_out.clone(),
    )
}

#[test]
fn an_order_ends_a_journey_and_the_next_touch_begins_another() {
    let met = [
        click(0, 0, 1),
        click(1, DAY, 2),
        click(2, 5 * DAY, 1),
        click(3, 190 * DAY, 1),
    ];
    let (trips, left_out) = told(Rules::default(), &met, &[order(9, 2 * DAY, 10.0)]);
    let expected = [
        (vec![0, 1], End::Converted(9)),
        (vec![2], End::Ended),
        (vec![3], End::Open),
    ];
    assert_eq!(trips, expected);
    assert!(left_out.is_empty());
}

#[test]
fn touches_beyond_the_look_back_had_their_time_without_a_conversion() {
    let met = [click(0, 0, 1), click(1, 40 * DAY, 2)];
    let (trips, _) = told(Rules::default(), &met, &[order(9, 41 * DAY, 10.0)]);
    assert_eq!(trips, [(vec![0], End::Ended), (vec![1], End::Converted(9))]);
}

#[test]
fn a_path_continues_over_a_conversion_where_that_is_asked_for() {
    let rules = Rules {
        after_conversion: AfterConversion::Continue,
        ..Rules::default()
    };
    let met = [click(0, 0, 1), click(1, 3 * DAY, 2)];
    let bought = [order(8, DAY, 1.0), order(9, 4 * DAY, 1.0)];
    let (trips, _) = told(rules, &met, &bought);
    assert_eq!(
        trips,
        [
            (vec![0], End::Converted(8)),
            (vec![0, 1], End::Converted(9))
        ]
    );
}

#[test]
fn views_have_a_look_back_and_a_weight_of_their_own() {
    let rules = Rules {
        view_weight: 0.25,
        ..Rules::default()
    };
    let mut sessionizer = Sessionizer::new(rules, END);
    let mut met = vec![
        view(0, 0, 1),
        click(1, 2 * DAY, 2),
        view(2, 3 * DAY - HOUR, 1),
    ];
    sessionizer.customer(&mut met, &mut [order(9, 3 * DAY, 10.0)]);
    let weights: Vec<f64> = sessionizer.steps.iter().map(|step| step.weight).collect();
    assert_eq!(weights, [0.0, 1.0, 0.25]);
    assert_eq!(sessionizer.steps[1].age_days, 1.0);
}

#[test]
fn a_touch_at_the_order_or_just_after_counts_only_where_the_rules_say_so() {
    let second = 1_000_000;
    let met = [
        click(0, 0, 1),
        click(1, DAY, 1),
        click(2, DAY + 3 * second, 2),
    ];
    let bought = [order(9, DAY, 10.0)];
    let (trips, _) = told(Rules::default(), &met, &bought);
    assert_eq!(trips[0], (vec![0], End::Converted(9)));
    let at = Rules {
        at_conversion: true,
        ..Rules::default()
    };
    assert_eq!(told(at, &met, &bought).0[0].0, [0, 1]);
    let skewed = Rules {
        clock_skew_seconds: 5.0,
        ..Rules::default()
    };
    assert_eq!(
        told(skewed, &met, &bought).0,
        [(vec![0, 1, 2], End::Converted(9))]
    );
}

#[test]
fn sessions_are_numbered_and_one_touch_of_each_may_be_kept() {
    let minute = HOUR / 60;
    let met = [
        view(0, 0, 1),
        click(1, 5 * minute, 1),
        click(2, 10 * minute, 1),
        click(3, 60 * minute, 1),
    ];
    let mut sessionizer = Sessionizer::new(Rules::default(), END);
    sessionizer.customer(&mut met.to_vec(), &mut []);
    let sessions: Vec<u32> = sessionizer.steps.iter().map(|step| step.session).collect();
    assert_eq!(sessions, [1, 1, 1, 2]);
    let rules = Rules {
        unit: Unit::Session,
        ..Rules::default()
    };
    let (trips, left_out) = told(rules, &met, &[]);
    assert_eq!(trips[0].0, [1, 3]);
    assert!(
        left_out
            .iter()
            .all(|(_, reason)| *reason == Reason::SameSession)
    );
}

#[test]
fn what_cannot_be_is_left_out_with_its_reason() {
    let met = [
        click(0, 0, 1),
        click(1, 200_000, 1),
        click(2, -30 * 365 * DAY, 1),
        click(3, 300 * DAY, 1),
    ];
    let bought = [
        order(4, DAY, -5.0),
        order(5, DAY, f64::NAN),
        Bought {
            id: 4,
            ..order(6, 2 * DAY, 5.0)
        },
        order(7, 400 * DAY, 5.0),
    ];
    let (trips, mut left_out) = told(Rules::default(), &met, &bought);
    left_out.sort_by_key(|(what, _)| match what {
        LeftOut::Touch(row) | LeftOut::Order(row) => *row,
    });
    let reasons: Vec<&str> = left_out.iter().map(|(_, reason)| reason.name()).collect();
    let expected = [
        "duplicate",
        "clock_skew",
        "clock_skew",
        "negative_value",
        "no_value",
        "duplicate_order",
        "clock_skew",
    ];
    assert_eq!(reasons, expected);
    // The order of negative value stands alone, so that revenue still adds up.
    assert_eq!(trips, [(vec![], End::Converted(4)), (vec![0], End::Ended)]);
}

#[test]
fn programs_and_endless_paths_are_left_out() {
    let often: Vec<Met> = (0..10_000)
        .map(|n| click(n, n as i64 * 2_000_000, n as u32 % 3))
        .collect();
    let (trips, left_out) = told(Rules::default(), &often, &[order(0, 5 * DAY, 1.0)]);
    assert_eq!(trips, [(vec![], End::Converted(0))]);
    assert!(left_out.len() == 10_000 && left_out[0].1 == Reason::Bot);
    let patient = Rules {
        bot_touches_per_day: 100_000,
        ..Rules::default()
    };
    let (trips, left_out) = told(patient, &often, &[order(0, 5 * DAY, 1.0)]);
    assert_eq!(trips[0].0.len(), 500);
    assert_eq!(trips[0].0[499], 9_999);
    assert!(left_out.len() == 9_500 && left_out[0].1 == Reason::PathTooLong);
}

#[test]
fn rules_outside_their_domain_name_their_key() {
    let wrong = Rules {
        view_weight: -1.0,
        ..Rules::default()
    };
    assert_eq!(wrong.validate().unwrap_err().key, "view_weight");
    let wrong = Rules {
        max_touches: 0,
        ..Rules::default()
    };
    assert_eq!(wrong.validate().unwrap_err().key, "max_touches");
    assert!(Rules::default().validate().is_ok());
}

/// A customer's life: touches and orders at any time, some of them impossible.
fn life() -> impl Strategy<Value = (Vec<Met>, Vec<Bought>)> {
    let met = prop::collection::vec((-10i64..5_000, 0u32..4, any::<bool>()), 0..60);
    let bought = prop::collection::vec((0i64..5_000, -10.0f64..90.0, 0u64..8), 0..6);
    (met, bought).prop_map(|(met, bought)| {
        let touch = |(row, (hours, source, click)): (usize, (i64, u32, bool))| Met {
            at: NEW_YEAR + hours * HOUR,
            source,
            kind: if click { Kind::Click } else { Kind::View },
            row,
        };
        let order = |(row, (hours, value, id)): (usize, (i64, f64, u64))| Bought {
            at: NEW_YEAR + hours * HOUR,
            value,
            id,
            row,
        };
        (
            met.into_iter().enumerate().map(touch).collect(),
            bought.into_iter().enumerate().map(order).collect(),
        )
    })
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        (met, bought) in life(), restart in any::<bool>(), short in any::<bool>(), per_session in any::<bool>(),
    ) {
        let rules = Rules {
            after_conversion: if restart { AfterConversion::Restart } else { AfterConversion::Continue },
            unit: if per_session { Unit::Session } else { Unit::Touch },
            max_touches: if short { 3 } else { 500 },
            bot_touches_per_day: 20,
            ..Rules::default()
        };
        let (trips, left_out) = told(rules, &met, &bought);
        let mut touches: BTreeMap<usize, usize> = BTreeMap::new();
        let mut orders: BTreeMap<usize, usize> = BTreeMap::new();
        for (rows, end) in &trips {
            for row in rows {
                *touches.entry(*row).or_default() += 1;
            }
            if let End::Converted(row) = end {
                *orders.entry(*row).or_default() += 1;
            } else {
                prop_assert!(!rows.is_empty());
            }
        }
        for (what, reason) in &left_out {
            match what {
                LeftOut::Touch(row) => *touches.entry(*row).or_default() += 1,
                // An order of negative value is told and also stands as a journey of its own.
                LeftOut::Order(_) if *reason == Reason::NegativeValue => {}
                LeftOut::Order(row) => *orders.entry(*row).or_default() += 1,
            }
        }
        prop_assert_eq!(touches.len(), met.len());
        prop_assert_eq!(orders.len(), bought.len());
        prop_assert!(orders.values().all(|times| *times == 1));
        prop_assert!(!restart || touches.values().all(|times| *times == 1));
    }

    #[test]
    fn the_order_of_rows_does_not_matter((met, bought) in life()) {
        let (mut backward, mut orders) = (met.clone(), bought.clone());
        backward.reverse();
        orders.reverse();
        let (a, _) = told(Rules::default(), &met, &bought);
        let (b, _) = told(Rules::default(), &backward, &orders);
        prop_assert_eq!(a, b);
    }

    #[test]
    fn ages_fall_along_a_journey((met, bought) in life()) {
        let mut sessionizer = Sessionizer::new(Rules::default(), END);
        sessionizer.customer(&mut met.clone(), &mut bought.clone());
        for trip in &sessionizer.trips {
            let steps = &sessionizer.steps[trip.steps.clone()];
            prop_assert!(steps.windows(2).all(|pair| pair[0].age_days >= pair[1].age_days));
            prop_assert!(steps.iter().all(|step| (0.0..=f64::MAX).contains(&step.age_days)));
        }
    }
}
