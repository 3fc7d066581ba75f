//! Advertising reports by day: a raw table in the platform's shape, and spend and delivery by
//! channel, campaign and day.

use mixline_schema::Artifact;
use mixline_schema::catalog::{MediaDaily, RawGoogleAds, RawMetaAds, RawTiktokAds};
use mixline_step::{StepError, Table};
use polars::prelude::{Column, DataFrame, IntoColumn as _, PolarsResult, StringChunked};

use super::Job;
use crate::combine;
use crate::delivery::{self, Delivery};
use crate::describe::{SameKey, Source};
use crate::problem::Problem;
use crate::read::{Field, Need, Places, Rows, Type};
use crate::sheet::Sheet;

/// A platform: its table, its fields, and which of them are delivery.
pub(crate) trait Platform: Artifact {
    /// Channel of its rows when the source file names none.
    const CHANNEL: &'static str;
    /// The columns that `media_daily` is made from.
    const DELIVERY: Delivery;
    /// The fields of its reports.
    fn fields() -> Vec<Field>;
}

use Need::{Full, Optional};
use Type::{Amount, Count, Day, Text};

impl Platform for RawMetaAds {
    const CHANNEL: &'static str = "meta";
    const DELIVERY: Delivery = Delivery { spend: "spend" };

    fn fields() -> Vec<Field> {
        vec![
            Field::new("date", Day, Full, &["Day", "Tag", "Date"]),
            Field::new(
                "campaign",
                Text,
                Full,
                &["Campaign name", "Campaign", "Kampagnenname"],
            ),
            Field::new(
                "ad_set",
                Text,
                Optional,
                &["Ad set name", "Anzeigengruppenname"],
            ),
            Field::new(
                "ad",
                Text,
                Optional,
                &["Ad name", "Anzeigenname", "Name der Anzeige"],
            ),
            Field::new(
                "currency",
                Text,
                Optional,
                &["Currency", "Account currency", "Währung"],
            ),
            Field::new(
                "spend",
                Amount,
                Full,
                &["Amount spent", "Ausgegebener Betrag", "Spend"],
            ),
            Field::new(
                "impressions",
                Count,
                Optional,
                &["Impressions", "Impressionen"],
            ),
            Field::new(
                "clicks",
                Count,
                Optional,
                &[
                    "Link clicks",
                    "Link-Klicks",
                    "Clicks (all)",
                    "Klicks (alle)",
                    "Clicks",
                ],
            ),
            Field::new(
                "purchases",
                Amount,
                Optional,
                &["Purchases", "Käufe", "Website purchases"],
            ),
            Field::new(
                "purchase_value",
                Amount,
                Optional,
                &[
                    "Purchases conversion value",
                    "Conversion-Wert von Käufen",
                    "Website purchases conversion value",
                ],
            ),
        ]
    }
}

impl Platform for RawGoogleAds {
    const CHANNEL: &'static str = "google";
    const DELIVERY: Delivery = Delivery { spend: "cost" };

    fn fields() -> Vec<Field> {
        vec![
            Field::new("date", Day, Full, &["Day", "Date", "Tag"]),
            Field::new(
                "campaign",
                Text,
                Full,
                &["Campaign", "Campaign name", "Kampagne"],
            ),
            Field::new(
                "campaign_type",
                Text,
                Optional,
                &["Campaign type", "Kampagnentyp"],
            ),
            Field::new(
                "currency",
                Text,
                Optional,
                &["Currency code", "Currency", "Währungscode"],
            ),
            Field::new("cost", Amount, Full, &["Cost", "Kosten"]),
            Field::new(
                "impressions",
                Count,
                Optional,
                &["Impr.", "Impressions", "Impressionen"],
            ),
            Field::new("clicks", Count, Optional, &["Clicks", "Klicks"]),
            Field::new("conversions", Amount, Optional, &["Conversions"]),
            Field::new(
                "conversion_value",
                Amount,
                Optional,
                &["Conv. value", "Conversion value", "Conv.-Wert"],
            ),
        ]
    }
}

impl Platform for RawTiktokAds {
    const CHANNEL: &'static str = "tiktok";
    const DELIVERY: Delivery = Delivery { spend: "cost" };

    fn fields() -> Vec<Field> {
        vec![
            Field::new("date", Day, Full, &["By Day", "Day", "Date"]),
            Field::new("campaign", Text, Full, &["Campaign name", "Campaign"]),
            Field::new("ad_group", Text, Optional, &["Ad group name", "Ad group"]),
            Field::new("ad", Text, Optional, &["Ad name", "Ad"]),
            Field::new("currency", Text, Optional, &["Currency"]),
            Field::new("cost", Amount, Full, &["Cost", "Total cost"]),
            Field::new("impressions", Count, Optional, &["Impressions"]),
            Field::new(
                "clicks",
                Count,
                Optional,
                &["Clicks (destination)", "Clicks (all)", "Clicks"],
            ),
            Field::new(
                "purchases",
                Amount,
                Optional,
                &["Complete payment", "Total purchase", "Purchases"],
            ),
            Field::new(
                "purchase_value",
                Amount,
                Optional,
                &["Total complete payment value", "Total purchase value"],
            ),
        ]
    }
}

/// The reports of a source: as they came, and as delivery by channel, campaign and day.
pub(crate) type Reports<P> = (Table<P>, Vec<MediaDaily>);

