use chrono::{Days, NaiveDate};
use mixline_schema::catalog::{Controls, MediaDaily, Outcome};
use mixline_step::{Context, Step as _, Table};

use super::*;

fn day(offset: u64) -> NaiveDate {
    // A Wednesday.
    NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Days::new(offset)
}

fn inputs(days: u64, step: u64) -> Inputs {
    let every = |from: u64| (from..days).step_by(step as usize).map(day);
    let media = every(0).map(|date| MediaDaily {
        date,
        channel: "tv".into(),
        campaign: "all".into(),
        geo: "all".into(),
        currency: "EUR".into(),
        spend: Some(10.0),
        impressions: None,
        clicks: None,
    });
    let outcome = every(7).map(|date| Outcome {
        date,
        geo: "all".into(),
        metric: "revenue".into(),
        value: 2.0,
        unit: "EUR".into(),
    });
    let controls = every(7).map(|date| Controls {
        date,
        geo: "all".into(),
        control: "price".into(),
        value: 3.0,
    });
    Inputs {
        media: Table::from_rows(media.collect()).unwrap(),
        orders: None,
        outcome: Some(Table::from_rows(outcome.collect()).unwrap()),
        controls: Some(Table::from_rows(controls.collect()).unwrap()),
    }
}

fn run(config: &Config, inputs: Inputs) -> Result<Outputs, StepError> {
    Prepare::run(config, inputs, &Context::for_test())
}

#[test]
fn days_become_whole_weeks_with_history_and_holdout() {
    let config = Config {
        holdout_periods: 2,
        ..Config::default()
    };
    let out = run(&config, inputs(60, 1)).unwrap();
    let rows = out.design.rows();
    let outcome: Vec<&Design> = rows.iter().filter(|row| row.role == "outcome").collect();
    // The outcome starts on a Wednesday and ends on a Saturday: both ends are partial weeks.
    assert_eq!(outcome.len(), 6);
    assert!(outcome.iter().all(|row| row.value == 14.0));
    assert_eq!(
        outcome.iter().filter(|row| row.split == "holdout").count(),
        2
    );
    let media: Vec<&Design> = rows.iter().filter(|row| row.role == "media").collect();
    assert_eq!(
        media.iter().filter(|row| row.split == "history").count(),
        1,
        "{media:?}"
    );
    assert!(
        rows.iter()
            .filter(|row| row.role == "control")
            .all(|row| row.value == 3.0)
    );
}

#[test]
fn weekly_data_keep_their_own_dates() {
    let out = run(&Config::default(), inputs(70, 7)).unwrap();
    let rows = out.design.rows();
    let first = rows.iter().find(|row| row.role == "outcome").unwrap();
    assert_eq!((first.date, first.value), (day(7), 2.0));
    assert_eq!(out.columns.len(), 4);
}

#[test]
fn mistakes_name_what_is_wrong() {
    let message = |config: Config| run(&config, inputs(60, 1)).unwrap_err().chain();
    let config = Config {
        channels: vec!["radio".into()],
        ..Config::default()
    };
    assert!(message(config).contains("no channel `radio`"));
    let config = Config {
        outcome: "leads".into(),
        ..Config::default()
    };
    assert!(message(config).contains("no outcome `leads`: `outcome` holds `revenue`"));
    let config = Config {
        holdout_periods: 40,
        ..Config::default()
    };
    assert!(message(config).contains("`holdout_periods` is 40"));
    let mut holed = inputs(60, 1);
    let mut rows = holed.controls.unwrap().rows();
    rows.retain(|row| row.date < day(19) || row.date >= day(33));
    holed.controls = Some(Table::from_rows(rows).unwrap());
    let error = run(&Config::default(), holed).unwrap_err().chain();
    assert!(
        error.contains("the control `price` has no value in geo `all`"),
        "{error}"
    );
}
