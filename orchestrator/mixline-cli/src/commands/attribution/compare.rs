//! `mixline attribution compare`: methods by channels, and where they cannot all be right.

use mixline_artifact::{Log, Store};
use mixline_schema::catalog::{AttributionChannels, AttributionMethods};
use mixline_schema::{Artifact as _, Digest};
use serde_json::{Value, json};

use super::{percent, version};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::ui::table::Table;
use crate::ui::words;

/// Show what each attribution method gives each channel, and where methods disagree
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline attribution compare                      shares of revenue, a row per method
  mixline attribution compare --channel meta       one channel, with 90 % intervals and ranks
  mixline attribution compare --conversions --at 3

Methods disagree on a channel when the 90 % intervals of two of them do not meet. Left out of that
comparison: `spend_share`, which looks at no journey, and methods that know nothing of the channel
(their interval is a point).")]
pub(crate) struct Args {
    /// Revenue instead of its shares
    #[arg(long, conflicts_with = "conversions")]
    revenue: bool,
    /// Conversions instead of shares of revenue
    #[arg(long)]
    conversions: bool,
    /// All about one channel: intervals, ranks, removal effects
    #[arg(long, value_name = "CHANNEL", conflicts_with_all = ["revenue", "conversions"])]
    channel: Option<String>,
    /// Version or alias of `attribution_channels` [default: the newest]
    #[arg(long, value_name = "V")]
    at: Option<String>,
}

/// The rows of one version.
struct Said {
    version: u64,
    /// By method and channel.
    channels: Vec<AttributionChannels>,
    /// What the same execution says of its methods; empty when it is not known any more.
    methods: Vec<AttributionMethods>,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let said = read(store, args.at.as_deref()).await?;
    if let Some(channel) = &args.channel {
        let names = said.names();
        if !names.contains(&channel.as_str()) {
            return Err(Failure::usage(format!("there is no channel `{channel}`"))
                .hint(format!("the channels are {}", names.join(", "))));
        }
    }
    if app.json() {
        return app.document(&said.document(args.channel.as_deref()));
    }
    match &args.channel {
        Some(channel) => app.table(&said.one(channel))?,
        None => app.table(&said.all(args))?,
    }
    app.note(format!("\n{}", said.verdict(args.channel.as_deref())))?;
    if said.methods.is_empty() {
        return app.note("How stable the methods are is not known for this version.");
    }
    app.line("")?;
    app.table(&said.stability())
}

async fn read(store: &Store, at: Option<&str>) -> Outcome<Said> {
    let (log, version) = version::<AttributionChannels>(store, at).await?;
    let channels = log.read_table::<AttributionChannels>(Some(version)).await?;
    let record = log.commit_info(version).await?;
    let fingerprint = record.provenance.map(|made| made.fingerprint);
    let own = store.log(AttributionMethods::NAME)?;
    let methods = match of_execution(&own, fingerprint.as_ref()).await? {
        Some(at) => own.read_table::<AttributionMethods>(Some(at)).await?.rows(),
        None => Vec::new(),
    };
    Ok(Said {
        version,
        channels: channels.rows(),
        methods,
    })
}

/// The newest version that the execution with a fingerprint wrote.
async fn of_execution(log: &Log, fingerprint: Option<&Digest>) -> Outcome<Option<u64>> {
    let Some(fingerprint) = fingerprint else {
        return Ok(None);
    };
    let records = log.history(None).await?;
    let made = records.iter().rev().find(|record| {
        let made = record.provenance.as_ref();
        made.is_some_and(|made| made.fingerprint == *fingerprint)
    });
    Ok(made.map(|record| record.version))
}

impl Said {
    /// Channels by falling sum of shares.
    fn names(&self) -> Vec<&str> {
        let mut sums: Vec<(&str, f64)> = Vec::new();
        for row in &self.channels {
            match sums.iter_mut().find(|(name, _)| *name == row.channel) {
                Some((_, sum)) => *sum += row.share,
                None => sums.push((&row.channel, row.share)),
            }
        }
        sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        sums.into_iter().map(|(name, _)| name).collect()
    }

