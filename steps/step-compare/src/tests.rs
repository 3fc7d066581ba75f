use chrono::{Days, NaiveDate};
use mixline_model::Model;
use mixline_model::fit::fit_bayesian;
use mixline_model::spec::ModelSpec;
use mixline_model_tables::{Engine, ModelCard, draws_to_pieces, read_panel};
use mixline_numerics::sampler::Settings;

use super::*;

/// First days of eighty weeks.
fn weeks() -> Vec<NaiveDate> {
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    (0..80).map(|t| start + Days::new(7 * t)).collect()
}

/// Two channels; an outcome in those periods only of which `seen` is true.
fn design(dates: &[NaiveDate], seen: impl Fn(usize) -> bool) -> Table<Design> {
    let mut rows = Vec::new();
    for (t, date) in dates.iter().enumerate() {
        let (tv, search) = (10.0 + ((t * 37) % 11) as f64, 5.0 + ((t * 17) % 7) as f64);
        let outcome = 100.0 + 4.0 * tv + 2.0 * search + ((t * 13) % 5) as f64;
        let cells = [
            ("outcome", "revenue", outcome),
            ("media", "tv", tv),
            ("spend", "tv", tv),
            ("media", "search", search),
            ("spend", "search", search),
        ];
        let kept = cells
            .into_iter()
            .filter(|(role, ..)| *role != "outcome" || seen(t));
        rows.extend(kept.map(|(role, variable, value)| Design {
            date: *date,
            geo: "all".into(),
            role: role.into(),
            variable: variable.into(),
            value,
            unit: "EUR".into(),
            split: if seen(t) { "train" } else { "history" }.into(),
        }));
    }
    Table::from_rows(rows).unwrap()
}

/// Attribution that gives search nearly everything, and knows a channel the model does not.
fn metrics() -> Vec<UnifiedDailyMetrics> {
    let start = NaiveDate::from_ymd_opt(2024, 12, 30).unwrap();
    let rows = (0..700u64).flat_map(|day| {
        [("search", 20.0), ("tv", 2.0), ("email", 9.0)].map(|(channel, revenue)| {
            UnifiedDailyMetrics {
                date: start + Days::new(day),
                channel: channel.into(),
                currency: "EUR".into(),
                method: "last_touch".into(),
                spend: Some(1.0),
                impressions: None,
                clicks: None,
                attributed_revenue: revenue,
                orders: 1.0,
                new_customers: 0.0,
                roas: None,
                mer: None,
                cac: None,
            }
        })
    });
    rows.collect()
}

fn fitted(design: &Table<Design>) -> (Model, mixline_model::fit::Draws) {
    let (panel, _) = read_panel(&design.rows()).unwrap();
    let model = Model::new(ModelSpec::default(), panel).unwrap();
    let settings = Settings {
        draws: 200,
        ..Settings::default()
    };
    let draws = fit_bayesian(&model, &settings, |_| true).unwrap();
    (model, draws)
}

fn compare(
    design: Table<Design>,
    (model, draws): (&Model, mixline_model::fit::Draws),
    metrics: Vec<UnifiedDailyMetrics>,
) -> (Result<Vec<Comparison>, StepError>, Context) {
    let card = ModelCard::new(model, Engine::Bayesian, 0);
    let check = ModelChecks {
        check: "verdict".into(),
        subject: String::new(),
        verdict: "pass".into(),
        value: None,
        threshold: None,
        message: String::new(),
        advice: String::new(),
    };
    let inputs = Inputs {
        metrics: Table::from_rows(metrics).unwrap(),
        design,
        model: Table::from_rows(vec![card.file().unwrap()]).unwrap(),
        draws: draws_to_pieces(draws.into()).into_table().unwrap(),
        checks: Table::from_rows(vec![check]).unwrap(),
    };
    let ctx = Context::for_test();
    let out = Compare::run(&Config::default(), inputs, &ctx);
    (out.map(|out| out.comparison.rows()), ctx)
}

