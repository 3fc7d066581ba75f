use chrono::{Days, NaiveDate};
use mixline_model::Model;
use mixline_model::fit::fit_bayesian;
use mixline_model::plan::{Budget, Pacing};
use mixline_model::spec::ModelSpec;
use mixline_model_tables::{Engine, ModelCard, draws_to_pieces, read_panel};
use mixline_numerics::sampler::Settings;

use super::*;

/// Eighty weeks of two channels, the first of them far too large.
fn design() -> Table<Design> {
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let mut rows = Vec::new();
    for t in 0..80u64 {
        let wave = |a: u64, m: u64, size: f64| size * (0.4 + ((t * a) % m) as f64 / m as f64);
        let (tv, search) = (wave(37, 11, 100.0), wave(17, 7, 10.0));
        let outcome = 300.0 + 40.0 * (tv / 40.0).tanh() + 60.0 * (search / 12.0).tanh();
        let noise = ((t * 29) % 13) as f64 / 4.0;
        let cells = [
            ("outcome", "revenue", outcome + noise),
            ("media", "tv", tv),
            ("spend", "tv", tv),
            ("media", "search", search),
            ("spend", "search", search),
        ];
        rows.extend(cells.map(|(role, variable, value)| Design {
            date: start + Days::new(7 * t),
            geo: "all".into(),
            role: role.into(),
            variable: variable.into(),
            value,
            unit: "EUR".into(),
            split: "train".into(),
        }));
    }
    Table::from_rows(rows).unwrap()
}

fn checks(verdict: &str) -> Table<ModelChecks> {
    Table::from_rows(vec![ModelChecks {
        check: "verdict".into(),
        subject: String::new(),
        verdict: verdict.into(),
        value: None,
        threshold: None,
        message: "as told".into(),
        advice: String::new(),
    }])
    .unwrap()
}

fn inputs(verdict: &str, champion: bool) -> Inputs {
    let design = design();
    let (panel, _) = read_panel(&design.rows()).unwrap();
    let model = Model::new(ModelSpec::default(), panel).unwrap();
    let settings = Settings {
        draws: 200,
        ..Settings::default()
    };
    let draws = fit_bayesian(&model, &settings, |_| true).unwrap();
    let card = ModelCard::new(&model, Engine::Bayesian, 0);
    let card = Table::from_rows(vec![card.file().unwrap()]).unwrap();
    let draws = draws_to_pieces(draws.into()).into_table().unwrap();
    Inputs {
        design,
        checks: checks(verdict),
        champion_model: champion.then_some(card),
        champion_draws: champion.then_some(draws),
    }
}

#[test]
fn money_moves_from_the_saturated_channel_and_adds_up() {
    let ctx = Context::for_test();
    let out = Optimize::run(&Config::default(), inputs("pass", true), &ctx).unwrap();
    let rows = out.plan.rows();
    let best: Vec<&BudgetPlan> = rows.iter().filter(|row| row.plan == "best").collect();
    let [search, tv] = best[..] else {
        panic!("{best:?}")
    };
    assert!(search.proposed > search.current && tv.proposed < tv.current);
    let sum = |of: fn(&BudgetPlan) -> f64| best.iter().map(|row| of(row)).sum::<f64>();
    assert!((sum(|r| r.proposed) - sum(|r| r.current)).abs() < 1e-6);
    let outcomes = out.outcomes.rows();
    let named = |name: &str| outcomes.iter().find(|row| row.plan == name).unwrap();
    assert!(named("best").gain > 0.0 && named("best").probability_of_gain > 0.9);
    assert!((named("best").response - sum(|r| r.response)).abs() < 1e-6);
    assert!((named("current").gain).abs() < 1e-9);
    assert!(named("best").bound >= named("greedy").value);
    let schedule = out.schedule.rows();
    let planned: f64 = schedule.iter().map(|row| row.spend).sum();
    assert!((planned - named("best").budget).abs() < 1e-6);
    assert_eq!(
        schedule[0].date,
        NaiveDate::from_ymd_opt(2026, 7, 20).unwrap()
    );
    assert_eq!(out.frontier.len(), 21);
}

#[test]
fn a_paced_plan_is_flighted_and_says_what_that_is_worth() {
    let config = Config {
        pacing: Some(Pacing {
            least: 0.5,
            most: 1.5,
        }),
        ..Config::default()
    };
    let out = Optimize::run(&config, inputs("pass", true), &Context::for_test()).unwrap();
    let outcomes = out.outcomes.rows();
    let named = |name: &str| outcomes.iter().find(|row| row.plan == name).unwrap();
    let flighted = named("flighted");
    assert!(flighted.gain >= 0.0 && flighted.bound >= flighted.value);
    assert!(flighted.response >= named("best").response * (1.0 - 1e-9));
    assert!(
        flighted.certificate.contains("pacing limits"),
        "{}",
        flighted.certificate
    );
    let planned: f64 = out.schedule.rows().iter().map(|row| row.spend).sum();
    assert!((planned - named("best").budget).abs() < 1e-6);
}

#[test]
fn a_failed_model_and_a_missing_champion_get_no_plan() {
    for (verdict, champion, words) in [
        ("fail", true, "failed its checks"),
        ("pass", false, "no model has been promoted"),
    ] {
        let ctx = Context::for_test();
        let out = Optimize::run(&Config::default(), inputs(verdict, champion), &ctx).unwrap();
        assert!(out.plan.is_empty() && out.outcomes.is_empty() && out.frontier.is_empty());
        let note = ctx.notes()["no_plan"].as_str().unwrap().to_owned();
        assert!(note.contains(words), "{note}");
    }
}

#[test]
fn constraints_that_contradict_each_other_are_a_configuration_error() {
    let mut config = Config::default();
    config.plan.budget = Budget::TimesCurrent(4.0);
    let error = Optimize::run(&config, inputs("pass", true), &Context::for_test()).unwrap_err();
    assert_eq!(error.exit_code(), mixline_schema::ExitCode::Config);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("`tv` (≤ 1025.45) can take at most 1131.31"),
        "{cause}"
    );
}
