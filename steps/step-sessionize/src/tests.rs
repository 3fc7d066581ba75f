//! Behavior of the step on small tables.

use std::collections::BTreeSet;

use super::*;
use chrono::{DateTime, Utc};

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
        gross_revenue: revenue.max(0.0),
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

#[derive(Default)]
struct World {
    orders: Vec<Orders>,
    touches: Vec<Touchpoints>,
    identities: Option<Vec<Identities>>,
    config: Config,
}

struct Found {
    journeys: Vec<Journeys>,
    quarantine: Vec<JourneyQuarantine>,
    ctx: Context,
}

impl World {
    fn run(&self) -> Found {
        let inputs = Inputs {
            orders: Table::from_rows(self.orders.clone()).unwrap(),
            touchpoints: Some(Table::from_rows(self.touches.clone()).unwrap().into()),
            identities: self
                .identities
                .clone()
                .map(|rows| Table::from_rows(rows).unwrap()),
        };
        let ctx = Context::for_test();
        let out = Sessionize::run(&self.config, inputs, &ctx).unwrap();
        Found {
            journeys: out.journeys.into_table().unwrap().rows(),
            quarantine: out.quarantine.into_table().unwrap().rows(),
            ctx,
        }
    }
}

/// `ann: meta google = 1` for each journey.
fn told(journeys: &[Journeys]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for row in journeys {
        if row.position <= 1 {
            told.push(format!("{}:", row.customer_key));
        }
        let last = told.last_mut().unwrap();
        if let Some(channel) = &row.channel {
            *last += &format!(" {channel}");
        }
        if row.position == row.touches {
            *last += &match &row.order_id {
                Some(order) => format!(" = {order}"),
                None => format!(" {}", row.status),
            };
        }
    }
    told
}

fn world() -> World {
    World {
        orders: vec![
            order("1", "2026-03-10T12:00:00Z", Some("ann"), 100.0),
            order("2", "2026-03-11T12:00:00Z", None, 20.0),
            order("3", "2026-03-12T12:00:00Z", Some("cem"), 30.0),
        ],
        touches: vec![
            touch("ann", "2026-03-01T12:00:00Z", "meta"),
            touch("ann", "2026-03-09T12:00:00Z", "google"),
            touch("ann", "2026-03-11T12:00:00Z", "email"),
            touch("bob", "2025-12-01T12:00:00Z", "meta"),
        ],
        ..World::default()
    }
}

#[test]
fn customers_with_and_without_touches_and_orders_become_journeys_in_key_order() {
    let found = world().run();
    let expected = [
        "ann: meta google = 1",
        "ann: email open",
        "bob: meta ended",
        "cem: = 3",
        "~2: = 2",
    ];
    assert_eq!(told(&found.journeys), expected);
    let first = &found.journeys[0];
    assert_eq!(
        (first.age_days, first.revenue, first.position),
        (Some(9.0), Some(100.0), 1)
    );
    assert!(found.quarantine.is_empty());
    let notes = found.ctx.notes();
    assert_eq!(notes["journeys_converted"], 1);
    assert_eq!(notes["orders_without_touches"], 2);
    assert_eq!(notes["touches_in_journeys"], 4);
}

#[test]
fn touches_of_a_recognized_visitor_are_the_customers() {
    let mut world = world();
    world
        .touches
        .push(touch("cookie-9", "2026-03-08T12:00:00Z", "tiktok"));
    world
        .touches
        .push(touch("zoe", "2026-03-08T12:00:00Z", "tiktok"));
    let link = |anonymous: &str, customer: &str| Identities {
        anonymous_key: anonymous.into(),
        customer_key: customer.into(),
        linked_at: at("2026-03-10T12:00:00Z"),
    };
    world.identities = Some(vec![link("cookie-9", "ann"), link("zoe", "cem")]);
    let found = world.run();
    let expected = [
        "ann: meta tiktok google = 1",
        "ann: email open",
        "bob: meta ended",
        "cem: tiktok = 3",
        "~2: = 2",
    ];
    assert_eq!(told(&found.journeys), expected);
    assert_eq!(found.ctx.notes()["touches_stitched"], 2);
}

