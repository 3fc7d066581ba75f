//! Behavior of the step on small tables.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

fn day() -> NaiveDate {
    "2026-03-10".parse().unwrap()
}

fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

/// Rows of one journey: channels, oldest first, a day apart; an order of this revenue, or none.
fn journey(customer: &str, channels: &[&str], revenue: Option<f64>) -> Vec<Journeys> {
    let row = |position: usize, channel: Option<&str>| {
        let age = channels.len().saturating_sub(position) as i64;
        Journeys {
            customer_key: customer.into(),
            journey: 1,
            position: position as i64,
            status: if revenue.is_some() {
                "converted"
            } else {
                "ended"
            }
            .into(),
            touches: channels.len() as i64,
            occurred_at: channel.map(|_| noon() - TimeDelta::days(age)),
            channel: channel.map(Into::into),
            campaign: channel.map(|_| "all".into()),
            kind: channel.map(|_| "click".into()),
            session: channel.map(|_| 1),
            age_days: channel.map(|_| age as f64),
            weight: channel.map(|_| 1.0),
            ended_at: noon(),
            order_id: revenue.map(|_| format!("o-{customer}")),
            date: revenue.map(|_| day()),
            currency: revenue.map(|_| "EUR".into()),
            revenue,
            new_customer: None,
        }
    };
    match channels {
        [] => vec![row(0, None)],
        _ => (1..)
            .zip(channels)
            .map(|(at, channel)| row(at, Some(channel)))
            .collect(),
    }
}

/// 200 customers: paths of three channels, a third converts, some order without a touch.
fn world() -> Vec<Journeys> {
    let paths: [&[&str]; 5] = [
        &["meta", "google"],
        &["meta"],
        &["google", "google", "email"],
        &["direct", "google"],
        &["email", "meta", "google"],
    ];
    (0..200_usize)
        .flat_map(|n| {
            let revenue = (n % 3 == 0).then_some(10.0 + (n % 7) as f64);
            let path = if n % 30 == 0 { &[] } else { paths[n % 5] };
            journey(&format!("c{n:03}"), path, revenue)
        })
        .collect()
}

fn media(channel: &str, spend: f64) -> MediaDaily {
    MediaDaily {
        date: day(),
        channel: channel.into(),
        campaign: "all".into(),
        geo: "all".into(),
        currency: "EUR".into(),
        spend: Some(spend),
        impressions: None,
        clicks: None,
    }
}

fn modelled(channel: &str, share_of_outcome: f64) -> MmmResults {
    let contribution = 1_000.0 * share_of_outcome;
    MmmResults {
        channel: channel.into(),
        geo: "all".into(),
        engine: "bayesian".into(),
        unit: "EUR".into(),
        spend: Some(1.0),
        contribution,
        contribution_q05: 0.5 * contribution,
        contribution_q25: 0.8 * contribution,
        contribution_q50: contribution,
        contribution_q75: 1.2 * contribution,
        contribution_q95: 1.5 * contribution,
        roas: None,
        roas_q05: None,
        roas_q25: None,
        roas_q50: None,
        roas_q75: None,
        roas_q95: None,
        marginal_roas: None,
        marginal_roas_q05: None,
        marginal_roas_q25: None,
        marginal_roas_q50: None,
        marginal_roas_q75: None,
        marginal_roas_q95: None,
        cost_per_outcome: None,
        share_of_outcome,
        share_of_effect: 0.5,
        share_of_spend: None,
        probability_positive: 1.0,
    }
}

fn run(journeys: Vec<Journeys>, results: Option<Vec<MmmResults>>) -> (Outputs, Context) {
    let inputs = Inputs {
        journeys: Table::from_rows(journeys).unwrap().into(),
        media: Some(Table::from_rows(vec![media("meta", 30.0), media("tv", 70.0)]).unwrap()),
        results: results.map(|rows| Table::from_rows(rows).unwrap()),
    };
    let ctx = Context::for_test();
    (Weigh::run(&Config::default(), inputs, &ctx).unwrap(), ctx)
}

fn by_method(rows: &[AttributionChannels]) -> BTreeMap<&str, Vec<&AttributionChannels>> {
    let mut by_method: BTreeMap<&str, Vec<&AttributionChannels>> = BTreeMap::new();
    for row in rows {
        by_method.entry(&row.method).or_default().push(row);
    }
    by_method
}

