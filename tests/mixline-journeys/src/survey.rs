//! Touches in, credit by channel out: sessionizing, all rules, and chains of order 1 to 3, in one
//! pass over the touches.
//!
//! ```text
//! thread 1   read and decode pieces of touchpoints
//! thread 2   sessionize customers            ─► journeys, packed
//! thread 3   survey                          ─► totals, removal effects
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::{Context as _, Result};
use mixline_artifact::{Batches, Store, Stream, Table};
use mixline_attribution::markov::Which;
use mixline_attribution::sessionize::{End, Rules, Sessionizer};
use mixline_attribution::survey::{Plan, Setting, Survey};
use mixline_attribution::{
    ChannelId, Channels, Journeys, Outcome, PositionWeights, Touch, TouchRule,
};
use mixline_attribution_tables::{Life, OrderBook, Sessions, Sources, Stitching, customer_number};
use mixline_schema::Artifact as _;
use mixline_schema::catalog::{Orders, Touchpoints};
use serde_json::{Value, json};

use crate::peak_mebibytes;

/// Journeys handed over at a time.
const PACK: usize = 50_000;

/// Rules by the names that results are compared by.
fn rules() -> Vec<(&'static str, TouchRule)> {
    vec![
        ("last_touch", TouchRule::LastTouch),
        ("last_non_direct", TouchRule::LastNonDirect { direct: None }),
        ("first_touch", TouchRule::FirstTouch),
        ("linear", TouchRule::Linear),
        (
            "time_decay",
            TouchRule::TimeDecay {
                half_life_days: 7.0,
            },
        ),
        (
            "position_based",
            TouchRule::PositionBased(PositionWeights::default()),
        ),
    ]
}

/// Surveys the world in a store.
pub(crate) async fn run(store: &Path) -> Result<Value> {
    let store = Store::open(
        store
            .to_str()
            .context("the store's folder has no plain name")?,
    )
    .await?;
    let orders = store.log(Orders::NAME)?.read_table::<Orders>(None).await?;
    let log = store.log(Touchpoints::NAME)?;
    let version = log
        .head()
        .await?
        .context("the store holds no touchpoints")?;
    let touches =
        Batches::<Touchpoints>::new(Stream::of_version(log, Touchpoints::spec(), version));
    tokio::task::spawn_blocking(move || pass(&orders, &touches)).await?
}

fn pass(orders: &Table<Orders>, touches: &Batches<Touchpoints>) -> Result<Value> {
    let started = Instant::now();
    let (sender, receiver) = sync_channel(2);
    let book = OrderBook::new(orders);
    let end = book.newest().unwrap_or(i64::MAX);
    let touches = touches.iter();
    let sessionizing = std::thread::spawn(move || -> Result<Sources> {
        let sessionizer = Sessionizer::new(Rules::default(), end);
        let mut sessions = Sessions::new(
            touches,
            book,
            Stitching::none(),
            Sources::default(),
            sessionizer,
        );
        let mut packer = Packer::new(sender);
        while sessions.advance(&mut |_, _, _| true, &mut |life, orders, _| {
            packer.pack(life, orders);
        })? {}
        packer.flush();
        Ok(sessions.sources)
    });
    let mut survey = Survey::new(Plan {
        rules: rules().into_iter().map(|(_, rule)| rule).collect(),
        chains: (1..=3).map(|order| (order, Which::All)).collect(),
        ..Plan::default()
    });
    let journeys = receive(&receiver, &mut survey);
    let sources = sessionizing
        .join()
        .map_err(|_| anyhow::anyhow!("sessionizing panicked"))??;
    let streamed = started.elapsed().as_secs_f64();
    let channels: Channels = (0..sources.len() as u32)
        .map(|id| sources.name(id).0)
        .collect();
    let (credit, rates) = results(&survey, &channels)?;
    Ok(json!({
        "journeys": journeys,
        "touches": survey.counts().touches,
        "seconds_streamed": streamed,
        "seconds": started.elapsed().as_secs_f64(),
        "peak_mib": peak_mebibytes(),
        "conversion_rates": rates,
        "conversions": credit,
    }))
}

fn receive(packs: &Receiver<Journeys>, survey: &mut Survey) -> usize {
    let mut journeys = 0;
    for pack in packs {
        journeys += pack.len();
        survey.add(&pack);
    }
    journeys
}

type Credit = BTreeMap<String, BTreeMap<String, f64>>;

/// Conversions by method and channel, and the conversion rate of each chain.
fn results(survey: &Survey, channels: &Channels) -> Result<(Credit, Vec<f64>)> {
    let setting = Setting {
        channels: channels.len(),
        rest: ChannelId(0),
        draws: &[],
    };
    let by_channel = |conversions: &[f64]| -> BTreeMap<String, f64> {
        channels
            .names()
            .iter()
            .cloned()
            .zip(conversions.iter().copied())
            .collect()
    };
    let mut credit = Credit::new();
    for ((name, _), result) in rules().into_iter().zip(survey.rules(setting)) {
        credit.insert(name.to_owned(), by_channel(&result.totals.conversions));
    }
    let mut rates = Vec::new();
    for chain in 0..3 {
        let markov = survey.markov(chain, setting)?;
        rates.push(markov.effects.whole.conversion);
        let name = format!("markov_{}", chain + 1);
        credit.insert(name, by_channel(&markov.result.totals.conversions));
    }
    Ok((credit, rates))
}

/// Packs journeys for the other thread.
struct Packer {
    sender: SyncSender<Journeys>,
    pack: Journeys,
}

impl Packer {
    fn new(sender: SyncSender<Journeys>) -> Self {
        Self {
            sender,
            pack: Journeys::new(),
        }
    }

    fn pack(&mut self, life: &Life<'_>, orders: &OrderBook) {
        let customer = customer_number(life.customer);
        for trip in &life.found.trips {
            let outcome = match trip.end {
                End::Converted(place) => Outcome::conversion(orders.row(place).revenue, customer),
                End::Ended | End::Open => Outcome::null(customer),
            };
            // There is one campaign a channel, so a source is a channel.
            let steps = life.found.steps[trip.steps.clone()]
                .iter()
                .map(|step| Touch {
                    channel: ChannelId(life.touches[step.row].source),
                    age_days: step.age_days,
                    weight: step.weight,
                });
            self.pack.push(steps, outcome);
        }
        if self.pack.len() >= PACK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        // A receiver that has gone wants no more.
        let _ = self.sender.send(std::mem::take(&mut self.pack));
    }
}
