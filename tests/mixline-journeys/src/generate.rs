//! A world of journeys of any size, written piece by piece.
//!
//! One journey per customer; the number of touches is geometric with mean 4, at most 30; a fifth
//! converts. Twelve channels, some much rarer than others.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use mixline_artifact::{Pieces, Store, StoreError, Table};
use mixline_schema::catalog::{Orders, Touchpoints};
use mixline_schema::{Artifact, Digest, Provenance, WriteMode};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const CHANNELS: [(&str, u32); 12] = [
    ("meta", 20),
    ("google", 20),
    ("tiktok", 10),
    ("email", 10),
    ("direct", 10),
    ("display", 8),
    ("affiliate", 6),
    ("youtube", 5),
    ("bing", 4),
    ("organic", 4),
    ("tv_web", 2),
    ("sms", 1),
];
/// Probability of one more touch.
const MORE: f64 = 0.75;
const LONGEST: usize = 30;
const CONVERTS: f64 = 0.2;
/// Customers of a piece.
const PIECE: u64 = 60_000;

/// One customer.
struct Customer {
    key: String,
    /// Minutes since the beginning, and channel, oldest first.
    touches: Vec<(i64, usize)>,
    /// Value, when the journey converts, a minute after its last touch.
    value: Option<f64>,
}

fn customer(number: u64) -> Customer {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let weights: u32 = CHANNELS.iter().map(|(_, weight)| weight).sum();
    let mut touches = Vec::new();
    let mut minute = random.random_range(0..200_000_i64);
    loop {
        let mut at = random.random_range(0..weights);
        let channel = CHANNELS.iter().position(|(_, weight)| {
            let here = at < *weight;
            at = at.wrapping_sub(*weight);
            here
        });
        touches.push((minute, channel.unwrap_or_default()));
        minute += random.random_range(20..2_000);
        if touches.len() >= LONGEST || random.random_range(0.0..1.0) > MORE {
            break;
        }
    }
    let converts = random.random_range(0.0..1.0) < CONVERTS;
    let cents: u32 = random.random_range(500..20_000);
    Customer {
        key: format!("{number:016x}"),
        touches,
        value: converts.then(|| f64::from(cents) / 100.0),
    }
}

fn instant(minute: i64) -> DateTime<Utc> {
    let start = DateTime::<Utc>::from_timestamp(1_767_225_600, 0).unwrap_or_default();
    start + TimeDelta::minutes(minute)
}

fn touch(customer: &Customer, minute: i64, channel: usize) -> Touchpoints {
    Touchpoints {
        customer_key: customer.key.clone(),
        occurred_at: instant(minute),
        channel: CHANNELS[channel].0.to_owned(),
        campaign: "all".to_owned(),
        kind: "click".to_owned(),
    }
}

fn order(customer: &Customer) -> Option<Orders> {
    let value = customer.value?;
    let ordered_at = instant(customer.touches.last()?.0 + 1);
    Some(Orders {
        order_id: customer.key.clone(),
        ordered_at,
        date: ordered_at.date_naive(),
        customer_key: Some(customer.key.clone()),
        new_customer: Some(true),
        geo: "all".to_owned(),
        currency: "EUR".to_owned(),
        gross_revenue: value,
        refunded: 0.0,
        revenue: value,
        status: "paid".to_owned(),
    })
}

/// A table made of the customers of one piece after the other.
fn pieces<A: Artifact>(
    journeys: u64,
    rows: impl Fn(&Customer) -> Vec<A> + Send + 'static,
) -> Pieces<A> {
    let starts = (0..journeys).step_by(PIECE as usize);
    Pieces::new(starts.map(move |start| {
        let customers = (start..journeys.min(start + PIECE)).map(customer);
        let rows = customers.flat_map(|customer| rows(&customer)).collect();
        Table::from_rows(rows).map_err(StoreError::from)
    }))
}

/// Writes the world.
pub(crate) async fn run(store: &Path, journeys: u64, paths: Option<&Path>) -> Result<Value> {
    std::fs::create_dir_all(store)?;
    let store = Store::open(
        store
            .to_str()
            .context("the store's folder has no plain name")?,
    )
    .await?;
    let touches = pieces(journeys, |customer| {
        let touches = customer.touches.iter();
        touches
            .map(|&(minute, channel)| touch(customer, minute, channel))
            .collect()
    });
    let touches = store
        .log(Touchpoints::NAME)?
        .commit(touches, WriteMode::Replace, provenance("touchpoints"))
        .await?;
    let orders = pieces(journeys, |customer| order(customer).into_iter().collect());
    let orders = store
        .log(Orders::NAME)?
        .commit(orders, WriteMode::Replace, provenance("orders"))
        .await?;
    if let Some(paths) = paths {
        write_paths(paths, journeys)?;
    }
    Ok(json!({"journeys": journeys, "touches": touches.rows, "orders": orders.rows}))
}

fn write_paths(path: &Path, journeys: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "path,conversions,value,nulls")?;
    let mut line = String::new();
    for customer in (0..journeys).map(customer) {
        line.clear();
        for (at, (_, channel)) in customer.touches.iter().enumerate() {
            if at > 0 {
                line.push_str(" > ");
            }
            line.push_str(CHANNELS[*channel].0);
        }
        let converts = u8::from(customer.value.is_some());
        let value = customer.value.unwrap_or_default();
        writeln!(line, ",{converts},{value},{}", 1 - converts)?;
        file.write_all(line.as_bytes())?;
    }
    Ok(file.flush()?)
}

fn provenance(slot: &str) -> Provenance {
    Provenance {
        step: "bench".to_owned(),
        code_version: "0".to_owned(),
        run: None,
        slot: slot.to_owned(),
        fingerprint: Digest::of_bytes(slot.as_bytes()),
        inputs: Vec::new(),
        window: None,
        seed: 0,
        forced: false,
        committed_at: DateTime::<Utc>::UNIX_EPOCH,
    }
}
