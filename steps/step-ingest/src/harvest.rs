//! What all sources together come to: rows by table, each key from one source only.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::path::Path;

use mixline_schema::Artifact;
use mixline_schema::catalog::{
    Controls, Identities, MediaDaily, Orders, Outcome, RawGoogleAds, RawMetaAds, RawShopifyOrders,
    RawTiktokAds, Touchpoints,
};
use mixline_step::{StepError, Table};

use crate::Outputs;
use crate::describe::{Kind, Source};
use crate::identity::Identity;
use crate::kind::{Job, ads, shopify, touchpoints, wide};
use crate::problem::{Problem, Problems};
use crate::report::Report;

/// Rows of a table, by the source they came from.
type BySource<A> = Vec<(String, Vec<A>)>;

/// The rows gathered so far.
pub(crate) struct Harvest<'a> {
    data: &'a Path,
    identity: Option<Identity>,
    problems: Problems,
    report: Report,
    meta: Vec<Table<RawMetaAds>>,
    google: Vec<Table<RawGoogleAds>>,
    tiktok: Vec<Table<RawTiktokAds>>,
    shopify: BySource<RawShopifyOrders>,
    media: BySource<MediaDaily>,
    orders: BySource<Orders>,
    touchpoints: BySource<Touchpoints>,
    /// By anonymous key; of several links the earliest holds.
    identities: BTreeMap<String, Identities>,
    outcome: BySource<Outcome>,
    controls: BySource<Controls>,
}

impl<'a> Harvest<'a> {
    /// Nothing yet.
    pub(crate) fn new(data: &'a Path, identity: Option<Identity>) -> Self {
        Self {
            data,
            identity,
            problems: Problems::default(),
            report: Report::default(),
            meta: Vec::new(),
            google: Vec::new(),
            tiktok: Vec::new(),
            shopify: Vec::new(),
            media: Vec::new(),
            orders: Vec::new(),
            touchpoints: Vec::new(),
            identities: BTreeMap::new(),
            outcome: Vec::new(),
            controls: Vec::new(),
        }
    }

    /// Reports the files that no source wants.
    pub(crate) fn unclaimed(&mut self, files: &[String], claims: &[(&Source, Vec<String>)]) {
        for file in files {
            let wanted = |(source, claimed): &(&Source, Vec<String>)| {
                claimed.contains(file) || source.beside.contains(file)
            };
            if !claims.iter().any(wanted) {
                self.report
                    .file("(none)", file, "ignored", "no source file matches it");
            }
        }
    }

    /// Reads the files of one source.
    pub(crate) fn gather(&mut self, source: &Source, files: &[String]) -> Result<(), StepError> {
        if files.is_empty() {
            let note = format!("no file matches {}", source.files.join(", "));
            self.report.file(&source.name, "(none)", "missing", &note);
            return Ok(());
        }
        let name = source.name.clone();
        let mut job = Job {
            data: self.data,
            identity: self.identity.as_ref(),
            problems: &mut self.problems,
            report: &mut self.report,
        };
        match source.kind {
            Kind::MetaAds => {
                if let Some((table, media)) = ads::read(&mut job, source, files)? {
                    self.meta.push(table);
                    self.media.push((name, media));
                }
            }
            Kind::GoogleAds => {
                if let Some((table, media)) = ads::read(&mut job, source, files)? {
                    self.google.push(table);
                    self.media.push((name, media));
                }
            }
            Kind::TiktokAds => {
                if let Some((table, media)) = ads::read(&mut job, source, files)? {
                    self.tiktok.push(table);
                    self.media.push((name, media));
                }
            }
            Kind::ShopifyOrders => {
                let orders = shopify::read(&mut job, source, files)?;
                self.orders
                    .push((name.clone(), shopify::canonical(&orders, source.zone())));
                self.shopify
                    .push((name, orders.into_iter().map(|order| order.raw).collect()));
            }
            Kind::Touchpoints => {
                let found = touchpoints::read(&mut job, source, files)?;
                self.touchpoints.push((name, found.touches));
                for link in found.identities {
                    let known = self.identities.entry(link.anonymous_key.clone());
                    let known = known.or_insert_with(|| link.clone());
                    if link.linked_at < known.linked_at {
                        *known = link;
                    }
                }
            }
            Kind::Wide => {
                let wide = wide::read(&mut job, source, files)?;
                self.media
                    .push((name.clone(), wide.media.into_values().collect()));
                self.outcome
                    .push((name.clone(), wide.outcome.into_values().collect()));
                self.controls
                    .push((name, wide.controls.into_values().collect()));
            }
        }
        Ok(())
    }

