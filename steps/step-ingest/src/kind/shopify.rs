//! Shopify orders: one order over several rows, an address that must not be kept, and the day an
//! order belongs to on the shop's clocks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono_tz::Tz;
use mixline_schema::catalog::{Orders, RawShopifyOrders};
use mixline_step::StepError;
use polars::prelude::{DataFrame, PolarsResult};

use super::Job;
use crate::cell::instant::instant;
use crate::describe::Source;
use crate::identity::Identity;
use crate::problem::Problem;
use crate::read::{Field, Need, Rows, Type};
use crate::sheet::Sheet;

/// An order, and where in the world it was billed.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) raw: RawShopifyOrders,
    geo: String,
}

fn fields() -> Vec<Field> {
    use Need::{Column, Full, Optional};
    use Type::{Amount, Instant, Text};
    vec![
        Field::new("order_name", Text, Full, &["Name"]),
        Field::new("email", Text, Optional, &["Email"]),
        Field::new("financial_status", Text, Optional, &["Financial Status"]),
        Field::new("currency", Text, Column, &["Currency"]),
        Field::new("subtotal", Amount, Column, &["Subtotal"]),
        Field::new("shipping", Amount, Optional, &["Shipping"]),
        Field::new("taxes", Amount, Optional, &["Taxes"]),
        Field::new("total", Amount, Column, &["Total"]),
        Field::new("discount", Amount, Optional, &["Discount Amount"]),
        Field::new("created_at", Instant, Column, &["Created at"]),
        Field::new("cancelled_at", Instant, Optional, &["Cancelled at"]),
        Field::new("refunded", Amount, Optional, &["Refunded Amount"]),
        Field::new("order_id", Text, Optional, &["Id"]),
        Field::new("source", Text, Optional, &["Source"]),
        Field::new("line_item", Text, Optional, &["Lineitem name"]),
        Field::new("billing_province", Text, Optional, &["Billing Province"]),
        Field::new("shipping_province", Text, Optional, &["Shipping Province"]),
    ]
}

/// Reads the files of a source, in name order; a later file restates the orders of an earlier one.
pub(crate) fn read(
    job: &mut Job<'_>,
    source: &Source,
    files: &[String],
) -> Result<Vec<Order>, StepError> {
    let mut orders: BTreeMap<String, Order> = BTreeMap::new();
    for file in files {
        let Some((sheet, _, rows)) = job.read(source, file, fields(), None) else {
            continue;
        };
        let lines = lines(&rows.frame)
            .map_err(|error| StepError::bug("columns do not fit together").because(error))?;
        for order in fold(job, source, &sheet, &rows, lines) {
            orders.insert(order.raw.order_name.clone(), order);
        }
    }
    Ok(orders.into_values().collect())
}

/// One row of the file.
struct Line {
    name: String,
    email: Option<String>,
    status: Option<String>,
    currency: Option<String>,
    amounts: [Option<f64>; 6],
    created: Option<i64>,
    cancelled: Option<i64>,
    id: Option<String>,
    source: Option<String>,
    item: bool,
    geo: Option<String>,
}

fn lines(frame: &DataFrame) -> PolarsResult<Vec<Line>> {
    let text = |name: &str| -> PolarsResult<Vec<Option<String>>> {
        Ok(frame
            .column(name)?
            .str()?
            .iter()
            .map(|cell| cell.map(str::to_owned))
            .collect())
    };
    let amount = |name: &str| -> PolarsResult<Vec<Option<f64>>> {
        Ok(frame.column(name)?.f64()?.iter().collect())
    };
    let at = |name: &str| -> PolarsResult<Vec<Option<i64>>> {
        Ok(frame.column(name)?.i64()?.iter().collect())
    };
    let (mut name, mut email, mut status) = (
        text("order_name")?,
        text("email")?,
        text("financial_status")?,
    );
    let (mut currency, mut id, mut source) =
        (text("currency")?, text("order_id")?, text("source")?);
    let (item, mut billed, mut shipped) = (
        text("line_item")?,
        text("billing_province")?,
        text("shipping_province")?,
    );
    let names = [
        "subtotal", "shipping", "taxes", "total", "discount", "refunded",
    ];
    let amounts = names
        .map(amount)
        .into_iter()
        .collect::<PolarsResult<Vec<_>>>()?;
    let (created, cancelled) = (at("created_at")?, at("cancelled_at")?);
    let line = |row: usize| Line {
        name: name[row].take().unwrap_or_default(),
        email: email[row].take(),
        status: status[row].take(),
        currency: currency[row].take(),
        amounts: std::array::from_fn(|place| amounts[place][row]),
        created: created[row],
        cancelled: cancelled[row],
        id: id[row]
            .take()
            .map(|id| id.trim_start_matches('\'').to_owned()),
        source: source[row].take(),
        item: item[row].is_some(),
        geo: billed[row].take().or(shipped[row].take()),
    };
    Ok((0..frame.height()).map(line).collect())
}

