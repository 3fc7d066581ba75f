//! Behavior of the step on small tables.

use super::*;
use chrono::{DateTime, Utc};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn order(id: &str, when: &str, customer: Option<&str>, revenue: f64) -> Orders {
    Orders {
        order_id: id.into(),
        ordered_at: at(when),
        date: at(when).date_naive(),
        customer_key: customer.map(Into::into),
        new_customer: customer.map(|_| true),
        geo: "all".into(),
        currency: "EUR".into(),
        gross_revenue: revenue,
        refunded: 0.0,
        revenue,
        status: "paid".into(),
    }
}

fn touch(customer: &str, when: &str, channel: &str) -> Touchpoints {
    Touchpoints {
        customer_key: customer.into(),
        occurred_at: at(when),
        channel: channel.into(),
        campaign: "all".into(),
        kind: "click".into(),
    }
}

fn media(date: &str, channel: &str, currency: &str, spend: Option<f64>) -> MediaDaily {
    MediaDaily {
        date: day(date),
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
    orders: Vec<Orders>,
    media: Vec<MediaDaily>,
    touches: Option<Vec<Touchpoints>>,
    ctx: Context,
}

impl World {
    fn run(&self) -> Result<Vec<AttributionEvents>, StepError> {
        let inputs = Inputs {
            orders: Table::from_rows(self.orders.clone()).unwrap(),
            media: Some(Table::from_rows(self.media.clone()).unwrap()),
            touchpoints: self
                .touches
                .clone()
                .map(|rows| Table::from_rows(rows).unwrap()),
        };
        Ok(Attribute::run(&Config::default(), inputs, &self.ctx)?
            .events
            .rows())
    }
}

fn world() -> World {
    World {
        orders: vec![
            order("1", "2026-03-10T12:00:00Z", Some("ann"), 100.0),
            order("2", "2026-03-11T12:00:00Z", None, 0.0),
        ],
        media: vec![
            media("2026-03-10", "meta", "EUR", Some(30.0)),
            media("2026-03-10", "google", "EUR", Some(10.0)),
            media("2026-03-10", "tv", "EUR", None),
        ],
        touches: Some(vec![
            touch("ann", "2026-03-01T12:00:00Z", "meta"),
            touch("ann", "2026-03-09T12:00:00Z", "google"),
            touch("ann", "2026-03-10T12:00:00Z", "email"),
            touch("ann", "2025-12-01T12:00:00Z", "tv"),
        ]),
        ctx: Context::for_test(),
    }
}

fn credit_of(rows: &[AttributionEvents], order: &str, method: &str, channel: &str) -> Option<f64> {
    rows.iter()
        .find(|r| r.order_id == order && r.method == method && r.channel == channel)
        .map(|r| r.credit)
}

fn key(row: &AttributionEvents) -> (&str, &str, &str, &str) {
    (&row.order_id, &row.method, &row.channel, &row.campaign)
}

#[test]
fn an_order_is_shared_by_the_spend_of_its_day() {
    let rows = world().run().unwrap();
    assert_eq!(credit_of(&rows, "1", "spend_share", "meta"), Some(0.75));
    assert_eq!(credit_of(&rows, "1", "spend_share", "google"), Some(0.25));
    assert_eq!(credit_of(&rows, "1", "spend_share", "direct"), Some(0.0));
}

#[test]
fn a_day_without_spend_goes_to_direct_and_revenue_zero_keeps_its_credit() {
    let world = world();
    let rows = world.run().unwrap();
    assert_eq!(credit_of(&rows, "2", "spend_share", "direct"), Some(1.0));
    assert_eq!(credit_of(&rows, "2", "linear", "direct"), Some(1.0));
    assert_eq!(world.ctx.notes()["orders_on_days_without_spend"], 1);
}

#[test]
fn touches_at_the_order_or_beyond_the_look_back_earn_nothing_but_are_written_as_zero() {
    let world = world();
    let rows = world.run().unwrap();
    assert_eq!(credit_of(&rows, "1", "last_touch", "google"), Some(1.0));
    assert_eq!(credit_of(&rows, "1", "first_touch", "meta"), Some(1.0));
    assert_eq!(credit_of(&rows, "1", "linear", "email"), Some(0.0));
    assert_eq!(credit_of(&rows, "1", "linear", "tv"), Some(0.0));
    assert_eq!(world.ctx.notes()["touches_at_or_after_the_order"], 1);
}

#[test]
fn credits_of_each_order_and_method_sum_to_one() {
    let rows = world().run().unwrap();
    let mut sums: BTreeMap<(String, String), f64> = BTreeMap::new();
    for row in rows {
        *sums.entry((row.order_id, row.method)).or_default() += row.credit;
    }
    assert_eq!(sums.len(), 12);
    assert!(
        sums.values().all(|sum| (sum - 1.0).abs() < 1e-12),
        "{sums:?}"
    );
}

#[test]
fn a_touch_that_arrives_late_overwrites_every_row_of_the_first_run() {
    let mut world = world();
    world.touches = Some(vec![touch("ann", "2026-03-01T12:00:00Z", "meta")]);
    let before = world.run().unwrap();
    world
        .touches
        .as_mut()
        .unwrap()
        .push(touch("ann", "2026-03-09T12:00:00Z", "google"));
    let after = world.run().unwrap();
    assert_eq!(credit_of(&before, "1", "last_touch", "meta"), Some(1.0));
    assert_eq!(credit_of(&after, "1", "last_touch", "meta"), Some(0.0));
    assert!(
        before
            .iter()
            .all(|old| after.iter().any(|new| key(old) == key(new)))
    );
}

#[test]
fn without_touchpoints_only_spend_share_is_written_and_the_result_says_so() {
    let mut world = world();
    world.touches = None;
    let rows = world.run().unwrap();
    assert!(rows.iter().all(|row| row.method == "spend_share"));
    assert!(world.ctx.notes().contains_key("touch_methods"));
}

#[test]
fn a_window_takes_its_days_and_the_restatement_days_before() {
    let mut world = world();
    world.orders = ["2026-02-09", "2026-02-10", "2026-03-10", "2026-03-11"]
        .iter()
        .map(|date| order(date, &format!("{date}T12:00:00Z"), None, 1.0))
        .collect();
    let window = Window::new(at("2026-03-10T00:00:00Z"), at("2026-03-11T00:00:00Z")).unwrap();
    world.ctx = Context::for_test().with_window(window);
    let rows = world.run().unwrap();
    let mut orders: Vec<_> = rows.iter().map(|row| row.order_id.as_str()).collect();
    orders.dedup();
    assert_eq!(orders, ["2026-02-10", "2026-03-10"]);
}

#[test]
fn two_currencies_on_one_day_are_refused_by_name() {
    let mut world = world();
    world
        .media
        .push(media("2026-03-10", "tiktok", "USD", Some(1.0)));
    let text = world.run().unwrap_err().to_string();
    assert!(
        text.contains("EUR") && text.contains("USD") && text.contains("2026-03-10"),
        "{text}"
    );
}