    /// Methods in the order of the table.
    fn method_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .channels
            .iter()
            .map(|row| row.method.as_str())
            .collect();
        names.dedup();
        names
    }

    /// Rows of one channel, one per method.
    fn of<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a AttributionChannels> {
        self.channels
            .iter()
            .filter(move |row| row.channel == channel)
    }

    /// Whether intervals of two methods do not meet.
    fn disputed(&self, channel: &str) -> bool {
        let compared = |row: &&AttributionChannels| {
            row.method != "spend_share" && row.revenue_q05 < row.revenue_q95
        };
        let rows = self.of(channel).filter(compared);
        let (low, high) = rows.fold((f64::NEG_INFINITY, f64::INFINITY), |(low, high), row| {
            (low.max(row.revenue_q05), high.min(row.revenue_q95))
        });
        low > high
    }

    /// One row per method, one column per channel.
    fn all(&self, args: &Args) -> Table {
        let cell = |row: &AttributionChannels| match (args.revenue, args.conversions) {
            (true, _) => words::amount(row.revenue),
            (_, true) => words::amount(row.conversions),
            _ => percent(row.share),
        };
        let names = self.names();
        let header: Vec<String> = ["method".to_owned()]
            .into_iter()
            .chain(names.iter().map(|name| format!(">{name}")))
            .collect();
        let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
        for method in self.method_names() {
            let mut cells = vec![method.to_owned()];
            cells.extend(names.iter().map(|name| {
                let own = self.of(name).find(|row| row.method == method);
                own.map_or("–".to_owned(), cell)
            }));
            table.row(cells);
        }
        table
    }

    /// One row per method, all about one channel.
    fn one(&self, channel: &str) -> Table {
        let mut table = Table::new(&[
            "method",
            ">share",
            ">revenue",
            ">5 %",
            ">95 %",
            ">conversions",
            ">rank",
            ">keeps rank",
            ">removal effect",
        ]);
        for row in self.of(channel) {
            table.row(vec![
                row.method.clone(),
                percent(row.share),
                words::amount(row.revenue),
                words::amount(row.revenue_q05),
                words::amount(row.revenue_q95),
                words::amount(row.conversions),
                row.rank.to_string(),
                percent(row.keeps_rank),
                row.removal_effect.map_or("–".to_owned(), percent),
            ]);
        }
        table
    }

    fn stability(&self) -> Table {
        let mut table = Table::new(&[
            "method",
            ">stability",
            ">resamples",
            ">journeys",
            ">conversions",
            ">credited to touches",
            "to know",
        ]);
        for row in &self.methods {
            let count = |n: i64| words::count(n.unsigned_abs());
            table.row(vec![
                row.method.clone(),
                percent(row.stability),
                count(row.resamples),
                count(row.journeys),
                count(row.conversions),
                percent(row.revenue_credited / row.revenue),
                row.note.clone(),
            ]);
        }
        table
    }

    /// What to make of it, in a sentence.
    fn verdict(&self, channel: Option<&str>) -> String {
        let names = channel.map_or_else(|| self.names(), |channel| vec![channel]);
        let period = self.channels.first().map_or(String::new(), |row| {
            format!(
                "Orders from {} to {}, in {}. ",
                row.first, row.last, row.currency
            )
        });
        let disputed = names.into_iter().filter(|name| self.disputed(name));
        let disputed: Vec<&str> = disputed.collect();
        if disputed.is_empty() {
            return format!("{period}Methods agree within their 90 % intervals.");
        }
        format!(
            "{period}Methods disagree on {} by more than their own 90 % intervals: attribution \
             alone is no ground for moving money there.",
            disputed.join(", ")
        )
    }

    fn document(&self, channel: Option<&str>) -> Value {
        let rows = self.channels.iter();
        let rows = rows.filter(|row| channel.is_none_or(|channel| row.channel == channel));
        let channels: Vec<Value> = rows.map(channel_json).collect();
        let methods: Vec<Value> = self.methods.iter().map(method_json).collect();
        let names = self.names().into_iter();
        let names = names.filter(|name| channel.is_none_or(|channel| *name == channel));
        let disputed: Vec<&str> = names.filter(|name| self.disputed(name)).collect();
        json!({
            "version": self.version, "channels": channels, "methods": methods,
            "disputed": disputed,
        })
    }
}

