use super::*;

fn decided(verdict: &str, score: Option<f64>, standing: &Standing) -> Decision {
    decide(&Config::default(), verdict, score, standing)
}

#[test]
fn a_failed_verdict_is_never_promoted() {
    for standing in [Standing::Vacant, Standing::Same, Standing::Scored(9e9)] {
        assert!(!decided("fail", Some(1.0), &standing).promoted);
    }
}

#[test]
fn the_first_good_candidate_is_promoted_and_a_worse_one_is_not() {
    assert!(decided("pass", Some(5.0), &Standing::Vacant).promoted);
    assert!(
        decided("review", Some(5.0), &Standing::Scored(4.9)).promoted,
        "within the tolerance"
    );
    let worse = decided("pass", Some(9.0), &Standing::Scored(4.0));
    assert!(!worse.promoted);
    assert_eq!(
        worse.reason,
        "CRPS 9.0000 against the champion's 4.0000; at most 10 % more is tolerated"
    );
    let strict = Config {
        accept_review: false,
        ..Config::default()
    };
    assert!(!decide(&strict, "review", Some(1.0), &Standing::Vacant).promoted);
}

#[test]
fn the_score_is_that_of_the_holdout_when_there_is_one() {
    let row = |split: &str, crps| Predictions {
        date: chrono::NaiveDate::default(),
        geo: "all".into(),
        split: split.into(),
        observed: 1.0,
        expected: 1.0,
        expected_q05: 1.0,
        expected_q95: 1.0,
        predicted_q05: 1.0,
        predicted_q25: 1.0,
        predicted_q75: 1.0,
        predicted_q95: 1.0,
        crps,
    };
    assert_eq!(score(&[row("train", 1.0), row("train", 3.0)]), Some(2.0));
    assert_eq!(score(&[row("train", 1.0), row("holdout", 7.0)]), Some(7.0));
    assert_eq!(score(&[]), None);
}
