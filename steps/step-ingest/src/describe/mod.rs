//! Source files: which exports there are, and how each is read. One TOML file per source.

mod glob;
mod wide;

use std::collections::BTreeMap;
use std::path::Path;

use chrono_tz::Tz;
use mixline_step::StepError;
use serde::Deserialize;

pub(crate) use glob::matches;
pub(crate) use wide::{Control, MediaColumns, OutcomeColumn};

use crate::cell::number::Mark;

/// What a source is an export of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Meta Ads Manager report by day.
    MetaAds,
    /// Google Ads campaign report by day.
    GoogleAds,
    /// TikTok Ads Manager report by day.
    TiktokAds,
    /// Shopify orders.
    ShopifyOrders,
    /// Clicks and views of known visitors.
    Touchpoints,
    /// One row per day (and geo): channels, outcomes, controls in columns.
    Wide,
}

/// What becomes of rows that have the same key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SameKey {
    /// They are an error: usually the report has a breakdown that nobody meant.
    #[default]
    Error,
    /// Their amounts and counts are added up.
    Sum,
}

/// The decimal mark, as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decimal {
    #[serde(alias = ".")]
    Point,
    #[serde(alias = ",")]
    Comma,
}

/// A source file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// Name in the mapping report.
    pub(crate) name: String,
    /// What it is an export of.
    pub(crate) kind: Kind,
    /// File names below the data folder; `*` and `?` stand for any characters.
    pub(crate) files: Vec<String>,
    /// Wide files: files whose rows belong to those of `files`, one by one.
    #[serde(default)]
    pub(crate) beside: Vec<String>,
    /// Channel of its rows in `media_daily`.
    pub(crate) channel: Option<String>,
    /// Currency of its money, when the file does not say.
    pub(crate) currency: Option<String>,
    /// Zone whose clocks its times are on, and whose days its orders belong to.
    #[serde(default)]
    zone: Option<String>,
    /// Text encoding; detected when absent.
    pub(crate) encoding: Option<String>,
    /// Delimiter; detected when absent.
    pub(crate) delimiter: Option<char>,
    decimal: Option<Decimal>,
    /// How days are written; detected when absent.
    pub(crate) date_format: Option<String>,
    /// Whether it is an error that no file matches.
    #[serde(default)]
    pub(crate) required: bool,
    /// What becomes of rows that have the same key.
    #[serde(default)]
    pub(crate) same_key: SameKey,
    /// Field → heading, where the file has other headings than usual.
    #[serde(default)]
    pub(crate) columns: BTreeMap<String, String>,
    /// Wide files: channels.
    #[serde(default)]
    pub(crate) media: Vec<MediaColumns>,
    /// Wide files: what a model explains.
    #[serde(default)]
    pub(crate) outcome: Vec<OutcomeColumn>,
    /// Wide files: other drivers.
    #[serde(default)]
    pub(crate) controls: Vec<Control>,
    /// The file it was read from.
    #[serde(skip)]
    pub(crate) path: String,
}

impl Source {
    /// The zone of its clocks.
    pub(crate) fn zone(&self) -> Tz {
        self.zone
            .as_deref()
            .and_then(|zone| zone.parse().ok())
            .unwrap_or(Tz::UTC)
    }

