//! Export files into typed tables.
//!
//! A *source file* says which files are exports of what; everything a program can find out by
//! looking (encoding, delimiter, where the headings are, decimal mark, date format) is found out,
//! and what can be read in two ways is an error that says so, never a guess. Each source becomes a
//! raw table in the platform's own shape and rows of the canonical tables that later steps read.
//! How every column was read is a table, too: `mapping_report`.
//!
//! All files are read every time and upserted by key: a file that is delivered again, or that
//! restates old days, changes the rows that differ and no others.

mod cell;
mod combine;
mod delivery;
mod describe;
mod files;
mod harvest;
mod identity;
mod kind;
mod problem;
mod read;
mod report;
mod sheet;

use std::path::Path;

use mixline_schema::catalog::{
    Controls, Identities, MappingReport, MediaDaily, Orders, Outcome, RawGoogleAds, RawMetaAds,
    RawShopifyOrders, RawTiktokAds, Touchpoints,
};
use mixline_step::{Context, Resources, Step, StepError, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::describe::Kind;
use crate::harvest::Harvest;
use crate::identity::Identity;

outputs! {
    /// What the step writes. A table that no source has rows for stays unwritten.
    pub struct Outputs {
        /// Meta Ads Manager reports.
        meta: Option<RawMetaAds> => Upsert,
        /// Google Ads reports.
        google: Option<RawGoogleAds> => Upsert,
        /// TikTok Ads reports.
        tiktok: Option<RawTiktokAds> => Upsert,
        /// Shopify orders as exported.
        shopify: Option<RawShopifyOrders> => Upsert,
        /// Spend and delivery of all channels.
        media: Option<MediaDaily> => Upsert,
        /// Orders.
        orders: Option<Orders> => Upsert,
        /// Clicks and views.
        touchpoints: Option<Touchpoints> => Upsert,
        /// Who anonymous visitors turned out to be.
        identities: Option<Identities> => Upsert,
        /// What a model explains.
        outcome: Option<Outcome> => Upsert,
        /// Other drivers.
        controls: Option<Controls> => Upsert,
        /// How every column of every file was read.
        mapping: MappingReport => Replace,
    }
}

/// Configuration of `step-ingest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the source files (`*.toml`); see `sources/README.md`.
    pub sources: String,
    /// Folder of the export files, with its subfolders.
    pub data: String,
    /// File with the key that hashes e-mail addresses: 64 hexadecimal digits. Only read when a
    /// source has people in it.
    pub hash_key_file: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sources: "sources".into(),
            data: "data/raw".into(),
            hash_key_file: ".mixline/hash.key".into(),
        }
    }
}

/// The step.
#[derive(Debug)]
pub struct Ingest;

impl Step for Ingest {
    const NAME: &'static str = "step-ingest";
    const ABOUT: &'static str =
        "Reads export files into typed tables, by declarative source files.";
    const RESOURCES: Resources = Resources {
        cores: 2.0,
        memory_mib: 4096,
    };
    const OBSERVES: &'static [&'static str] = &["sources", "data"];
    type Config = Config;
    type Inputs = ();
    type Outputs = Outputs;

    fn run(config: &Config, _: (), ctx: &Context) -> Result<Outputs, StepError> {
        let sources = describe::read_all(Path::new(&config.sources))?;
        let data = Path::new(&config.data);
        let files = files::below(data)?;
        let claims = files::claims(&sources, &files)?;
        if claims.iter().all(|(_, files)| files.is_empty()) {
            return Err(nothing(config, &files));
        }
        let people = |(source, files): &(&describe::Source, Vec<String>)| {
            matches!(source.kind, Kind::ShopifyOrders | Kind::Touchpoints) && !files.is_empty()
        };
        let identity = match claims.iter().any(people) {
            true => Some(Identity::read(Path::new(&config.hash_key_file))?),
            false => None,
        };
        let mut harvest = Harvest::new(data, identity);
        harvest.unclaimed(&files, &claims);
        for (place, (source, files)) in claims.iter().enumerate() {
            ctx.progress(place as f64 / claims.len() as f64, &source.name);
            harvest.gather(source, files)?;
        }
        ctx.note("sources", claims.len());
        ctx.note(
            "files",
            claims.iter().map(|(_, files)| files.len()).sum::<usize>(),
        );
        harvest.into_outputs()
    }
}

fn nothing(config: &Config, files: &[String]) -> StepError {
    let seen = match files {
        [] => format!("{} holds no files", config.data),
        some => format!(
            "no source in {} matches any of {}",
            config.sources,
            some.join(", ")
        ),
    };
    StepError::data(format!("there is nothing to ingest: {seen}")).hint(
        "put export files there, and name them under `files` in a source file; \
         `mixline step run step-synthesize` makes a synthetic world to try it with",
    )
}