/// Orders from rows: the first row of an order has its fields, the rows below only line items.
fn fold(
    job: &mut Job<'_>,
    source: &Source,
    sheet: &Sheet,
    rows: &Rows,
    lines: Vec<Line>,
) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, line) in lines.into_iter().enumerate() {
        if let Some(order) = places
            .get(&line.name)
            .and_then(|place| orders.get_mut(*place))
        {
            order.raw.line_items += i64::from(line.item);
            continue;
        }
        match order(line, source, job.identity) {
            Ok(order) => {
                places.insert(order.raw.order_name.clone(), orders.len());
                orders.push(order);
            }
            Err((name, missing)) => job.problems.add(Problem {
                file: sheet.file.clone(),
                row: Some(rows.places.row(at)),
                column: Some(missing.to_owned()),
                message: format!("the first row of order {name} has no value"),
            }),
        }
    }
    orders
}

/// The order that a first row describes; the heading that is empty otherwise.
fn order(
    line: Line,
    source: &Source,
    identity: Option<&Identity>,
) -> Result<Order, (String, &'static str)> {
    let [subtotal, shipping, taxes, total, discount, refunded] = line.amounts;
    let missing = |heading| (line.name.clone(), heading);
    let subtotal = subtotal.ok_or_else(|| missing("Subtotal"))?;
    let total = total.ok_or_else(|| missing("Total"))?;
    let created = line.created.ok_or_else(|| missing("Created at"))?;
    let currency = line.currency.clone().or_else(|| source.currency.clone());
    let currency = currency.ok_or_else(|| missing("Currency"))?;
    let key = line
        .email
        .as_deref()
        .zip(identity)
        .and_then(|(email, identity)| identity.key(email));
    let raw = RawShopifyOrders {
        order_name: line.name,
        order_id: line.id,
        created_at: instant(created),
        financial_status: line.status,
        cancelled_at: line.cancelled.map(instant),
        currency,
        subtotal,
        // An export leaves these empty, or out, when there was none.
        shipping: shipping.unwrap_or(0.0),
        taxes: taxes.unwrap_or(0.0),
        total,
        discount: discount.unwrap_or(0.0),
        refunded: refunded.unwrap_or(0.0),
        line_items: i64::from(line.item),
        customer_key: key,
        source: line.source,
    };
    Ok(Order {
        raw,
        geo: line.geo.unwrap_or_else(|| "all".to_owned()),
    })
}

/// Orders in the shape that steps read.
pub(crate) fn canonical(orders: &[Order], zone: Tz) -> Vec<Orders> {
    let mut canonical: Vec<Orders> = orders.iter().map(|order| one(order, zone)).collect();
    canonical.sort_by(|a, b| (a.ordered_at, &a.order_id).cmp(&(b.ordered_at, &b.order_id)));
    let mut seen = BTreeSet::new();
    for order in &mut canonical {
        order.new_customer = order.customer_key.clone().map(|key| seen.insert(key));
    }
    canonical
}

fn one(order: &Order, zone: Tz) -> Orders {
    let raw = &order.raw;
    let status = raw
        .financial_status
        .clone()
        .unwrap_or_else(|| "unknown".to_owned());
    let void = raw.cancelled_at.is_some() || status == "voided";
    let kept = (raw.subtotal - raw.refunded).max(0.0);
    Orders {
        order_id: raw.order_name.clone(),
        ordered_at: raw.created_at,
        date: raw.created_at.with_timezone(&zone).date_naive(),
        customer_key: raw.customer_key.clone(),
        new_customer: None,
        geo: order.geo.clone(),
        currency: raw.currency.clone(),
        gross_revenue: raw.subtotal,
        refunded: raw.refunded,
        revenue: if void { 0.0 } else { kept },
        status: if raw.cancelled_at.is_some() {
            "cancelled".to_owned()
        } else {
            status
        },
    }
}
