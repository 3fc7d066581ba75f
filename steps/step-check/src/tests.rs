//! The step as a whole, on generated worlds and on broken ones.

use chrono::NaiveTime;
use mixline_schema::{ExitCode, Window};
use mixline_step::{Context, Step as _, Table};
use mixline_testkit::{World, WorldSpec};

use super::*;

fn world() -> World {
    World::generate(&WorldSpec {
        days: 200,
        ..WorldSpec::default()
    })
}

fn table<A: mixline_schema::Artifact>(rows: Vec<A>) -> Option<Table<A>> {
    Some(Table::from_rows(rows).unwrap())
}

fn inputs(world: &World) -> Inputs {
    Inputs {
        media: table(world.media_daily()),
        orders: table(world.orders_table()),
        touchpoints: table(world.touchpoints()),
        outcome: table(world.outcome()),
        controls: table(world.controls()),
    }
}

fn nothing() -> Inputs {
    Inputs {
        media: None,
        orders: None,
        touchpoints: None,
        outcome: None,
        controls: None,
    }
}

fn codes(outputs: &Outputs, severity: &str) -> Vec<String> {
    let rows = outputs
        .findings
        .rows()
        .into_iter()
        .filter(|row| row.severity == severity);
    rows.map(|row| row.code).collect()
}

#[test]
fn a_generated_world_has_no_errors() {
    for seed in [1, 7, 42] {
        let world = World::generate(&WorldSpec {
            seed,
            days: 400,
            ..WorldSpec::default()
        });
        let ctx = Context::for_test();
        let outputs = Check::run(&Config::default(), inputs(&world), &ctx).unwrap();
        assert_eq!(codes(&outputs, "error"), Vec::<String>::new());
        assert!(ctx.late_failure().is_none());
        assert_eq!(ctx.notes()["errors"], 0);
    }
}

#[test]
fn an_error_fails_the_step_after_its_findings_are_there() {
    let world = world();
    let mut media = world.media_daily();
    media[3].spend = Some(-4.0);
    let ctx = Context::for_test();
    let broken = Inputs {
        media: table(media),
        ..inputs(&world)
    };
    let outputs = Check::run(&Config::default(), broken, &ctx).unwrap();
    assert_eq!(codes(&outputs, "error"), ["spend.negative"]);
    let error = ctx.late_failure().unwrap();
    assert_eq!(error.exit_code(), ExitCode::Data);
    assert!(error.to_string().contains("spend.negative"), "{error}");
    assert_eq!(ctx.notes()["errors"], 1);
}

#[test]
fn a_hole_in_the_target_is_an_error_and_one_in_media_a_warning() {
    let world = world();
    let (mut outcome, mut media) = (world.outcome(), world.media_daily());
    let hole = world.days[50].date;
    outcome.retain(|row| row.date != hole);
    media.retain(|row| row.date != hole || row.channel != "google");
    let broken = Inputs {
        outcome: table(outcome),
        media: table(media),
        ..inputs(&world)
    };
    let outputs = Check::run(&Config::default(), broken, &Context::for_test()).unwrap();
    assert_eq!(
        codes(&outputs, "error"),
        ["date.gap", "date.gap"],
        "revenue and orders"
    );
    let gaps = outputs
        .findings
        .rows()
        .into_iter()
        .filter(|row| row.code == "date.gap");
    let media: Vec<_> = gaps.filter(|row| row.artifact == "media_daily").collect();
    assert_eq!(media.len(), 1);
    assert_eq!(
        (media[0].subject.as_str(), media[0].severity.as_str()),
        ("google", "warning")
    );
}

#[test]
fn days_that_have_not_begun_are_errors_when_there_is_a_window() {
    let world = world();
    let instant = |index: usize| world.days[index].date.and_time(NaiveTime::MIN).and_utc();
    let ctx = Context::for_test().with_window(Window::new(instant(0), instant(120)).unwrap());
    let outputs = Check::run(&Config::default(), inputs(&world), &ctx).unwrap();
    assert!(
        codes(&outputs, "error").is_empty(),
        "what came after an old window is not future"
    );
    let mut given = inputs(&world);
    let mut media = world.media_daily();
    let planned = media[0].date + chrono::Days::new(500);
    media.push(mixline_schema::catalog::MediaDaily {
        date: planned,
        ..media[0].clone()
    });
    given.media = table(media);
    let outputs = Check::run(&Config::default(), given, &ctx).unwrap();
    let errors = codes(&outputs, "error");
    assert!(
        !errors.is_empty() && errors.iter().all(|code| code == "date.future"),
        "{errors:?}"
    );
}

#[test]
fn two_currencies_stop_the_run_unless_the_code_is_turned_down() {
    let world = world();
    let dollars = || {
        let mut orders = world.orders_table();
        orders[0].currency = "USD".to_owned();
        Inputs {
            orders: table(orders),
            ..inputs(&world)
        }
    };
    let ctx = Context::for_test();
    Check::run(&Config::default(), dollars(), &ctx).unwrap();
    assert!(
        ctx.late_failure()
            .unwrap()
            .to_string()
            .contains("currency.mixed")
    );
    let severity = [("currency.mixed".to_owned(), Level::Warning)].into();
    let outputs = Check::run(
        &Config {
            severity,
            ..Config::default()
        },
        dollars(),
        &ctx,
    )
    .unwrap();
    assert!(ctx.late_failure().is_none());
    assert!(codes(&outputs, "warning").contains(&"currency.mixed".to_owned()));
}

#[test]
fn every_finding_says_what_and_advises() {
    let world = World::generate(&WorldSpec {
        days: 20,
        ..WorldSpec::default()
    });
    let mut media = world.media_daily();
    media[0].campaign = "=HYPERLINK()".to_owned();
    media[1].spend = None;
    let broken = Inputs {
        media: table(media),
        ..inputs(&world)
    };
    let outputs = Check::run(&Config::default(), broken, &Context::for_test()).unwrap();
    let rows = outputs.findings.rows();
    assert!(rows.len() > 3, "{rows:?}");
    assert!(
        rows.iter()
            .all(|row| !row.message.is_empty() && !row.advice.is_empty())
    );
}

#[test]
fn no_data_is_nothing_to_do() {
    let error = Check::run(&Config::default(), nothing(), &Context::for_test()).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::NothingToDo);
}
