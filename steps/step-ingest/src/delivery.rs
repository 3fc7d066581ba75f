//! Spend and delivery by campaign and day, from rows in the order of day and campaign.

use mixline_schema::catalog::MediaDaily;
use polars::prelude::{DataFrame, DataType, PolarsResult};

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
    walk(rows, columns, channel).map_err(|error| error.to_string())?
}

type Walked = Result<Vec<MediaDaily>, String>;

fn walk(rows: &DataFrame, columns: &Delivery, channel: &str) -> PolarsResult<Walked> {
    let date = rows.column("date")?.cast(&DataType::Int32)?;
    let (date, campaign) = (date.i32()?.iter(), rows.column("campaign")?.str()?.iter());
    let currency = rows.column("currency")?.str()?.iter();
    let spend = rows.column(columns.spend)?.f64()?.iter();
    let impressions = rows.column("impressions")?.i64()?.iter();
    let clicks = rows.column("clicks")?.i64()?.iter();
    let mut media: Vec<MediaDaily> = Vec::new();
    let mut last: Option<(i32, &str)> = None;
    let cells = date
        .zip(campaign)
        .zip(currency)
        .zip(spend)
        .zip(impressions.zip(clicks));
    for ((((date, campaign), currency), spend), (impressions, clicks)) in cells {
        let (date, campaign) = (date.unwrap_or_default(), campaign.unwrap_or_default());
        let currency = currency.unwrap_or_default();
        if last != Some((date, campaign)) {
            last = Some((date, campaign));
            media.push(empty(date, channel, campaign, currency));
        }
        let Some(row) = media.last_mut() else {
            continue;
        };
        if row.currency != currency {
            let message = format!(
                "campaign \"{campaign}\" has money in {} and in {currency} on {}: describe the \
                 accounts as two sources with two channels",
                row.currency, row.date
            );
            return Ok(Err(message));
        }
        add(&mut row.spend, spend);
        add(&mut row.impressions, impressions.map(|count| count as f64));
        add(&mut row.clicks, clicks.map(|count| count as f64));
    }
    Ok(Ok(media))
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
