//! Orders: drawn so that the expected revenue of a day is what the model says.
//!
//! The number of orders of a day and region is Poisson with mean `expected revenue · noise /
//! mean order`, where the noise has mean 1; values are log-normal with mean `mean order` and are
//! independent of the number. Each order has a cause, drawn in proportion to the parts of the
//! expected revenue.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::calendar::Day;
use crate::customers::Customers;
use crate::draw::Draw;
use crate::media::Contributions;
use crate::spec::WorldSpec;

/// Weight of each hour; nothing between 2 and 6, where clocks change.
const HOURS: [f64; 24] = [
    1.5, 0.7, 0.0, 0.0, 0.0, 0.0, 0.8, 1.6, 2.6, 3.4, 4.0, 4.2, 4.4, 4.2, 4.0, 4.0, 4.2, 4.6, 5.2,
    6.2, 7.0, 6.6, 4.8, 2.8,
];
/// Goods of the shop, as (name, SKU).
const GOODS: [(&str, &str); 6] = [
    ("Crew Tee - Black / S", "TEE-BLK-S"),
    ("Hoodie, Grey - L", "HOOD-G-L"),
    ("Mug", "MUG"),
    ("Tote \"Nord\"", "TOTE-N"),
    ("Sneaker - 42", "SNK-42"),
    ("Sticker Pack (5)", "STK5"),
];
/// Orders below this many cents pay for shipping.
const FREE_SHIPPING: u64 = 10_000;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Paid and kept.
    Paid,
    /// A part was refunded.
    PartiallyRefunded,
    /// All goods were refunded.
    Refunded,
    /// Cancelled before it was paid.
    Voided,
}

impl OrderStatus {
    /// The word of the shop's export.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
        }
    }
}

/// One line of an order. `quantity · unit` of all lines is the order's subtotal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineItem {
    /// Name of the goods.
    pub name: &'static str,
    /// Stock-keeping unit.
    pub sku: &'static str,
    /// Pieces.
    pub quantity: u64,
    /// Price of a piece in cents.
    pub unit: u64,
}

/// One order. Money is in cents, so that sums are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Number, from 1001 in the order of time.
    pub number: u32,
    /// When it was placed, in the shop's zone.
    pub placed: DateTime<Tz>,
    /// Index of its day.
    pub day: u32,
    /// Index of the region.
    pub geo: usize,
    /// Number of the customer; `None` for guests.
    pub customer: Option<u32>,
    /// Whether it is the customer's first order.
    pub first: bool,
    /// Index of the channel that caused it; `None` for the baseline.
    pub cause: Option<usize>,
    /// Lines.
    pub items: Vec<LineItem>,
    /// Value of the goods.
    pub subtotal: u64,
    /// Shipping.
    pub shipping: u64,
    /// Refunded so far.
    pub refunded: u64,
    /// What became of it.
    pub status: OrderStatus,
}

impl Order {
    /// When it was placed.
    #[must_use]
    pub fn placed_at(&self) -> DateTime<Utc> {
        self.placed.with_timezone(&Utc)
    }

    /// The value of the goods, before refunds.
    #[must_use]
    pub fn gross(&self) -> f64 {
        self.subtotal as f64 / 100.0
    }

    /// What is left after refunds and cancellation.
    #[must_use]
    pub fn net(&self) -> f64 {
        match self.status {
            OrderStatus::Voided => 0.0,
            _ => (self.subtotal - self.refunded) as f64 / 100.0,
        }
    }
}

