//! Behavior of the step on small tables.

use super::*;
use chrono::{DateTime, Utc};

const DAY: &str = "2026-03-10";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn media(channel: &str, campaign: &str, currency: &str, spend: Option<f64>) -> MediaDaily {
    MediaDaily {
        date: day(DAY),
        channel: channel.into(),
        campaign: campaign.into(),
        geo: "all".into(),
        currency: currency.into(),
        spend,
        impressions: spend.map(|spend| spend * 100.0),
        clicks: None,
    }
}

fn order(id: &str, date: &str, revenue: f64) -> Orders {
    Orders {
        order_id: id.into(),
        ordered_at: instant(&format!("{date}T12:00:00Z")),
        date: day(date),
        customer_key: None,
        new_customer: None,
        geo: "all".into(),
        currency: "EUR".into(),
        gross_revenue: revenue,
        refunded: 0.0,
        revenue,
        status: "paid".into(),
    }
}

fn event(id: &str, date: &str, method: &str, channel: &str, share: f64) -> AttributionEvents {
    AttributionEvents {
        order_id: id.into(),
        method: method.into(),
        channel: channel.into(),
        campaign: "all".into(),
        date: day(date),
        currency: "EUR".into(),
        credit: share,
        revenue: share * 100.0,
        new_customer: Some(true),
    }
}

fn inputs(
    media: Vec<MediaDaily>,
    orders: Vec<Orders>,
    attribution: Vec<AttributionEvents>,
) -> Inputs {
    Inputs {
        media: Some(Table::from_rows(media).unwrap()),
        orders: Table::from_rows(orders).unwrap(),
        attribution: Table::from_rows(attribution).unwrap(),
    }
}

fn usual() -> Inputs {
    inputs(
        vec![
            media("meta", "a", "EUR", Some(30.0)),
            media("meta", "b", "EUR", Some(10.0)),
            media("tv", "all", "XXX", None),
        ],
        vec![order("1", DAY, 100.0), order("2", DAY, 20.0)],
        vec![
            event("1", DAY, "last_touch", "meta", 0.8),
            event("1", DAY, "last_touch", "email", 0.2),
            event("1", DAY, "spend_share", "meta", 1.0),
        ],
    )
}

fn row(rows: &[UnifiedDailyMetrics], channel: &str) -> UnifiedDailyMetrics {
    rows.iter()
        .find(|row| row.channel == channel)
        .cloned()
        .unwrap()
}

fn run(inputs: Inputs) -> Vec<UnifiedDailyMetrics> {
    Measure::run(&Config::default(), inputs, &Context::for_test())
        .unwrap()
        .metrics
        .rows()
}

#[test]
fn ratios_follow_their_formulas() {
    let meta = row(&run(usual()), "meta");
    assert_eq!(meta.spend, Some(40.0));
    assert_eq!(meta.impressions, Some(4000.0));
    assert_eq!((meta.attributed_revenue, meta.orders), (80.0, 0.8));
    assert_eq!(meta.roas, Some(2.0));
    assert_eq!(meta.mer, Some(3.0));
    assert_eq!(meta.cac, Some(50.0));
    assert_eq!(meta.method, "last_touch");
}

#[test]
fn missing_spend_stays_missing_and_gives_no_ratio() {
    let rows = run(usual());
    let tv = row(&rows, "tv");
    assert_eq!(
        (tv.spend, tv.roas, tv.cac, tv.clicks),
        (None, None, None, None)
    );
    assert_eq!(tv.attributed_revenue, 0.0);
    let email = row(&rows, "email");
    assert_eq!((email.spend, email.roas), (None, None));
    assert_eq!(email.attributed_revenue, 20.0);
}

#[test]
fn the_method_falls_back_to_spend_share_and_the_result_says_so() {
    let ctx = Context::for_test();
    let events = vec![event("1", DAY, "spend_share", "meta", 1.0)];
    let given = inputs(vec![], vec![order("1", DAY, 100.0)], events);
    let rows = Measure::run(&Config::default(), given, &ctx)
        .unwrap()
        .metrics
        .rows();
    assert_eq!(rows[0].method, "spend_share");
    assert!(ctx.notes().contains_key("method_fallback"));
}

#[test]
fn no_usable_method_is_an_error_that_names_both() {
    let given = inputs(vec![], vec![], vec![event("1", DAY, "linear", "meta", 1.0)]);
    let error = Measure::run(&Config::default(), given, &Context::for_test()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("last_touch") && text.contains("spend_share"),
        "{text}"
    );
}

#[test]
fn two_currencies_are_refused_by_name() {
    let given = inputs(
        vec![media("meta", "a", "USD", Some(1.0))],
        vec![order("1", DAY, 1.0)],
        vec![event("1", DAY, "last_touch", "meta", 1.0)],
    );
    let error = Measure::run(&Config::default(), given, &Context::for_test()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("USD") && text.contains("EUR"), "{text}");
}

#[test]
fn a_window_takes_its_days_and_the_restatement_days_before() {
    let dates = ["2026-02-09", "2026-02-10", "2026-03-10", "2026-03-11"];
    let given = inputs(
        vec![],
        dates.iter().map(|date| order(date, date, 100.0)).collect(),
        dates
            .iter()
            .map(|date| event(date, date, "last_touch", "meta", 1.0))
            .collect(),
    );
    let window = Window::new(
        instant("2026-03-10T00:00:00Z"),
        instant("2026-03-11T00:00:00Z"),
    );
    let ctx = Context::for_test().with_window(window.unwrap());
    let rows = Measure::run(&Config::default(), given, &ctx)
        .unwrap()
        .metrics
        .rows();
    let seen: Vec<_> = rows.iter().map(|row| row.date.to_string()).collect();
    assert_eq!(seen, ["2026-02-10", "2026-03-10"]);
}

#[test]
fn an_unknown_method_is_refused_with_the_list() {
    let config = Config {
        method: "magic".into(),
        ..Config::default()
    };
    let error = Measure::validate(&config).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("magic") && text.contains("linear"), "{text}");
}

#[test]
fn credited_revenue_adds_up_to_the_revenue_of_the_orders() {
    let total: f64 = run(usual()).iter().map(|row| row.attributed_revenue).sum();
    assert!((total - 100.0).abs() < 1e-9);
}
