//! Shopify orders: one line per line item, order fields on the first line only.
//!
//! Prices include taxes, as usual in Europe, and the `Taxes` column is 0: the subtotal is the
//! whole value of the goods.

use super::{Sheet, money};
use crate::customers::email;
use crate::orders::{Order, OrderStatus};
use crate::world::World;

/// The 79 headings, one a line.
const COLUMNS: &str = include_str!("shopify_columns.txt");
/// Columns on the first line of an order, in the order of [`head`].
const HEAD: [&str; 19] = [
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Accepts Marketing",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Amount",
    "Shipping Method",
    "Billing Country",
    "Billing Province",
    "Cancelled at",
    "Payment Method",
    "Refunded Amount",
    "Id",
    "Risk Level",
    "Source",
];
/// Columns on every line.
const LINE: [&str; 11] = [
    "Name",
    "Email",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
    "Lineitem requires shipping",
    "Lineitem taxable",
    "Lineitem fulfillment status",
    "Lineitem discount",
];

pub(super) fn file(world: &World) -> Vec<u8> {
    let columns: Vec<&str> = COLUMNS.lines().collect();
    let place = |name: &str| columns.iter().position(|column| *column == name);
    let heads: Vec<usize> = HEAD.iter().filter_map(|name| place(name)).collect();
    let lines: Vec<usize> = LINE.iter().filter_map(|name| place(name)).collect();
    let regions = world.spec.regions();
    let mut sheet = Sheet::new();
    sheet.row(&columns);
    let mut record = vec![String::new(); columns.len()];
    for order in &world.orders {
        for item in 0..order.items.len() {
            record.iter_mut().for_each(String::clear);
            if item == 0 {
                let head = head(order, &world.spec.currency, regions[order.geo].0);
                heads
                    .iter()
                    .zip(head)
                    .for_each(|(at, value)| record[*at] = value);
            }
            let line = line(order, item);
            lines
                .iter()
                .zip(line)
                .for_each(|(at, value)| record[*at] = value);
            sheet.row(&record);
        }
    }
    sheet.finish()
}

fn head(order: &Order, currency: &str, region: &str) -> [String; 19] {
    let placed = placed(order);
    let voided = order.status == OrderStatus::Voided;
    let when = |condition: bool| {
        if condition {
            placed.clone()
        } else {
            String::new()
        }
    };
    let state = region.strip_prefix("DE-").unwrap_or(region);
    [
        order.status.word().to_owned(),
        when(!voided),
        if voided { "unfulfilled" } else { "fulfilled" }.to_owned(),
        if order.first { "no" } else { "yes" }.to_owned(),
        currency.to_owned(),
        cents(order.subtotal),
        cents(order.shipping),
        cents(0),
        cents(order.subtotal + order.shipping),
        cents(0),
        "Standard".to_owned(),
        "DE".to_owned(),
        state.to_owned(),
        when(voided),
        "Shopify Payments".to_owned(),
        cents(order.refunded),
        (5_550_000_000 + u64::from(order.number)).to_string(),
        "Low".to_owned(),
        "web".to_owned(),
    ]
}

fn line(order: &Order, index: usize) -> [String; 11] {
    let item = &order.items[index];
    [
        format!("#{}", order.number),
        order.customer.map(email).unwrap_or_default(),
        placed(order),
        item.quantity.to_string(),
        item.name.to_owned(),
        cents(item.unit),
        item.sku.to_owned(),
        "true".to_owned(),
        "true".to_owned(),
        "fulfilled".to_owned(),
        cents(0),
    ]
}

/// `2026-09-01 09:58:12 +0200`: the shop's clock.
fn placed(order: &Order) -> String {
    order.placed.format("%Y-%m-%d %H:%M:%S %z").to_string()
}

fn cents(value: u64) -> String {
    money(value as f64 / 100.0)
}