    /// The decimal mark, when a person has said it.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.decimal.map(|decimal| match decimal {
            Decimal::Point => Mark::Point,
            Decimal::Comma => Mark::Comma,
        })
    }

    /// The channel, or the usual one of the kind.
    pub(crate) fn channel_or(&self, usual: &str) -> String {
        self.channel
            .as_deref()
            .unwrap_or(usual)
            .trim()
            .to_lowercase()
    }

    /// Everything that is wrong with it beyond its grammar.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.files.is_empty() {
            faults.push(
                "`files` is empty: name the export files, for example [\"meta*.csv\"]".into(),
            );
        }
        for pattern in self.files.iter().chain(&self.beside) {
            let climbs = pattern.split('/').any(|part| part == "..");
            if climbs || Path::new(pattern).is_absolute() {
                faults.push(format!(
                    "`files`: `{pattern}` leaves the data folder, which is the only one watched"
                ));
            }
        }
        if let Some(zone) = self
            .zone
            .as_ref()
            .filter(|zone| zone.parse::<Tz>().is_err())
        {
            faults.push(format!(
                "`zone`: `{zone}` is no IANA zone such as `Europe/Berlin`"
            ));
        }
        let currency =
            |code: &&String| code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase());
        if let Some(code) = self.currency.as_ref().filter(currency) {
            faults.push(format!(
                "`currency`: `{code}` is no ISO 4217 code such as `EUR`"
            ));
        }
        if self.kind != Kind::Wide && !self.beside.is_empty() {
            faults.push("`beside` is for kind = \"wide\"".into());
        }
        let wide = !self.media.is_empty() || !self.outcome.is_empty() || !self.controls.is_empty();
        match (self.kind == Kind::Wide, wide) {
            (true, false) => faults.push(
                "a wide source needs at least one of [[media]], [[outcome]] and `controls`".into(),
            ),
            (false, true) => {
                faults.push("[[media]], [[outcome]] and `controls` are for kind = \"wide\"".into())
            }
            _ => {}
        }
        faults
    }
}

/// Reads every source file of a folder, in name order.
pub(crate) fn read_all(folder: &Path) -> Result<Vec<Source>, StepError> {
    let shown = folder.display();
    let unreadable = |error: std::io::Error| {
        StepError::config(format!(
            "the folder of source files, {shown}, cannot be read"
        ))
        .because(error)
        .hint("`sources` names it; `mixline init` makes one with sources for common exports")
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    let mut sources: Vec<Source> = Vec::new();
    let mut faults = Vec::new();
    for path in &paths {
        match read(path) {
            Ok(source) if sources.iter().any(|known| known.name == source.name) => {
                faults.push(format!(
                    "{}: another file has the name `{}`, too",
                    path.display(),
                    source.name
                ));
            }
            Ok(source) => sources.push(source),
            Err(fault) => faults.extend(fault),
        }
    }
    if !faults.is_empty() {
        return Err(StepError::config("source files cannot be used")
            .because(faults.join("\n"))
            .hint("sources/README.md lists every key"));
    }
    if sources.is_empty() {
        return Err(
            StepError::config(format!("there is no source file (*.toml) in {shown}"))
                .hint("`mixline init` makes sources for common exports"),
        );
    }
    Ok(sources)
}

fn read(path: &Path) -> Result<Source, Vec<String>> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| vec![format!("{shown}: {e}")])?;
    let mut source: Source =
        toml::from_str(&text).map_err(|error| vec![format!("{shown}: {error}")])?;
    source.path.clone_from(&shown);
    let faults = source.faults();
    match faults.is_empty() {
        true => Ok(source),
        false => Err(faults
            .into_iter()
            .map(|fault| format!("{shown}: {fault}"))
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.toml"), text).unwrap();
        read_all(dir.path()).unwrap_err().chain()
    }

    #[test]
    fn faults_name_the_file_and_the_key() {
        let text = "name = \"a\"\nkind = \"meta_ads\"\nfiles = [\"a.csv\"]\ncurency = \"EUR\"\n";
        assert!(fault(text).contains("curency"), "{}", fault(text));
        assert!(fault(text).contains("a.toml"));
        let text = "name = \"a\"\nkind = \"wide\"\nfiles = [\"../a.csv\"]\nzone = \"Berlin\"\n";
        let said = fault(text);
        for expected in ["leaves the data folder", "no IANA zone", "at least one of"] {
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn an_empty_folder_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            read_all(dir.path())
                .unwrap_err()
                .chain()
                .contains("mixline init")
        );
    }
}