#[test]
fn every_method_gives_all_revenue_and_all_orders_to_channels() {
    let journeys = world();
    let revenue: f64 = journeys
        .iter()
        .filter(|row| row.position <= 1)
        .filter_map(|row| row.revenue)
        .sum();
    let (out, ctx) = run(
        journeys,
        Some(vec![modelled("meta", 0.3), modelled("tv", 0.2)]),
    );
    let rows = out.channels.rows();
    let methods = by_method(&rows);
    assert_eq!(
        methods.len(),
        Config::default().methods.len(),
        "{:?}",
        ctx.notes()
    );
    for (method, rows) in &methods {
        let sum: f64 = rows.iter().map(|row| row.revenue).sum();
        assert!(
            (sum - revenue).abs() < 1e-6 * revenue,
            "{method}: {sum} of {revenue}"
        );
        let orders: f64 = rows.iter().map(|row| row.conversions).sum();
        assert!((orders - 67.0).abs() < 1e-6, "{method}: {orders}");
        let shares: f64 = rows.iter().map(|row| row.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{method}");
        let ranks: BTreeSet<i64> = rows.iter().map(|row| row.rank).collect();
        assert_eq!(ranks.len(), rows.len());
        for row in rows {
            assert!(row.revenue_q05 <= row.revenue_q50 && row.revenue_q50 <= row.revenue_q95);
        }
    }
    let stability = out.methods.rows();
    assert!(
        stability
            .iter()
            .all(|row| row.stability > 0.7 && row.conversions == 67)
    );
}

#[test]
fn the_mix_models_channels_get_its_totals_also_those_without_touches() {
    let (out, _) = run(
        world(),
        Some(vec![modelled("meta", 0.3), modelled("tv", 0.2)]),
    );
    let revenue: f64 = out.methods.rows()[0].revenue;
    let rows = out.channels.rows();
    let informed = &by_method(&rows)["mmm_informed"];
    let of = |channel: &str| informed.iter().find(|row| row.channel == channel).unwrap();
    assert!((of("meta").revenue - 0.3 * revenue).abs() < 1e-6 * revenue);
    assert!((of("tv").revenue - 0.2 * revenue).abs() < 1e-6 * revenue);
    assert!((of("meta").revenue_q05 - 0.15 * revenue).abs() < 1e-6 * revenue);
    let reconciliation = out.reconciliation.rows();
    let tv = reconciliation
        .iter()
        .find(|row| row.channel == "tv")
        .unwrap();
    assert_eq!((tv.carried_by.as_str(), tv.path_revenue), ("base", 0.0));
    let meta = reconciliation
        .iter()
        .find(|row| row.channel == "meta")
        .unwrap();
    assert!(meta.carried_by == "paths" && meta.unreconciled_revenue.abs() < 1e-6 * revenue);
}

#[test]
fn channels_without_touches_never_get_more_than_the_base_holds() {
    let modelled = vec![
        modelled("meta", 0.3),
        modelled("tv", 0.6),
        modelled("radio", 0.3),
    ];
    let (out, _) = run(world(), Some(modelled));
    let revenue: f64 = out.methods.rows()[0].revenue;
    let rows = out.channels.rows();
    let of = |channel: &str| {
        let mut rows = rows.iter().filter(|row| row.method == "mmm_informed");
        rows.find(|row| row.channel == channel)
            .map_or(f64::NAN, |row| row.revenue)
    };
    let near = |found: f64, share: f64| (found - share * revenue).abs() < 1e-6 * revenue;
    assert!(near(of("tv") + of("radio"), 0.7) && near(of("tv"), 0.7 * 2.0 / 3.0));
    assert!(near(of("direct"), 0.0));
    let short: f64 = out
        .reconciliation
        .rows()
        .iter()
        .map(|row| row.unreconciled_revenue)
        .sum();
    assert!(near(short, 0.2), "{short}");
}

#[test]
fn what_cannot_be_told_is_left_out_with_its_reason() {
    let (out, ctx) = run(journey("ann", &[], Some(5.0)), None);
    let rows = out.channels.rows();
    assert_eq!(
        by_method(&rows).keys().copied().collect::<Vec<_>>(),
        ["spend_share"]
    );
    let notes = ctx.notes();
    assert_eq!(notes["left_out.linear"], "no order has a touch before it");
    assert!(notes.contains_key("left_out.mmm_informed"));
    let all_convert = journey("ann", &["meta", "google"], Some(5.0));
    let (_, ctx) = run(all_convert, None);
    let reason = ctx.notes()["left_out.data_driven"].to_string();
    assert!(reason.contains("journeys that do not"), "{reason}");
}

#[test]
fn transitions_leave_every_state_with_probability_one_and_paths_are_counted() {
    let (out, _) = run(world(), None);
    let mut left: BTreeMap<(String, String), f64> = BTreeMap::new();
    for row in out.transitions.rows() {
        *left.entry((row.method, row.from_state)).or_default() += row.probability;
    }
    assert!(left.len() > 10 && left.values().all(|sum| (sum - 1.0).abs() < 1e-12));
    let paths = out.paths.rows();
    assert!(paths.iter().any(|row| row.path == "google ×2 > email"));
    let orders: f64 = paths.iter().map(|row| row.conversions).sum();
    assert!((orders - 67.0).abs() < 1e-9);
    let lags = out.lags.rows();
    let lengths: f64 = lags
        .iter()
        .filter(|r| r.measure == "path_length")
        .map(|r| r.conversions)
        .sum();
    assert!((lengths - 67.0).abs() < 1e-9);
}

#[test]
fn two_currencies_are_refused_by_the_order() {
    let mut journeys = world();
    for row in journeys.iter_mut().filter(|row| row.customer_key == "c003") {
        row.currency = Some("USD".into());
    }
    let inputs = Inputs {
        journeys: Table::from_rows(journeys).unwrap().into(),
        media: None,
        results: None,
    };
    let error = Weigh::run(&Config::default(), inputs, &Context::for_test()).unwrap_err();
    assert!(error.to_string().contains("o-c003"), "{error}");
}

#[test]
fn the_game_of_rates_is_refused_in_the_configuration() {
    let error = serde_json::from_str::<Config>(r#"{"methods": ["shapley_rate"]}"#).unwrap_err();
    assert!(error.to_string().contains("negative credit"), "{error}");
}