#[test]
fn everything_bad_is_quarantined_with_its_reason_and_nothing_is_lost() {
    let mut world = world();
    world.config.channels = BTreeSet::from(["meta", "google", "email", "qa"].map(String::from));
    world.config.internal.campaigns.insert("test_*".into());
    world.config.internal.customers.insert("boss".into());
    world
        .orders
        .push(order("#1", "2026-03-10T12:00:01Z", Some("ann"), 100.0));
    world
        .orders
        .push(order("4", "2026-03-10T12:00:01Z", Some("ann"), -5.0));
    world.touches.extend([
        touch("ann", "2026-03-02T12:00:00Z", "unknown"),
        touch("ann", "2026-03-02T12:00:00Z", ""),
        touch("ann", "2031-03-02T12:00:00Z", "meta"),
        touch("boss", "2026-03-02T12:00:00Z", "meta"),
        Touchpoints {
            campaign: "test_banner".into(),
            ..touch("bob", "2026-03-02T12:00:00Z", "meta")
        },
        touch("ann", "2026-03-09T12:00:00.500Z", "google"),
    ]);
    let many = (0..2_000).map(|n| Touchpoints {
        campaign: format!("c{n}"),
        ..touch("robot", "2026-03-02T12:00:00Z", "meta")
    });
    world.touches.extend(many);
    let found = world.run();
    let mut reasons: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for row in &found.quarantine {
        *reasons.entry(&row.reason).or_default() += 1;
    }
    let expected = [
        ("bot", 2_000),
        ("clock_skew", 1),
        ("duplicate", 1),
        ("duplicate_order", 1),
        ("internal", 2),
        ("negative_value", 1),
        ("unknown_channel", 2),
    ];
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), expected);
    let notes = found.ctx.notes();
    assert_eq!(notes["left_out.bot"], 2_000);
    let in_journeys = found.journeys.iter().filter(|row| row.position > 0).count();
    let touches = found
        .quarantine
        .iter()
        .filter(|row| row.record == "touch")
        .count();
    assert_eq!(in_journeys + touches, world.touches.len());
    let orders: BTreeSet<&str> = found
        .journeys
        .iter()
        .filter_map(|row| row.order_id.as_deref())
        .chain(
            found
                .quarantine
                .iter()
                .filter(|row| row.record == "order")
                .map(|row| row.id.as_str()),
        )
        .collect();
    assert_eq!(orders.len(), world.orders.len());
    // The negative order stands alone: revenue adds up, and no channel is charged for it.
    let negative: Vec<&Journeys> = found
        .journeys
        .iter()
        .filter(|row| row.order_id.as_deref() == Some("4"))
        .collect();
    assert!(negative.len() == 1 && negative[0].position == 0);
}

#[test]
fn a_touch_that_arrives_late_changes_the_journey() {
    let mut world = world();
    let before = told(&world.run().journeys);
    world
        .touches
        .push(touch("ann", "2026-03-05T12:00:00Z", "email"));
    let after = told(&world.run().journeys);
    assert_eq!(after[0], "ann: meta email google = 1");
    assert_eq!(before[1..], after[1..]);
}

#[test]
fn without_touches_every_order_is_a_journey_of_its_own() {
    let inputs = Inputs {
        orders: Table::from_rows(world().orders).unwrap(),
        touchpoints: None,
        identities: None,
    };
    let out = Sessionize::run(&Config::default(), inputs, &Context::for_test()).unwrap();
    let rows = out.journeys.into_table().unwrap().rows();
    assert!(rows.len() == 3 && rows.iter().all(|row| row.position == 0));
}

#[test]
fn wrong_rules_name_their_key() {
    let mut config = Config::default();
    config.rules.click_days = 0.0;
    let text = Sessionize::validate(&config).unwrap_err().to_string();
    assert!(
        text.contains("`rules`") && text.contains("`click_days`"),
        "{text}"
    );
}