/// All orders of a world, in the order of time.
pub(crate) fn orders(spec: &WorldSpec, days: &[Day], media: &Contributions) -> Vec<Order> {
    let mut customers = Customers::default();
    let mut orders = Vec::new();
    for day in days {
        let mut draw = Draw::new(spec.seed, "orders", day.index.into());
        let mut today = slots(spec, day, &media[day.index as usize], &mut draw);
        today.sort_by_key(|(at, ..)| *at);
        for (at, geo, cause) in today {
            let number = 1_001 + u32::try_from(orders.len()).unwrap_or(u32::MAX - 1_001);
            let Some(placed) = local(spec.zone, day.date, at) else {
                continue;
            };
            let repeat_rate = if cause.is_some() {
                0.5 * spec.repeat_rate
            } else {
                spec.repeat_rate
            };
            let customer = customers.next(repeat_rate, &mut draw);
            let mut order = Order {
                number,
                placed,
                day: day.index,
                geo,
                customer: customer.map(|(number, _)| number),
                first: customer.is_some_and(|(_, first)| first),
                cause,
                items: Vec::new(),
                subtotal: 0,
                shipping: 0,
                refunded: 0,
                status: OrderStatus::Paid,
            };
            fill(spec, &mut order, &mut draw);
            orders.push(order);
        }
    }
    orders
}

/// When, where and why the day's orders happen, as (second of the day, region, cause).
fn slots(
    spec: &WorldSpec,
    day: &Day,
    media: &[Vec<f64>],
    draw: &mut Draw,
) -> Vec<(u32, usize, Option<usize>)> {
    let noise = draw.log_normal(1.0, spec.noise);
    let mut slots = Vec::new();
    for (geo, (_, share)) in spec.regions().iter().enumerate() {
        let mut parts = vec![day.baseline * share];
        parts.extend(media.iter().map(|by_geo| by_geo[geo]));
        let expected: f64 = parts.iter().sum();
        for _ in 0..draw.poisson(expected * noise / spec.mean_order) {
            let hour = u32::try_from(draw.pick(&HOURS)).unwrap_or(12);
            let second = hour * 3_600 + draw.below(3_600);
            slots.push((second, geo, draw.pick(&parts).checked_sub(1)));
        }
    }
    slots
}

/// The instant of a second of a day; `None` only where clocks skip it, which [`HOURS`] avoids.
fn local(zone: Tz, date: NaiveDate, second: u32) -> Option<DateTime<Tz>> {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(second, 0)?;
    zone.from_local_datetime(&date.and_time(time)).earliest()
}

/// Value, lines, shipping and fate of an order.
fn fill(spec: &WorldSpec, order: &mut Order, draw: &mut Draw) {
    let value = draw.log_normal(spec.mean_order, spec.order_variation);
    order.subtotal = (libm::round(value * 100.0) as u64).max(100);
    order.items = split(order.subtotal, draw);
    order.shipping = if order.subtotal < FREE_SHIPPING {
        490
    } else {
        0
    };
    let fate = draw.uniform();
    if fate < 0.01 {
        order.status = OrderStatus::Voided;
    } else if fate < 0.01 + 0.6 * spec.refund_rate {
        (order.status, order.refunded) = (OrderStatus::Refunded, order.subtotal);
    } else if fate < 0.01 + spec.refund_rate {
        let share = 0.2 + 0.6 * draw.uniform();
        order.refunded = (order.subtotal as f64 * share) as u64;
        order.status = OrderStatus::PartiallyRefunded;
    }
}

/// Splits a value over one to three lines that add up to it.
fn split(subtotal: u64, draw: &mut Draw) -> Vec<LineItem> {
    let lines = 1 + draw.pick(&[0.7, 0.2, 0.1]);
    let mut left = subtotal;
    let mut items = Vec::with_capacity(lines);
    for line in 0..lines {
        let last = line + 1 == lines;
        let amount = if last {
            left
        } else {
            (left as f64 * (0.3 + 0.4 * draw.uniform())) as u64
        };
        left -= amount;
        let (name, sku) = GOODS[draw.below(6) as usize];
        let pairs = amount % 2 == 0 && amount > 0 && draw.chance(0.3);
        let quantity = if pairs { 2 } else { 1 };
        items.push(LineItem {
            name,
            sku,
            quantity,
            unit: amount / quantity,
        });
    }
    items
}