#[test]
fn a_channel_without_clicks_is_under_credited() {
    let design = design(&weeks(), |_| true);
    let (model, draws) = fitted(&design);
    let (rows, ctx) = compare(design, (&model, draws), metrics());
    let rows = rows.unwrap();
    let [search, tv] = &rows[..] else {
        panic!("{rows:?}")
    };
    // 80 weeks of the 100 that attribution has.
    assert!((search.attributed - 20.0 * 560.0).abs() < 1e-9);
    assert!((search.attribution_share + tv.attribution_share - 1.0).abs() < 1e-12);
    assert!((search.mmm_share + tv.mmm_share - 1.0).abs() < 1e-9);
    assert!(tv.mmm_share > tv.attribution_share && tv.unstable);
    let factor = tv.factor.unwrap();
    assert!((factor - tv.contribution / tv.attributed).abs() < 1e-12 && factor > 1.0);
    assert_eq!(ctx.notes()["days_attributed"], 560);
}

#[test]
fn money_and_credit_of_periods_without_an_outcome_take_no_part() {
    // Ten weeks of media history, and a gap of two weeks.
    let seen = |t: usize| t >= 10 && t != 40 && t != 41;
    let design = design(&weeks(), seen);
    let (model, draws) = fitted(&design);
    let results = mixline_model::response::channels(&model, &draws);
    let (rows, ctx) = compare(design, (&model, draws), metrics());
    let rows = rows.unwrap();
    for (row, result) in rows.iter().zip(&results) {
        let (spend, roas) = (result.spend.unwrap(), result.roas.unwrap().mean);
        assert_eq!(row.channel, model.panel.channels[result.channel].name);
        assert!((row.spend - spend).abs() < 1e-9, "{} {spend}", row.spend);
        let mine = row.mmm_roas.unwrap();
        assert!((mine - roas).abs() < 1e-9 * roas.abs(), "{mine} {roas}");
        let rate = if row.channel == "search" { 20.0 } else { 2.0 };
        assert!((row.attributed - rate * 7.0 * 68.0).abs() < 1e-9, "{row:?}");
    }
    assert_eq!(rows.len(), 2);
    assert_eq!(ctx.notes()["days_modelled"], 7 * 68);
}

#[test]
fn the_last_month_is_as_long_as_the_calendar_says() {
    let start = NaiveDate::from_ymd_opt(2024, 3, 1).unwrap();
    let months = |t| start + chrono::Months::new(t);
    // The last one is February of 2026, after a January of 31 days.
    let dates: Vec<NaiveDate> = (0..24).map(months).collect();
    let design = design(&dates, |_| true);
    let (model, draws) = fitted(&design);
    let (rows, ctx) = compare(design, (&model, draws), metrics());
    rows.unwrap();
    assert_eq!(ctx.notes()["days_modelled"], 730);
}

#[test]
fn several_methods_in_one_comparison_are_an_error_that_says_when() {
    let design = design(&weeks(), |_| true);
    let (model, draws) = fitted(&design);
    let change = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    let mut mixed = metrics();
    for row in mixed.iter_mut().filter(|row| row.date >= change) {
        row.method = "linear".into();
    }
    let (rows, _) = compare(design.clone(), (&model, draws.clone()), mixed);
    let error = rows.unwrap_err();
    assert_eq!(error.exit_code(), mixline_schema::ExitCode::Data);
    let text = error.to_string();
    assert!(
        text.contains("`last_touch` (2025-01-06 to 2025-12-31)")
            && text.contains("`linear` (2026-01-01 to 2026-07-19)"),
        "{text}"
    );
    // What the model does not know is not compared, whatever its method.
    let mut apart = metrics();
    for row in apart.iter_mut().filter(|row| row.channel == "email") {
        row.method = "linear".into();
    }
    let (rows, _) = compare(design, (&model, draws), apart);
    assert!(rows.unwrap().iter().all(|row| row.method == "last_touch"));
}
