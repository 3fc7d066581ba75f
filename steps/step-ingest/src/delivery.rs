//! Spend and delivery by campaign and day, from rows in the order of day and campaign.

use mixline_schema::catalog::MediaDaily;
use polars::prelude::{DataFrame, DataType, PolarsResult};

/// Rows added up at a time.
const BATCH: usize = 100_000;

/// The columns of a raw table that `media_daily` is made from; the others have one name in all.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Money spent.
    pub(crate) spend: &'static str,
}

/// Adds up the rows of each day and campaign.
///
/// A count that no row reports stays unknown. Money of two currencies cannot be added up.
pub(crate) fn daily(
    rows: &DataFrame,
    columns: &Delivery,
    channel: &str,
) -> Result<Vec<MediaDaily>, String> {
    // Two halves side by side; a run that lies in both is put together again.
    let half = rows.height() / 2;
    let walk =
        |rows: DataFrame| walk(&rows, columns, channel).map_err(|error| error.to_string())?;
    let (first, second) = (
        rows.slice(0, half),
        rows.slice(half as i64, rows.height() - half),
    );
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| walk(second));
        (
            walk(first),
            second
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    join(first?, second?)
}

/// The rows of both halves; the last of the first and the first of the second may be one.
fn join(mut media: Vec<MediaDaily>, second: Vec<MediaDaily>) -> Result<Vec<MediaDaily>, String> {
    let mut second = second.into_iter().peekable();
    let same = |a: &MediaDaily, b: &MediaDaily| (a.date, &a.campaign) == (b.date, &b.campaign);
    if let (Some(last), Some(next)) = (media.last_mut(), second.peek())
        && same(last, next)
    {
        if last.currency != next.currency {
            return Err(two_currencies(last, &next.currency));
        }
        add(&mut last.spend, next.spend);
        add(&mut last.impressions, next.impressions);
        add(&mut last.clicks, next.clicks);
        second.next();
    }
    media.extend(second);
    Ok(media)
}

fn two_currencies(row: &MediaDaily, other: &str) -> String {
    format!(
        "campaign \"{}\" has money in {} and in {other} on {}: describe the accounts as two \
         sources with two channels",
        row.campaign, row.currency, row.date
    )
}

type Walked = Result<Vec<MediaDaily>, String>;

fn walk(rows: &DataFrame, columns: &Delivery, channel: &str) -> PolarsResult<Walked> {
    let mut media = Vec::new();
    // A column that holds one value throughout is written out for one batch at a time.
    for start in (0..rows.height()).step_by(BATCH) {
        let batch = rows.slice(start as i64, BATCH);
        if let Err(message) = take(&batch, columns, channel, &mut media)? {
            return Ok(Err(message));
        }
    }
    Ok(Ok(media))
}

/// Takes the rows of a batch in; the last row of the batch before may go on.
fn take(
    rows: &DataFrame,
    columns: &Delivery,
    channel: &str,
    media: &mut Vec<MediaDaily>,
) -> PolarsResult<Result<(), String>> {
    let date = rows.column("date")?.cast(&DataType::Int32)?;
    let (date, campaign) = (date.i32()?.iter(), rows.column("campaign")?.str()?.iter());
    let currency = rows.column("currency")?.str()?.iter();
    let spend = rows.column(columns.spend)?.f64()?.iter();
    let impressions = rows.column("impressions")?.i64()?.iter();
    let clicks = rows.column("clicks")?.i64()?.iter();
    let cells = date
        .zip(campaign)
        .zip(currency)
        .zip(spend)
        .zip(impressions.zip(clicks));
    let mut last = media
        .last()
        .map(|row| (row.date.to_epoch_days(), row.campaign.clone()));
    for ((((date, campaign), currency), spend), (impressions, clicks)) in cells {
        let (date, campaign) = (date.unwrap_or_default(), campaign.unwrap_or_default());
        let currency = currency.unwrap_or_default();
        if last
            .as_ref()
            .is_none_or(|(day, name)| *day != date || name != campaign)
        {
            last = Some((date, campaign.to_owned()));
            media.push(empty(date, channel, campaign, currency));
        }
        let Some(row) = media.last_mut() else {
            continue;
        };
        if row.currency != currency {
            return Ok(Err(two_currencies(row, currency)));
        }
        add(&mut row.spend, spend);
        add(&mut row.impressions, impressions.map(|count| count as f64));
        add(&mut row.clicks, clicks.map(|count| count as f64));
    }
    Ok(Ok(()))
}

fn empty(date: i32, channel: &str, campaign: &str, currency: &str) -> MediaDaily {
    MediaDaily {
        date: chrono::NaiveDate::from_epoch_days(date).unwrap_or_default(),
        channel: channel.to_owned(),
        campaign: campaign.to_owned(),
        geo: "all".to_owned(),
        currency: currency.to_owned(),
        spend: None,
        impressions: None,
        clicks: None,
    }
}

fn add(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0.0) + value);
    }
}
