use chrono::NaiveDate;

use super::*;

fn metrics(roas: f64) -> Table<UnifiedDailyMetrics> {
    let rows = (1..=28).map(|day| UnifiedDailyMetrics {
        date: NaiveDate::from_ymd_opt(2026, 2, day).unwrap(),
        channel: "tv".into(),
        currency: "EUR".into(),
        method: "last_touch".into(),
        spend: Some(10.0),
        impressions: None,
        clicks: None,
        attributed_revenue: 10.0 * roas,
        orders: 1.0,
        new_customers: 0.0,
        roas: Some(roas),
        mer: None,
        cac: None,
    });
    Table::from_rows(rows.collect()).unwrap()
}

fn inputs(metrics: Table<UnifiedDailyMetrics>) -> Inputs {
    Inputs {
        metrics,
        design: None,
        checks: None,
        champion_model: None,
        champion_draws: None,
        plan: None,
        comparison: None,
        decisions: None,
    }
}

#[test]
fn before_the_first_model_attribution_speaks_if_it_was_asked_to() {
    let silent = Decide::run(
        &Config::default(),
        inputs(metrics(9.0)),
        &Context::for_test(),
    )
    .unwrap();
    assert!(silent.decisions.is_empty());
    let mut config = Config::default();
    config.rules.attributed.target_roas = Some(4.0);
    let spoken = Decide::run(&config, inputs(metrics(9.0)), &Context::for_test()).unwrap();
    let rows = spoken.decisions.rows();
    assert_eq!(
        (rows[0].action.as_str(), rows[0].confidence),
        ("scale_up", 0.3)
    );
    assert_eq!(
        rows[0].made_on,
        NaiveDate::from_ymd_opt(2026, 2, 28).unwrap()
    );
    assert!(
        rows[0].message.contains("is 9, the target 4"),
        "{}",
        rows[0].message
    );
}

#[test]
fn no_metrics_is_nothing_to_do() {
    let error = Decide::run(
        &Config::default(),
        inputs(Table::empty()),
        &Context::for_test(),
    )
    .unwrap_err();
    assert_eq!(error.exit_code(), mixline_schema::ExitCode::NothingToDo);
}

#[test]
fn a_rules_file_is_read_and_its_mistakes_are_placed() {
    let folder = std::env::temp_dir().join(format!("mixline-rules-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("rules.toml");
    let config = Config {
        rules_file: Some(file.clone()),
        ..Config::default()
    };
    std::fs::write(&file, "break_even_roas = 2.5\n[reallocate]\nmost = 1\n").unwrap();
    let rules = config.rules().unwrap();
    assert_eq!(
        (
            rules.break_even_roas,
            rules.reallocate.most,
            rules.cool_down_days
        ),
        (2.5, 1, 14)
    );
    std::fs::write(&file, "[reallocate]\nmots = 1\n").unwrap();
    let error = config.rules().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("line 2") && cause.contains("unknown field `mots`"),
        "{cause}"
    );
    std::fs::write(&file, "min_confidence = 7\n").unwrap();
    let error = Decide::validate(&config).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`rules.min_confidence` is 7, but must be between 0 and 1"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
