use mixline_model::response::Interval;
use mixline_model_tables::Verdict;
use serde_json::json;

use super::*;
use crate::confidence::Confidence;

fn facts(day: u64) -> Facts {
    let as_of = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap() + Days::new(day);
    Facts {
        as_of,
        data_until: as_of,
        model_id: "m".into(),
        verdict: Some(Verdict::Pass),
        unit: "EUR".into(),
        channels: Vec::new(),
        moves: Vec::new(),
        no_moves: None,
    }
}

fn proposal(action: Action, channel: &str, to_channel: &str) -> Proposal {
    Proposal {
        action,
        rule: "r",
        channel: channel.into(),
        to_channel: to_channel.into(),
        spend: Some((10.0, 12.0)),
        gain: Some(Interval {
            mean: 1.0,
            ..Interval::default()
        }),
        probability: Some(0.9),
        confidence: Confidence {
            value: 0.8,
            reason: "r".into(),
        },
        message: "m".into(),
        evidence: json!({}),
    }
}

/// Runs the rules' answers of several days in a row.
fn days(steps: &[(u64, Action, &str, &str)]) -> Vec<DecisionStore> {
    let rules = Rules::default();
    steps
        .iter()
        .fold(Vec::new(), |known, (day, action, from, to)| {
            merged(
                &rules,
                &facts(*day),
                known,
                vec![proposal(*action, from, to)],
            )
        })
}

fn shown(rows: &[DecisionStore]) -> Vec<(&str, &str)> {
    rows.iter()
        .map(|row| (row.action.as_str(), row.status.as_str()))
        .collect()
}

#[test]
fn what_stands_is_not_said_again_until_it_expires() {
    let up = Action::ScaleUp;
    let rows = days(&[(0, up, "tv", ""), (1, up, "tv", ""), (28, up, "tv", "")]);
    assert_eq!(shown(&rows), [("scale_up", "proposed")]);
    let rows = days(&[(0, up, "tv", ""), (29, up, "tv", "")]);
    assert_eq!(
        shown(&rows),
        [("scale_up", "expired"), ("scale_up", "proposed")]
    );
}

#[test]
fn nothing_is_turned_around_within_the_cool_down() {
    use Action::{Hold, Reallocate, ScaleDown, ScaleUp, Test};
    for (first, second, day, kept) in [
        ((ScaleUp, "tv", ""), (ScaleDown, "tv", ""), 13, false),
        ((ScaleUp, "tv", ""), (ScaleDown, "tv", ""), 14, true),
        ((ScaleUp, "tv", ""), (Hold, "tv", ""), 13, false),
        ((ScaleUp, "tv", ""), (Hold, "tv", ""), 14, true),
        ((Hold, "tv", ""), (ScaleUp, "tv", ""), 1, true),
        ((ScaleUp, "tv", ""), (ScaleDown, "search", ""), 1, true),
        (
            (Reallocate, "tv", "search"),
            (Reallocate, "search", "tv"),
            5,
            false,
        ),
        ((Reallocate, "tv", "search"), (ScaleUp, "tv", ""), 5, false),
        (
            (Reallocate, "tv", "search"),
            (ScaleDown, "search", ""),
            5,
            false,
        ),
        (
            (Reallocate, "tv", "search"),
            (ScaleUp, "search", ""),
            5,
            true,
        ),
        ((ScaleUp, "tv", ""), (Reallocate, "tv", "search"), 5, false),
        ((ScaleUp, "tv", ""), (Test, "tv", ""), 1, true),
    ] {
        let rows = days(&[
            (0, first.0, first.1, first.2),
            (day, second.0, second.1, second.2),
        ]);
        assert_eq!(rows.len() == 2, kept, "{first:?} {second:?} {day}");
    }
}

#[test]
fn a_new_word_on_a_channel_supersedes_the_open_one_but_a_test_does_not() {
    let rows = days(&[
        (0, Action::Hold, "tv", ""),
        (1, Action::ScaleUp, "tv", ""),
        (2, Action::Test, "tv", ""),
    ]);
    assert_eq!(
        shown(&rows),
        [
            ("hold", "superseded"),
            ("scale_up", "proposed"),
            ("test", "proposed")
        ]
    );
}

#[test]
fn a_rejection_is_respected_for_the_cool_down_and_an_acceptance_until_it_expires() {
    let rules = Rules::default();
    let with = |status: &str, day: u64| {
        let mut known = days(&[(0, Action::ScaleUp, "tv", "")]);
        known[0].status = status.to_owned();
        merged(
            &rules,
            &facts(day),
            known,
            vec![proposal(Action::ScaleUp, "tv", "")],
        )
        .len()
    };
    assert_eq!((with("rejected", 13), with("rejected", 14)), (1, 2));
    assert_eq!((with("accepted", 28), with("accepted", 29)), (1, 2));
}
