//! Behavior of the step on small tables.

use std::collections::BTreeMap;

use super::*;
use chrono::{DateTime, TimeDelta, Utc};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// An order at noon of a day, with the touches before it: channel and days before.
#[derive(Clone)]
struct Order {
    id: &'static str,
    date: &'static str,
    touches: Vec<(&'static str, i64)>,
    revenue: f64,
}

impl Order {
    fn rows(&self) -> Vec<Journeys> {
        let ended_at = at(&format!("{}T12:00:00Z", self.date));
        let row = |position: i64, touch: Option<(&str, i64)>| Journeys {
            customer_key: format!("c-{}", self.id),
            journey: 1,
            position,
            status: "converted".into(),
            touches: self.touches.len() as i64,
            occurred_at: touch.map(|(_, days)| ended_at - TimeDelta::days(days)),
            channel: touch.map(|(channel, _)| channel.into()),
            campaign: touch.map(|(channel, _)| format!("{channel}-spring")),
            kind: touch.map(|_| "click".into()),
            session: touch.map(|_| 1),
            age_days: touch.map(|(_, days)| days as f64),
            weight: touch.map(|_| 1.0),
            ended_at,
            order_id: Some(self.id.into()),
            date: Some(self.date.parse().unwrap()),
            currency: Some("EUR".into()),
            revenue: Some(self.revenue),
            new_customer: Some(true),
        };
        if self.touches.is_empty() {
            return vec![row(0, None)];
        }
        (1..)
            .zip(&self.touches)
            .map(|(position, touch)| row(position, Some(*touch)))
            .collect()
    }
}

fn order(
    id: &'static str,
    date: &'static str,
    touches: &[(&'static str, i64)],
    revenue: f64,
) -> Order {
    Order {
        id,
        date,
        touches: touches.to_vec(),
        revenue,
    }
}

fn media(date: &str, channel: &str, currency: &str, spend: Option<f64>) -> MediaDaily {
    MediaDaily {
        date: date.parse().unwrap(),
        channel: channel.into(),
        campaign: "all".into(),
        geo: "all".into(),
        currency: currency.into(),
        spend,
        impressions: None,
        clicks: None,
    }
}

struct World {
    orders: Vec<Order>,
    media: Vec<MediaDaily>,
    ctx: Context,
    /// What earlier runs wrote, by key.
    stored: BTreeMap<(String, String, String, String), AttributionEvents>,
}

impl World {
    fn try_run(&self) -> Result<Vec<AttributionEvents>, StepError> {
        let journeys = self.orders.iter().flat_map(Order::rows).collect();
        let stored: Vec<AttributionEvents> = self.stored.values().cloned().collect();
        let removal = |channel: &str, effect| AttributionChannels {
            method: "markov_1".into(),
            channel: channel.into(),
            first: "2026-03-01".parse().unwrap(),
            last: "2026-03-01".parse().unwrap(),
            currency: "EUR".into(),
            conversions: 1.0,
            revenue: 1.0,
            share: 0.5,
            revenue_mean: 1.0,
            revenue_q05: 1.0,
            revenue_q25: 1.0,
            revenue_q50: 1.0,
            revenue_q75: 1.0,
            revenue_q95: 1.0,
            rank: 1,
            keeps_rank: 1.0,
            removal_effect: Some(effect),
        };
        let reconciled = |channel: &str, carried_by: &str, factor| AttributionReconciliation {
            channel: channel.into(),
            path_revenue: 1.0,
            model_share: Some(0.1),
            target_revenue: 1.0,
            reconciled_revenue: 1.0,
            carried_by: carried_by.into(),
            factor,
            unreconciled_revenue: 0.0,
        };
        let inputs = Inputs {
            journeys: Table::from_rows(journeys).unwrap().into(),
            media: Some(Table::from_rows(self.media.clone()).unwrap()),
            channels: Some(
                Table::from_rows(vec![removal("meta", 0.6), removal("google", 0.2)]).unwrap(),
            ),
            model: None,
            reconciliation: Some(
                Table::from_rows(vec![
                    reconciled("meta", "paths", 2.0),
                    reconciled("google", "paths", 0.5),
                    reconciled("tv", "base", 0.25),
                ])
                .unwrap(),
            ),
            earlier: (!stored.is_empty()).then(|| Table::from_rows(stored).unwrap().into()),
        };
        Ok(Attribute::run(&Config::default(), inputs, &self.ctx)?
            .events
            .rows())
    }

    /// Runs and upserts, as the store does.
    fn run(&mut self) -> Vec<AttributionEvents> {
        let rows = self.try_run().unwrap();
        for row in &rows {
            self.stored.insert(key(row), row.clone());
        }
        rows
    }

    /// Runs of one day.
    fn run_day(&mut self, date: &str) -> Vec<AttributionEvents> {
        let start = at(&format!("{date}T00:00:00Z"));
        let window = Window::new(start, start + TimeDelta::days(1)).unwrap();
        self.ctx = Context::for_test().with_window(window);
        self.run()
    }

    fn credit(&self, order: &str, method: &str, channel: &str) -> Option<f64> {
        let mut rows = self.stored.values();
        let row = rows.find(|r| r.order_id == order && r.method == method && r.channel == channel);
        row.map(|row| row.credit)
    }
}

fn key(row: &AttributionEvents) -> (String, String, String, String) {
    (
        row.order_id.clone(),
        row.method.clone(),
        row.channel.clone(),
        row.campaign.clone(),
    )
}

fn world() -> World {
    World {
        orders: vec![
            order("1", "2026-03-10", &[("meta", 9), ("google", 1)], 100.0),
            order("2", "2026-03-11", &[], 0.0),
        ],
        media: vec![
            media("2026-03-10", "meta", "EUR", Some(30.0)),
            media("2026-03-10", "google", "EUR", Some(10.0)),
            media("2026-03-10", "tv", "EUR", None),
        ],
        ctx: Context::for_test(),
        stored: BTreeMap::new(),
    }
}

#[test]
fn each_method_shares_the_order_its_way() {
    let mut world = world();
    world.run();
    let expected = [
        ("spend_share", "meta", 0.75),
        ("last_touch", "google", 1.0),
        ("first_touch", "meta", 1.0),
        ("linear", "meta", 0.5),
        ("position_based", "google", 0.5),
        ("markov_1", "meta", 0.75),
        ("shapley", "google", 0.5),
    ];
    for (method, channel, credit) in expected {
        let found = world.credit("1", method, channel).unwrap();
        assert!(
            (found - credit).abs() < 1e-12,
            "{method}, {channel}: {found}"
        );
    }
    // Linear shares of ½ times factors 2 and ½, beside a base of 1, of which tv has a quarter.
    for (channel, part) in [
        ("meta", 1.0),
        ("google", 0.25),
        ("tv", 0.25),
        ("direct", 0.75),
    ] {
        let found = world.credit("1", "mmm_informed", channel).unwrap();
        assert!((found - part / 2.25).abs() < 1e-12, "{channel}: {found}");
    }
    assert_eq!(world.credit("1", "linear", "direct"), None);
}

#[test]
fn an_order_without_touches_or_spend_is_direct() {
    let mut world = world();
    world.run();
    assert_eq!(world.credit("2", "spend_share", "direct"), Some(1.0));
    assert_eq!(world.credit("2", "linear", "direct"), Some(1.0));
    assert_eq!(world.ctx.notes()["orders_on_days_without_spend"], 1);
}

#[test]
fn credits_of_each_order_and_method_sum_to_exactly_one_and_campaigns_are_told_apart() {
    let rows = world().run();
    let mut sums: BTreeMap<(String, String), f64> = BTreeMap::new();
    for row in &rows {
        *sums
            .entry((row.order_id.clone(), row.method.clone()))
            .or_default() += row.credit;
    }
    assert_eq!(sums.len(), 20);
    assert!(
        sums.values().all(|sum| (sum - 1.0).abs() < 1e-15),
        "{sums:?}"
    );
    assert!(
        rows.iter()
            .any(|row| row.method == "linear" && row.campaign == "meta-spring")
    );
}

#[test]
fn methods_that_nothing_was_learned_for_are_left_out_and_said() {
    let mut world = world();
    world.run();
    assert!(
        world.ctx.notes()["left_out.data_driven"]
            .to_string()
            .contains("no model")
    );
    assert!(world.stored.values().all(|row| row.method != "data_driven"));
}

#[test]
fn a_touch_that_arrives_late_moves_the_credit_and_takes_the_old_one_back() {
    let mut world = world();
    world.orders[0].touches = vec![("meta", 9)];
    world.run();
    assert_eq!(world.credit("1", "last_touch", "meta"), Some(1.0));
    world.orders[0].touches.push(("google", 1));
    world.run();
    assert_eq!(world.credit("1", "last_touch", "google"), Some(1.0));
    assert_eq!(world.credit("1", "last_touch", "meta"), Some(0.0));
    let revenue: f64 = world
        .stored
        .values()
        .filter(|row| row.method == "last_touch")
        .map(|row| row.revenue)
        .sum();
    assert_eq!(revenue, 100.0);
}

#[test]
fn a_day_touches_its_days_and_of_earlier_ones_only_what_changed() {
    let mut world = world();
    world.orders = vec![
        order("old", "2026-01-05", &[("meta", 2), ("google", 1)], 60.0),
        order("older", "2026-01-04", &[("meta", 2)], 40.0),
        order("1", "2026-03-10", &[("meta", 1)], 100.0),
    ];
    world.run();
    // Nothing changed: the day's own orders are written again, and nothing else.
    let rows = world.run_day("2026-03-10");
    assert!(rows.iter().all(|row| row.order_id == "1"));
    // A refund of January: the shares stay, and the revenue follows exactly.
    let before = world.credit("old", "time_decay", "meta").unwrap();
    world.orders[0].revenue = 45.0;
    let rows = world.run_day("2026-03-10");
    assert!(rows.iter().all(|row| row.order_id != "older"));
    assert_eq!(world.credit("old", "time_decay", "meta"), Some(before));
    for method in ["linear", "markov_1", "spend_share"] {
        let of_order = world
            .stored
            .values()
            .filter(|r| r.order_id == "old" && r.method == method);
        let revenue: f64 = of_order.map(|row| row.revenue).sum();
        assert!((revenue - 45.0).abs() < 1e-12, "{method}: {revenue}");
    }
    // Refunded in full, and back again: as if nothing had been.
    let stored = world.stored.clone();
    world.orders[0].revenue = 0.0;
    world.run_day("2026-03-10");
    let left: f64 = world
        .stored
        .values()
        .filter(|r| r.order_id == "old")
        .map(|r| r.revenue)
        .sum();
    assert_eq!(left, 0.0);
    world.orders[0].revenue = 45.0;
    world.run_day("2026-03-10");
    assert_eq!(world.stored, stored);
}

#[test]
fn an_order_of_long_ago_that_comes_late_is_shared_and_one_that_went_is_taken_back() {
    let mut world = world();
    world.orders = vec![
        order("first", "2026-01-01", &[("meta", 2)], 10.0),
        order("1", "2026-03-10", &[("meta", 1)], 100.0),
    ];
    world.run();
    world
        .orders
        .push(order("late", "2026-01-05", &[("google", 1)], 60.0));
    world
        .orders
        .push(order("before all", "2025-01-05", &[("google", 1)], 60.0));
    let rows = world.run_day("2026-03-10");
    assert!(rows.iter().any(|row| row.order_id == "late"));
    assert!(rows.iter().all(|row| row.order_id != "before all"));
    world.orders.retain(|order| order.id != "first");
    world.run_day("2026-03-10");
    let gone = world.stored.values().filter(|row| row.order_id == "first");
    assert!(gone.clone().count() > 0 && gone.clone().all(|row| row.credit == 0.0));
}

#[test]
fn two_currencies_on_one_day_are_refused_by_name() {
    let mut world = world();
    world
        .media
        .push(media("2026-03-10", "tiktok", "USD", Some(1.0)));
    let text = world.try_run().unwrap_err().chain();
    assert!(
        text.contains("EUR") && text.contains("USD") && text.contains("2026-03-10"),
        "{text}"
    );
}
