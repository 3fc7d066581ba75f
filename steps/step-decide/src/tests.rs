use chrono::{Days, NaiveDate};
use mixline_model::Model;
use mixline_model::fit::fit_bayesian;
use mixline_model::spec::ModelSpec;
use mixline_model_tables::{Engine, ModelCard, draws_to_pieces, read_panel};
use mixline_numerics::sampler::Settings;

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
        outcomes: None,
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

/// Sixty weeks of two channels, 15 and 8 of money a week on average.
fn design() -> Table<Design> {
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let rows = (0..60u64).flat_map(|t| {
        let (tv, search) = (10.0 + ((t * 37) % 11) as f64, 5.0 + ((t * 17) % 7) as f64);
        let outcome = 100.0 + 4.0 * tv + 2.0 * search + ((t * 13) % 5) as f64;
        [
            ("outcome", "revenue", outcome),
            ("media", "tv", tv),
            ("spend", "tv", tv),
            ("media", "search", search),
            ("spend", "search", search),
        ]
        .map(|(role, variable, value)| Design {
            date: start + Days::new(7 * t),
            geo: "all".into(),
            role: role.into(),
            variable: variable.into(),
            value,
            unit: "EUR".into(),
            split: "train".into(),
        })
    });
    Table::from_rows(rows.collect()).unwrap()
}

/// The best plan of eight periods: 16 of money from search to television.
fn plan(geo: &str) -> Table<BudgetPlan> {
    let rows = [("search", 64.0, 48.0), ("tv", 120.0, 136.0)];
    let row = |(channel, current, proposed): (&str, f64, f64)| BudgetPlan {
        plan: "best".into(),
        channel: channel.into(),
        geo: geo.into(),
        unit: "EUR".into(),
        current,
        proposed,
        lower: 0.0,
        upper: 500.0,
        bound: String::new(),
        observed_most: 160.0,
        inside_observed: true,
        current_response: 100.0,
        response: 100.0,
        response_q05: 100.0,
        response_q25: 100.0,
        response_q50: 100.0,
        response_q75: 100.0,
        response_q95: 100.0,
        roas: None,
        current_marginal_roas: 1.0,
        marginal_roas: 1.0,
        marginal_roas_q05: 1.0,
        marginal_roas_q95: 1.0,
    };
    Table::from_rows(rows.map(row).into()).unwrap()
}

fn outcomes(periods: i64) -> Table<PlanOutcomes> {
    let row = PlanOutcomes {
        plan: "best".into(),
        first_day: NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(),
        periods,
        unit: "EUR".into(),
        budget: 184.0,
        response: 200.0,
        response_q05: 200.0,
        response_q25: 200.0,
        response_q50: 200.0,
        response_q75: 200.0,
        response_q95: 200.0,
        gain: 0.0,
        gain_q05: 0.0,
        gain_q25: 0.0,
        gain_q50: 0.0,
        gain_q75: 0.0,
        gain_q95: 0.0,
        probability_of_gain: 0.5,
        roas: None,
        objective: "outcome".into(),
        method: "kkt_newton".into(),
        value: 200.0,
        bound: 200.0,
        certificate: String::new(),
    };
    Table::from_rows(vec![row]).unwrap()
}

/// Inputs with a champion.
fn modelled() -> Inputs {
    let design = design();
    let (panel, _) = read_panel(&design.rows()).unwrap();
    let model = Model::new(ModelSpec::default(), panel).unwrap();
    let settings = Settings {
        draws: 200,
        ..Settings::default()
    };
    let draws = fit_bayesian(&model, &settings, |_| true).unwrap();
    let card = ModelCard::new(&model, Engine::Bayesian, 0);
    let check = ModelChecks {
        check: "verdict".into(),
        subject: String::new(),
        verdict: "pass".into(),
        value: None,
        threshold: None,
        message: String::new(),
        advice: String::new(),
    };
    Inputs {
        design: Some(design),
        checks: Some(Table::from_rows(vec![check]).unwrap()),
        champion_model: Some(Table::from_rows(vec![card.file().unwrap()]).unwrap()),
        champion_draws: Some(draws_to_pieces(draws.into()).into_table().unwrap()),
        ..inputs(metrics(2.0))
    }
}

#[test]
fn a_plan_over_other_periods_than_the_rules_is_taken_per_period() {
    let mut config = Config::default();
    config.rules.min_confidence = 0.0;
    config.rules.reallocate.least_share = 0.0;
    config.rules.reallocate.probability = 0.0;
    let decide = |periods: usize, outcomes: Option<Table<PlanOutcomes>>, geo: &str| {
        let mut config = config.clone();
        config.rules.horizon.periods = periods;
        let inputs = Inputs {
            plan: Some(plan(geo)),
            outcomes,
            ..modelled()
        };
        let ctx = Context::for_test();
        let mut rows = Decide::run(&config, inputs, &ctx).unwrap().decisions.rows();
        rows.retain(|row| row.action == "reallocate");
        let why = ctx.notes().get("no_moves").map(ToString::to_string);
        let moved = rows.first().map(|row| {
            let (now, next) = (row.current_spend.unwrap(), row.proposed_spend.unwrap());
            (now, now - next, row.expected_gain.unwrap())
        });
        (moved, why)
    };
    let whole = decide(8, Some(outcomes(8)), "all").0.unwrap();
    let half = decide(4, Some(outcomes(8)), "all").0.unwrap();
    assert!((whole.1 - 16.0).abs() < 1e-9, "{whole:?}");
    // Half the time: half the spend, half the move, and about half the gain.
    assert!((half.0 - whole.0 / 2.0).abs() < 1e-9 && (half.1 - 8.0).abs() < 1e-9);
    assert!((half.2 / whole.2 - 0.5).abs() < 0.05, "{half:?} {whole:?}");
    // Nothing is guessed.
    for (outcomes, geo, why) in [
        (None, "all", "how many periods the plan is for"),
        (Some(outcomes(8)), "north", "by region"),
    ] {
        let (moved, said) = decide(8, outcomes, geo);
        assert!(moved.is_none() && said.unwrap().contains(why));
    }
}