    /// The tables, unless there are problems.
    pub(crate) fn into_outputs(self) -> Result<Outputs, StepError> {
        let mut problems = self.problems;
        let media = joined(self.media, &mut problems, |row| {
            (
                row.date,
                row.channel.clone(),
                row.campaign.clone(),
                row.geo.clone(),
            )
        });
        let shopify = joined(self.shopify, &mut problems, |row| row.order_name.clone());
        let orders = joined(self.orders, &mut problems, |row| row.order_id.clone());
        let touchpoints = joined(self.touchpoints, &mut problems, |row| {
            (
                row.customer_key.clone(),
                row.occurred_at,
                row.channel.clone(),
                row.campaign.clone(),
            )
        });
        let outcome = joined(self.outcome, &mut problems, |row| {
            (row.date, row.geo.clone(), row.metric.clone())
        });
        let controls = joined(self.controls, &mut problems, |row| {
            (row.date, row.geo.clone(), row.control.clone())
        });
        problems.into_result()?;
        Ok(Outputs {
            meta: stacked(self.meta)?,
            google: stacked(self.google)?,
            tiktok: stacked(self.tiktok)?,
            shopify: table(shopify)?,
            media: table(media)?,
            orders: table(orders)?,
            touchpoints: table(touchpoints)?,
            identities: table(self.identities.into_values().collect())?,
            outcome: table(outcome)?,
            controls: table(controls)?,
            mapping: Table::from_rows(self.report.into_rows())?,
        })
    }
}

/// The rows of all sources; a key that two sources have would count twice, and is a problem.
fn joined<A: std::fmt::Debug, K: Hash + Ord + std::fmt::Debug>(
    sources: BySource<A>,
    problems: &mut Problems,
    key: impl Fn(&A) -> K,
) -> Vec<A> {
    if let [_] | [] = sources.as_slice() {
        return sources.into_iter().flat_map(|(_, rows)| rows).collect();
    }
    let mut owners: BTreeMap<K, usize> = BTreeMap::new();
    let names: Vec<String> = sources.iter().map(|(name, _)| name.clone()).collect();
    let mut all = Vec::new();
    for (place, (name, rows)) in sources.into_iter().enumerate() {
        for row in rows {
            let key = key(&row);
            if let Some(owner) = owners.get(&key).filter(|owner| **owner != place) {
                let message = format!(
                    "has a row for {key:?} that source `{}` has, too",
                    names[*owner]
                );
                problems.add(Problem::of_file(&name, message));
                problems.hint("give the two sources different channels, or leave one out");
                continue;
            }
            owners.insert(key, place);
            all.push(row);
        }
    }
    all
}

/// A table, if there is any row.
fn table<A: Artifact>(rows: Vec<A>) -> Result<Option<Table<A>>, StepError> {
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(Table::from_rows(rows)?))
}

/// The rows of several tables as one.
fn stacked<A: Artifact>(mut tables: Vec<Table<A>>) -> Result<Option<Table<A>>, StepError> {
    if tables.len() < 2 {
        return Ok(tables.pop().filter(|table| !table.is_empty()));
    }
    let mut frames = tables.into_iter().map(Table::into_df);
    let mut all = frames.next().unwrap_or_default();
    for frame in frames {
        let stacked = all.vstack_mut(&frame).map(drop);
        stacked.map_err(|error| StepError::bug("tables of one kind do not fit").because(error))?;
    }
    Ok(Some(Table::parse(all)?))
}
