//! Every rule at, below and above its limits.

use chrono::{Days, NaiveDate};
use mixline_model::response::Interval;
use mixline_model_tables::Verdict;

use super::*;
use crate::facts::{Change, Channel, Modelled, Move};

fn interval(q05: f64, mean: f64, q95: f64) -> Interval {
    Interval {
        mean,
        q05,
        q25: q05,
        q50: mean,
        q75: q95,
        q95,
    }
}

fn channel(marginal: Interval, above_break_even: f64) -> Channel {
    let change = |spend: f64| Change {
        spend,
        gain: interval(1.0, 2.0, 3.0),
        probability: 0.9,
        inside_observed: true,
    };
    Channel {
        name: "tv".into(),
        spend_share: 0.4,
        attributed_roas: Some(2.0),
        modelled: Some(Modelled {
            spend: 100.0,
            marginal,
            above_break_even,
            up: change(120.0),
            down: change(80.0),
        }),
        disputed: false,
    }
}

fn facts(channels: Vec<Channel>, moves: Vec<Move>) -> Facts {
    let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    Facts {
        as_of: day,
        data_until: day - Days::new(7),
        model_id: "m".into(),
        verdict: Some(Verdict::Pass),
        unit: "EUR".into(),
        channels,
        moves,
        no_moves: None,
    }
}

fn actions(rules: &Rules, facts: &Facts) -> Vec<Action> {
    apply(rules, facts).iter().map(|p| p.action).collect()
}

#[test]
fn scaling_needs_both_the_limit_and_the_probability() {
    for (mean, above, want) in [
        (1.2, 0.8, Action::ScaleUp),
        (1.19, 0.99, Action::Hold),
        (1.5, 0.79, Action::Hold),
        (0.8, 0.2, Action::ScaleDown),
        (0.81, 0.0, Action::Hold),
        (0.5, 0.21, Action::Hold),
        (1.0, 0.5, Action::Hold),
        (-0.4, 0.0, Action::ScaleDown),
    ] {
        let facts = facts(
            vec![channel(interval(mean - 0.1, mean, mean + 0.1), above)],
            vec![],
        );
        assert_eq!(actions(&Rules::default(), &facts), [want], "{mean} {above}");
    }
}

#[test]
fn break_even_moves_every_limit() {
    let rules = Rules {
        break_even_roas: 2.0,
        ..Rules::default()
    };
    for (mean, above, want) in [
        (2.4, 0.9, Action::ScaleUp),
        (2.3, 0.9, Action::Hold),
        (1.6, 0.1, Action::ScaleDown),
    ] {
        let facts = facts(
            vec![channel(interval(mean - 0.1, mean, mean + 0.1), above)],
            vec![],
        );
        assert_eq!(actions(&rules, &facts), [want], "{mean}");
    }
}

#[test]
fn a_wide_interval_or_a_dispute_asks_for_a_test_where_money_is_at_stake() {
    let sure = channel(interval(0.9, 1.0, 1.1), 0.5);
    // Two times the mean is the limit.
    let wide = channel(interval(0.0, 1.0, 2.0), 0.5);
    let narrower = channel(interval(0.01, 1.0, 2.0), 0.5);
    let small = Channel {
        spend_share: 0.029,
        ..wide.clone()
    };
    let disputed = Channel {
        disputed: true,
        ..sure.clone()
    };
    for (channel, want) in [
        (sure, false),
        (wide, true),
        (narrower, false),
        (small, false),
        (disputed, true),
    ] {
        let found = actions(&Rules::default(), &facts(vec![channel.clone()], vec![]));
        assert_eq!(found.contains(&Action::Test), want, "{channel:?}");
    }
}

#[test]
fn an_unsure_action_is_held_and_says_what_it_would_have_been() {
    let mut unsure = facts(vec![channel(interval(-3.0, 1.5, 6.0), 0.85)], vec![]);
    unsure.verdict = Some(Verdict::Review);
    let rules = Rules {
        test: crate::config::Test {
            enabled: false,
            ..Default::default()
        },
        ..Rules::default()
    };
    let proposals = apply(&rules, &unsure);
    assert_eq!(proposals[0].action, Action::Hold);
    assert!(
        proposals[0]
            .message
            .contains("ask to scale up, but confidence is 0.17"),
        "{}",
        proposals[0].message
    );
    unsure.data_until = unsure.as_of - Days::new(100);
    assert_eq!(apply(&rules, &unsure)[0].confidence.value, 0.0);
}

#[test]
fn moves_must_be_large_and_likely_enough_and_few() {
    let a_move = |amount: f64, probability: f64| Move {
        from: "tv".into(),
        to: "search".into(),
        amount,
        spend: 100.0,
        gain: interval(4.0, 5.0, 6.0),
        probability,
    };
    for (amount, probability, want) in [(5.0, 0.8, 1), (4.9, 0.8, 0), (5.0, 0.79, 0)] {
        let found = apply(
            &Rules::default(),
            &facts(vec![], vec![a_move(amount, probability)]),
        );
        assert_eq!(found.len(), want, "{amount} {probability}");
    }
    let many = facts(vec![], vec![a_move(50.0, 1.0); 7]);
    assert_eq!(apply(&Rules::default(), &many).len(), 3);
}

#[test]
fn attribution_alone_speaks_only_with_a_target_and_without_a_model() {
    let mut rules = Rules::default();
    let unknown = |roas: f64| Channel {
        modelled: None,
        attributed_roas: Some(roas),
        ..channel(interval(1.0, 1.0, 1.0), 0.5)
    };
    assert!(actions(&rules, &facts(vec![unknown(9.0)], vec![])).is_empty());
    rules.attributed.target_roas = Some(4.0);
    for (roas, want) in [
        (5.0, vec![Action::ScaleUp]),
        (4.9, vec![]),
        (3.0, vec![Action::ScaleDown]),
        (3.1, vec![]),
    ] {
        assert_eq!(
            actions(&rules, &facts(vec![unknown(roas)], vec![])),
            want,
            "{roas}"
        );
    }
    let known = channel(interval(0.9, 1.0, 1.1), 0.5);
    assert_eq!(actions(&rules, &facts(vec![known], vec![])), [Action::Hold]);
}