/// Reads the files of a source, in name order; a later file restates what an earlier one said.
pub(crate) fn read<P: Platform>(
    job: &mut Job<'_>,
    source: &Source,
    files: &[String],
) -> Result<Option<Reports<P>>, StepError> {
    let mut parts = Vec::new();
    for file in files {
        parts.extend(read_file::<P>(job, source, file)?.map(|(frame, _)| frame));
    }
    let Some(frame) = combine::restated(parts, P::spec().key)? else {
        return Ok(None);
    };
    let table = match Table::<P>::parse(frame) {
        Ok(table) => table,
        Err(violations) => {
            name_same_keys::<P>(job, source, files)?;
            job.problems
                .add(Problem::of_file(&source.name, violations.to_string()));
            return Ok(None);
        }
    };
    let channel = source.channel_or(P::CHANNEL);
    let media = match delivery::daily(table.df(), &P::DELIVERY, &channel) {
        Ok(media) => media,
        Err(message) => {
            job.problems.add(Problem::of_file(&source.name, message));
            return Ok(None);
        }
    };
    Ok(Some((table, media)))
}

fn read_file<P: Platform>(
    job: &mut Job<'_>,
    source: &Source,
    file: &str,
) -> Result<Option<(DataFrame, Places)>, StepError> {
    let totals = Some(("date", "campaign"));
    let Some((sheet, mapping, rows)) = job.read(source, file, P::fields(), totals) else {
        return Ok(None);
    };
    let spend = mapping
        .place(P::DELIVERY.spend)
        .map(|place| sheet.headings.at(place));
    let in_heading = spend.and_then(|heading| heading.currency.clone());
    let Some(frame) = with_currency(job, source, &sheet, &rows, in_heading)? else {
        return Ok(None);
    };
    let frame = without_nulls(frame, P::spec()).map_err(frames)?;
    let frame = match source.same_key {
        SameKey::Sum => combine::summed(frame, P::spec().key).map_err(frames)?,
        SameKey::Error => frame,
    };
    Ok(Some((frame, rows.places)))
}

/// Says which rows of which file have the same key. Only looked for when there are some: looking
/// at every key takes longer than sorting does.
fn name_same_keys<P: Platform>(
    job: &mut Job<'_>,
    source: &Source,
    files: &[String],
) -> Result<(), StepError> {
    let key = P::spec().key;
    for file in files {
        let Some((frame, places)) = read_file::<P>(job, source, file)? else {
            continue;
        };
        for (first, second) in combine::same_keys(&frame, key).map_err(frames)? {
            job.problems.add(Problem {
                file: file.clone(),
                row: Some(places.row(second)),
                column: None,
                message: format!(
                    "has the same {} as row {}",
                    key.join(", "),
                    places.row(first)
                ),
            });
            job.problems.hint(
                "export the report without further breakdowns (age, placement, device), or set \
                 `same_key = \"sum\"` in the source file to add such rows up",
            );
        }
    }
    Ok(())
}

/// The rows with a currency: from the file's column, from a heading, or from the source file.
fn with_currency(
    job: &mut Job<'_>,
    source: &Source,
    sheet: &Sheet,
    rows: &Rows,
    in_heading: Option<String>,
) -> Result<Option<DataFrame>, StepError> {
    let mut frame = rows.frame.clone();
    let column = frame.column("currency").map_err(frames)?;
    let unknown = column.null_count();
    if unknown == 0 {
        return Ok(Some(frame));
    }
    let Some(code) = in_heading.or_else(|| source.currency.clone()) else {
        let message = "no column and no heading names the currency of its money".to_owned();
        job.problems.add(Problem::of_file(&sheet.file, message));
        job.problems.hint(format!(
            "set `currency = \"EUR\"` (or what it is) in {}",
            source.path
        ));
        return Ok(None);
    };
    let height = frame.height();
    let filled = if unknown == height {
        Column::new_scalar(
            "currency".into(),
            polars::prelude::Scalar::from(polars::prelude::PlSmallStr::from(code.as_str())),
            height,
        )
    } else {
        let column = column.str().map_err(frames)?;
        if let Some(other) = column.iter().flatten().find(|own| *own != code) {
            // A blank among other currencies may mean either of them.
            let message = format!(
                "{unknown} rows have no currency, while others are in {other} and the heading or \
                 the source says {code}"
            );
            job.problems.add(Problem::of_file(&sheet.file, message));
            job.problems
                .hint("fill the currency column in the export".to_owned());
            return Ok(None);
        }
        let filled: StringChunked = column
            .iter()
            .map(|cell| Some(cell.unwrap_or(&code)))
            .collect();
        filled.with_name("currency".into()).into_column()
    };
    frame.with_column(filled).map_err(frames)?;
    Ok(Some(frame))
}

/// Names that a report does not have (ad set, ad) are empty, not unknown: they are part of the key.
fn without_nulls(
    mut frame: DataFrame,
    spec: &mixline_schema::ArtifactSpec,
) -> PolarsResult<DataFrame> {
    let texts = spec
        .columns
        .iter()
        .filter(|column| !column.nullable && column.ty == mixline_schema::ColumnType::Text);
    for column in texts {
        let found = frame.column(column.name)?;
        let (unknown, height) = (found.null_count(), frame.height());
        if unknown == 0 {
            continue;
        }
        let filled = if unknown == height {
            Column::new_scalar(
                column.name.into(),
                polars::prelude::Scalar::from(polars::prelude::PlSmallStr::EMPTY),
                height,
            )
        } else {
            let texts: StringChunked = found
                .str()?
                .iter()
                .map(|cell| Some(cell.unwrap_or("")))
                .collect();
            texts.with_name(column.name.into()).into_column()
        };
        frame.with_column(filled)?;
    }
    Ok(frame)
}

fn frames(error: polars::error::PolarsError) -> StepError {
    StepError::bug("columns that were just made do not fit together").because(error)
}