fn channel_json(row: &AttributionChannels) -> Value {
    json!({
        "method": row.method, "channel": row.channel, "first": row.first, "last": row.last,
        "currency": row.currency, "conversions": row.conversions, "revenue": row.revenue,
        "share": row.share, "revenue_mean": row.revenue_mean, "revenue_q05": row.revenue_q05,
        "revenue_q25": row.revenue_q25, "revenue_q50": row.revenue_q50,
        "revenue_q75": row.revenue_q75, "revenue_q95": row.revenue_q95, "rank": row.rank,
        "keeps_rank": row.keeps_rank, "removal_effect": row.removal_effect,
    })
}

fn method_json(row: &AttributionMethods) -> Value {
    json!({
        "method": row.method, "journeys": row.journeys, "conversions": row.conversions,
        "revenue": row.revenue, "revenue_credited": row.revenue_credited,
        "stability": row.stability, "resamples": row.resamples,
        "conversion_rate": row.conversion_rate, "note": row.note,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::style::Style;

    fn row(method: &str, channel: &str, share: f64) -> AttributionChannels {
        let day = |day| chrono::NaiveDate::from_ymd_opt(2026, 10, day).unwrap();
        let revenue = 20_000.0 * share;
        AttributionChannels {
            method: method.to_owned(),
            channel: channel.to_owned(),
            first: day(1),
            last: day(31),
            currency: "EUR".to_owned(),
            conversions: 400.0 * share,
            revenue,
            share,
            revenue_mean: revenue,
            revenue_q05: revenue - 500.0,
            revenue_q25: revenue - 200.0,
            revenue_q50: revenue,
            revenue_q75: revenue + 200.0,
            revenue_q95: revenue + 500.0,
            rank: 2,
            keeps_rank: 0.94,
            removal_effect: method.starts_with("markov").then_some(0.41),
        }
    }

    fn said() -> Said {
        let mut channels = Vec::new();
        for (method, shares) in [
            ("last_touch", [0.55, 0.25]),
            ("markov_1", [0.42, 0.38]),
            ("spend_share", [0.0, 1.0]),
        ] {
            channels.push(row(method, "google", shares[0]));
            channels.push(row(method, "meta", shares[1]));
            if method != "spend_share" {
                channels.push(row(method, "direct", 0.2));
            }
        }
        let method = |method: &str, stability| AttributionMethods {
            method: method.to_owned(),
            journeys: 12_345,
            conversions: 400,
            revenue: 20_000.0,
            revenue_credited: 16_000.0,
            stability,
            resamples: 200,
            conversion_rate: None,
            note: "The last touch takes all.".to_owned(),
        };
        Said {
            version: 4,
            channels,
            methods: vec![method("last_touch", 0.97), method("markov_1", 0.93)],
        }
    }

    fn args(revenue: bool, conversions: bool) -> Args {
        Args {
            revenue,
            conversions,
            channel: None,
            at: None,
        }
    }

    #[test]
    fn shares_revenue_and_conversions_stand_in_the_same_cells() {
        let said = said();
        let text = [
            said.all(&args(false, false)),
            said.all(&args(true, false)),
            said.all(&args(false, true)),
        ]
        .map(|table| table.render(Style::PLAIN));
        let end = [said.verdict(None), said.stability().render(Style::PLAIN)];
        insta::assert_snapshot!([&text[..], &end[..]].concat().join("\n\n"));
    }

    #[test]
    fn one_channel_has_intervals_and_ranks() {
        let said = said();
        let text = [
            said.one("google").render(Style::PLAIN),
            said.verdict(Some("google")),
        ];
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn methods_disagree_only_where_intervals_do_not_meet() {
        let said = said();
        let disputed = ["google", "meta", "direct"].map(|channel| said.disputed(channel));
        assert_eq!(disputed, [true, true, false]);
        assert_eq!(
            said.document(Some("direct"))["disputed"],
            json!([]),
            "only what was asked for"
        );
        assert_eq!(said.document(None)["disputed"], json!(["meta", "google"]));
    }
}
