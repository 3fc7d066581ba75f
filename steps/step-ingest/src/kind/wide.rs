//! Wide files: one row per day (and geo), with channels, outcomes and controls in columns.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use mixline_schema::catalog::{Controls, MediaDaily, Outcome};
use mixline_step::StepError;
use polars::prelude::{DataFrame, DataType, PolarsResult};

use super::Job;
use crate::describe::{Control, MediaColumns, OutcomeColumn, Source};
use crate::problem::Problem;
use crate::read::{Field, Need, Type};

/// What wide files become.
#[derive(Debug, Default)]
pub(crate) struct Wide {
    pub(crate) media: BTreeMap<(NaiveDate, String, String), MediaDaily>,
    pub(crate) outcome: BTreeMap<(NaiveDate, String, String), Outcome>,
    pub(crate) controls: BTreeMap<(NaiveDate, String, String), Controls>,
}

/// A column of a wide file has one field, named after the heading it is read from.
fn fields(source: &Source) -> Vec<Field> {
    let mut fields = vec![
        Field::new(
            "date",
            Type::Day,
            Need::Full,
            &["date", "day", "week", "month", "time", "ds"],
        ),
        Field::new(
            "geo",
            Type::Text,
            Need::Optional,
            &["geo", "region", "market", "country"],
        ),
    ];
    let mut named = BTreeSet::new();
    let mut add = |heading: &String, ty| {
        if named.insert(heading.clone()) {
            fields.push(Field::new(heading, ty, Need::Column, &[heading.as_str()]));
        }
    };
    for media in &source.media {
        let columns = [&media.spend, &media.impressions, &media.clicks];
        columns
            .into_iter()
            .flatten()
            .for_each(|heading| add(heading, Type::Amount));
    }
    for outcome in &source.outcome {
        add(&outcome.column, Type::Amount);
        outcome
            .times
            .iter()
            .for_each(|heading| add(heading, Type::Amount));
    }
    for control in &source.controls {
        match control {
            Control::Column(heading)
            | Control::Named {
                column: heading, ..
            } => {
                add(heading, Type::Amount);
            }
            Control::Flags { flags, .. } => add(flags, Type::Text),
        }
    }
    fields
}

/// Reads the files of a source, in name order; a later file restates what an earlier one said.
pub(crate) fn read(
    job: &mut Job<'_>,
    source: &Source,
    files: &[String],
) -> Result<Wide, StepError> {
    let mut wide = Wide::default();
    for file in files {
        let Some((sheet, _, rows)) = job.read(source, file, fields(source), None) else {
            continue;
        };
        let cells = Cells::of(&rows.frame)
            .map_err(|error| StepError::bug("columns do not fit together").because(error))?;
        let mut seen: BTreeMap<(NaiveDate, String), usize> = BTreeMap::new();
        let flags_only = source.media.is_empty()
            && source.outcome.is_empty()
            && source
                .controls
                .iter()
                .all(|control| matches!(control, Control::Flags { .. }));
        for row in 0..rows.frame.height() {
            let place = (cells.date[row], cells.geo[row].clone());
            if let Some(first) = seen.insert(place, row).filter(|_| !flags_only) {
                job.problems.add(Problem {
                    file: sheet.file.clone(),
                    row: Some(rows.places.row(row)),
                    column: None,
                    message: format!(
                        "is about the same day and geo as row {}: a wide file has one row for each",
                        rows.places.row(first)
                    ),
                });
                continue;
            }
            wide.take(source, &cells, row);
        }
    }
    Ok(wide)
}

/// The cells of a file by heading.
struct Cells {
    date: Vec<NaiveDate>,
    geo: Vec<String>,
    numbers: BTreeMap<String, Vec<Option<f64>>>,
    words: BTreeMap<String, Vec<Option<String>>>,
}

impl Cells {
    fn of(frame: &DataFrame) -> PolarsResult<Self> {
        let days = frame.column("date")?.cast(&DataType::Int32)?;
        let day = |day: Option<i32>| NaiveDate::from_epoch_days(day.unwrap_or_default());
        let geo = frame.column("geo")?;
        let mut cells = Self {
            date: days
                .i32()?
                .iter()
                .map(|d| day(d).unwrap_or_default())
                .collect(),
            geo: geo
                .str()?
                .iter()
                .map(|geo| geo.unwrap_or("all").to_owned())
                .collect(),
            numbers: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        for column in frame.columns().iter().skip(2) {
            let name = column.name().to_string();
            if let Ok(numbers) = column.f64() {
                cells.numbers.insert(name, numbers.iter().collect());
            } else {
                let words = column.str()?.iter().map(|word| word.map(str::to_owned));
                cells.words.insert(name, words.collect());
            }
        }
        Ok(cells)
    }

    fn number(&self, heading: Option<&String>, row: usize) -> Option<f64> {
        self.numbers.get(heading?)?[row]
    }
}

impl Wide {
    fn take(&mut self, source: &Source, cells: &Cells, row: usize) {
        let (date, geo) = (cells.date[row], &cells.geo[row]);
        for columns in &source.media {
            let media = media(source, columns, cells, row);
            self.media
                .insert((date, geo.clone(), media.channel.clone()), media);
        }
        for column in &source.outcome {
            if let Some(value) = outcome(column, cells, row) {
                let (metric, unit) = (column.metric.clone(), column.unit.clone());
                let key = (date, geo.clone(), metric.clone());
                self.outcome.insert(
                    key,
                    Outcome {
                        date,
                        geo: geo.clone(),
                        metric,
                        value,
                        unit,
                    },
                );
            }
        }
        for control in &source.controls {
            if let Some((name, value)) = driver(control, cells, row) {
                let key = (date, geo.clone(), name.clone());
                self.controls.insert(
                    key,
                    Controls {
                        date,
                        geo: geo.clone(),
                        control: name,
                        value,
                    },
                );
            }
        }
    }
}

fn media(source: &Source, columns: &MediaColumns, cells: &Cells, row: usize) -> MediaDaily {
    MediaDaily {
        date: cells.date[row],
        channel: columns.channel.trim().to_lowercase(),
        campaign: "all".to_owned(),
        geo: cells.geo[row].clone(),
        currency: source.currency.clone().unwrap_or_else(|| "XXX".to_owned()),
        spend: cells.number(columns.spend.as_ref(), row),
        impressions: cells.number(columns.impressions.as_ref(), row),
        clicks: cells.number(columns.clicks.as_ref(), row),
    }
}

/// A value, or the product of two; an empty cell is a gap and makes no row.
fn outcome(column: &OutcomeColumn, cells: &Cells, row: usize) -> Option<f64> {
    let value = cells.number(Some(&column.column), row)?;
    match &column.times {
        Some(times) => Some(value * cells.number(Some(times), row)?),
        None => Some(value),
    }
}

fn driver(control: &Control, cells: &Cells, row: usize) -> Option<(String, f64)> {
    match control {
        Control::Column(heading) => Some((heading.clone(), cells.number(Some(heading), row)?)),
        Control::Named { name, column } => Some((name.clone(), cells.number(Some(column), row)?)),
        Control::Flags {
            flags,
            prefix,
            none,
        } => {
            let word = cells.words.get(flags)?[row].as_ref()?;
            (!none.contains(word)).then(|| (format!("{prefix}{word}"), 1.0))
        }
    }
}
