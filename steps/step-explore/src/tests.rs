use chrono::{Days, NaiveDate};
use mixline_step::{Context, Step as _, Table};

use super::*;

type Cell = fn(u64) -> f64;

fn design(series: &[(&str, &str, Cell)]) -> Table<Design> {
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let rows = series.iter().flat_map(|(role, variable, value)| {
        (0..40).map(move |t| Design {
            date: start + Days::new(7 * t),
            geo: "all".into(),
            role: (*role).into(),
            variable: (*variable).into(),
            value: value(t),
            unit: String::new(),
            split: "train".into(),
        })
    });
    Table::from_rows(rows.collect()).unwrap()
}

fn codes(series: &[(&str, &str, Cell)]) -> (Vec<String>, bool) {
    let ctx = Context::for_test();
    let out = Explore::run(
        &Config::default(),
        Inputs {
            design: design(series),
        },
        &ctx,
    )
    .unwrap();
    assert!(!out.statistics.is_empty());
    let codes = out
        .findings
        .rows()
        .into_iter()
        .map(|row| row.code)
        .collect();
    (codes, ctx.late_failure().is_some())
}

const WAVE: Cell = |t| 5.0 + ((t * 7) % 13) as f64;
const OUTCOME: Cell = |t| 100.0 + ((t * 11) % 17) as f64;

#[test]
fn sound_data_raise_nothing_that_stops() {
    let (codes, stopped) = codes(&[("outcome", "y", OUTCOME), ("media", "tv", WAVE)]);
    assert!(
        !stopped && !codes.iter().any(|code| code.starts_with("collinear")),
        "{codes:?}"
    );
}

#[test]
fn twins_and_a_constant_outcome_stop_the_run() {
    let twins: &[(&str, &str, Cell)] = &[
        ("outcome", "y", OUTCOME),
        ("media", "tv", WAVE),
        ("media", "tv2", |t| 2.0 * WAVE(t)),
    ];
    let (found, stopped) = codes(twins);
    assert!(
        stopped && found.contains(&"collinear.pair".to_owned()),
        "{found:?}"
    );
    let (found, stopped) = codes(&[("outcome", "y", |_| 3.0), ("media", "tv", WAVE)]);
    assert!(
        stopped && found.contains(&"outcome.constant".to_owned()),
        "{found:?}"
    );
}

#[test]
fn dormant_media_flat_controls_and_free_media_are_named() {
    let (found, stopped) = codes(&[
        ("outcome", "y", OUTCOME),
        ("media", "radio", |_| 0.0),
        ("media", "tv", WAVE),
        ("spend", "tv", |t| if t == 3 { 0.0 } else { WAVE(t) }),
        ("control", "price", |_| 9.0),
    ]);
    assert!(!stopped);
    for code in ["media.none", "control.constant", "media.free"] {
        assert!(
            found.contains(&code.to_owned()),
            "{code} is not among {found:?}"
        );
    }
}

#[test]
fn a_name_used_twice_stops_at_once_and_says_where_it_is_from() {
    for (series, words) in [
        (
            [("media", "tv", WAVE), ("control", "tv", OUTCOME)],
            "`tv` names a channel and a control",
        ),
        (
            [("media", "outcome", WAVE), ("control", "price", OUTCOME)],
            "the channel `outcome`",
        ),
        (
            [("media", "tv", WAVE), ("control", "outcome", OUTCOME)],
            "the control `outcome`",
        ),
    ] {
        let mut all = vec![("outcome", "y", OUTCOME)];
        all.extend(series);
        let design = design(&all);
        let error = Explore::run(&Config::default(), Inputs { design }, &Context::for_test())
            .map(|out| out.statistics.len())
            .unwrap_err();
        let told = error.chain();
        assert_eq!(error.exit_code(), mixline_schema::ExitCode::Data);
        assert!(
            told.contains(words) && told.contains("hint: rename"),
            "{told}"
        );
    }
}
