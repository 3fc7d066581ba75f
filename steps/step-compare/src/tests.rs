use mixline_model::Model;
use mixline_model::fit::fit_bayesian;
use mixline_model::spec::ModelSpec;
use mixline_model_tables::{Engine, ModelCard, draws_to_pieces, read_panel};
use mixline_numerics::sampler::Settings;

use super::*;

fn design() -> Table<Design> {
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let mut rows = Vec::new();
    for t in 0..80u64 {
        let (tv, search) = (10.0 + ((t * 37) % 11) as f64, 5.0 + ((t * 17) % 7) as f64);
        let outcome = 100.0 + 4.0 * tv + 2.0 * search + ((t * 13) % 5) as f64;
        let cells = [
            ("outcome", "revenue", outcome),
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

/// Attribution that gives search nearly everything, and knows a channel the model does not.
fn metrics() -> Table<UnifiedDailyMetrics> {
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
    Table::from_rows(rows.collect()).unwrap()
}

#[test]
fn a_channel_without_clicks_is_under_credited() {
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
    let inputs = Inputs {
        metrics: metrics(),
        design,
        model: Table::from_rows(vec![card.file().unwrap()]).unwrap(),
        draws: draws_to_pieces(draws.into()).into_table().unwrap(),
        checks: Table::from_rows(vec![check]).unwrap(),
    };
    let ctx = Context::for_test();
    let rows = Compare::run(&Config::default(), inputs, &ctx)
        .unwrap()
        .comparison
        .rows();
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
