//! Aligns outcome, media, spend and controls to the periods of a model.
//!
//! ```text
//! media_daily ─┐
//! orders ──────┼─► periods of one length ─► design: one row per series, geo and period
//! outcome ─────┤      history │ train │ holdout
//! controls ────┘
//! ```
//!
//! - Days become periods by *sum* (outcome, media, spend) or *mean* (controls). Data that come by
//!   week or month already keep their own dates.
//! - Periods only partly covered by the outcome, at either end, are left out, and counted.
//! - A day without a row of a channel is a day without media; how many there were is written to
//!   `design_columns`. A period without an outcome stays unobserved. A period without a control is
//!   an error unless the configuration says how to fill it.
//! - Media before the first outcome are kept: their carry-over reaches into the first periods.

mod config;
mod period;
mod series;

pub use config::{Config, Gaps, MediaMeasure, Period};

use std::collections::BTreeMap;

use mixline_model_tables::Role;
use mixline_schema::catalog::{Controls, Design, DesignColumns, MediaDaily, Orders, Outcome};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

use crate::period::Calendar;
use crate::series::{Series, SeriesKey};

inputs! {
    /// What the step reads: whatever there is.
    pub struct Inputs {
        /// Spend and delivery by day and channel.
        media: MediaDaily,
        /// Orders, for an outcome of `revenue`, `orders` or `new_customers`.
        orders: Option<Orders>,
        /// Outcomes that are not orders.
        outcome: Option<Outcome>,
        /// Non-media drivers.
        controls: Option<Controls>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// The series the model is fitted to.
        design: Design => Replace,
        /// Where they come from, and what they look like.
        columns: DesignColumns => Replace,
    }
}

/// The step.
#[derive(Debug)]
pub struct Prepare;

impl Step for Prepare {
    const NAME: &'static str = "step-prepare";
    const ABOUT: &'static str = "Aligns outcome, media and controls to the periods of a model.";
    const COLUMNS: &'static [Column] = &[
        Column::made(
            "design.date",
            &["media.date", "orders.date", "outcome.date", "controls.date"],
        ),
        Column::same(
            "design.geo",
            &["media.geo", "orders.geo", "outcome.geo", "controls.geo"],
        ),
        Column::made("design.role", &[]),
        Column::made("design.variable", VARIABLE),
        Column::summed("design.value", VALUE),
        Column::made("design.unit", UNIT),
        Column::made("design.split", &["orders.date", "outcome.date"]),
        Column::made("columns.role", &[]),
        Column::made("columns.variable", VARIABLE),
        // Without a cost, what a model sees of a channel is its delivery.
        Column::made(
            "columns.source",
            &[
                "media.spend",
                "media.impressions",
                "outcome.metric",
                "controls.control",
            ],
        ),
        Column::made("columns.aggregation", &[]),
        Column::made("columns.unit", UNIT),
        Column::summed("columns.cells", PLACES),
        Column::summed("columns.absent", PRESENT),
        Column::summed("columns.zero_share", VALUE),
        Column::summed("columns.least", VALUE),
        Column::summed("columns.mean", VALUE),
        Column::summed("columns.most", VALUE),
        Column::summed("columns.total", VALUE),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let raw = series::read(config, &inputs)?;
        ctx.progress(0.3, "aligning periods");
        let calendar = Calendar::of(config, &raw)?;
        let aligned = align(config, &calendar, &raw)?;
        ctx.progress(0.8, "writing the design");
        ctx.note("periods", calendar.periods.len());
        ctx.note("period", calendar.length.name());
        ctx.note("partial_periods_left_out", calendar.left_out);
        ctx.note("holdout_periods", config.holdout_periods);
        let columns: Vec<DesignColumns> = aligned.iter().map(Aligned::describe).collect();
        let design = aligned
            .iter()
            .flat_map(|series| series.rows(&calendar))
            .collect();
        Ok(Outputs {
            design: Table::from_rows(design)?,
            columns: Table::from_rows(columns)?,
        })
    }
}

/// What series are called; an outcome of orders has its name from the configuration.
const VARIABLE: &[&str] = &["media.channel", "outcome.metric", "controls.control"];

/// Units of media and outcome; controls have none.
const UNIT: &[&str] = &["media.currency", "orders.currency", "outcome.unit"];

/// Regions of the outcome, and its periods with those of media before it.
const PLACES: &[&str] = &[
    "media.date",
    "orders.date",
    "orders.geo",
    "outcome.date",
    "outcome.geo",
];

/// Where and when there are rows.
const PRESENT: &[&str] = &[
    "media.date",
    "media.geo",
    "orders.date",
    "orders.geo",
    "outcome.date",
    "outcome.geo",
    "controls.date",
    "controls.geo",
];

/// What values are sums or means of, by role.
const VALUE: &[&str] = &[
    "media.spend",
    "media.impressions",
    "media.clicks",
    "orders.revenue",
    "orders.order_id",
    "orders.new_customer",
    "outcome.value",
    "controls.value",
];

/// One series by geo and period.
struct Aligned {
    key: SeriesKey,
    unit: String,
    source: String,
    /// Values by geo, one per period; `None` where nothing was observed.
    cells: BTreeMap<String, Vec<Option<f64>>>,
    absent: usize,
}

/// Every series on the calendar's periods.
fn align(config: &Config, calendar: &Calendar, raw: &[Series]) -> Result<Vec<Aligned>, StepError> {
    let geos: Vec<&String> = raw
        .iter()
        .filter(|series| series.key.role == Role::Outcome)
        .flat_map(|series| series.days.keys())
        .collect();
    let mut aligned = Vec::with_capacity(raw.len());
    for series in raw {
        let mut cells = BTreeMap::new();
        let mut absent = 0;
        for &geo in &geos {
            let days = series.of_geo(geo);
            let mean = matches!(series.key.role, Role::Control | Role::Population);
            let mut own = calendar.aggregate(days, mean);
            absent += own.iter().filter(|cell| cell.is_none()).count();
            match series.key.role {
                Role::Media | Role::Spend => {
                    own.iter_mut()
                        .for_each(|cell| *cell = Some(cell.unwrap_or(0.0)));
                }
                Role::Control => fill(config, calendar, &series.key, geo, &mut own)?,
                _ => {}
            }
            cells.insert(geo.clone(), own);
        }
        aligned.push(Aligned {
            key: series.key.clone(),
            unit: series.unit.clone(),
            source: series.source.clone(),
            cells,
            absent,
        });
    }
    Ok(aligned)
}

/// Fills the holes of a control; outside the observed periods the nearest value serves, since it
/// takes no part in the fit.
fn fill(
    config: &Config,
    calendar: &Calendar,
    key: &SeriesKey,
    geo: &str,
    cells: &mut [Option<f64>],
) -> Result<(), StepError> {
    let known: Vec<f64> = cells.iter().copied().flatten().collect();
    let Some(&first) = known.first() else {
        return Err(StepError::data(format!(
            "the control `{}` has no value in geo `{geo}`",
            key.variable
        ))
        .hint("give it one value per period, or leave it out of `controls`"));
    };
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let mut last = first;
    for (cell, period) in cells.iter_mut().zip(&calendar.periods) {
        if let Some(value) = cell {
            last = *value;
            continue;
        }
        let inside = period.split != mixline_model_tables::HISTORY;
        *cell = Some(match config.control_gaps {
            Gaps::Error if inside => {
                return Err(StepError::data(format!(
                    "the control `{}` has no value in geo `{geo}` in the period from {}",
                    key.variable, period.start
                ))
                .hint("fill the gap in the source, or set `control_gaps` to `carry`, `mean` or `zero`"));
            }
            Gaps::Error | Gaps::Carry => last,
            Gaps::Mean => mean,
            Gaps::Zero => 0.0,
        });
    }
    Ok(())
}

impl Aligned {
    fn rows(&self, calendar: &Calendar) -> Vec<Design> {
        let mut rows = Vec::new();
        for (geo, cells) in &self.cells {
            for (period, cell) in calendar.periods.iter().zip(cells) {
                let Some(value) = *cell else { continue };
                if self.key.role == Role::Outcome && period.split == mixline_model_tables::HISTORY {
                    continue;
                }
                rows.push(Design {
                    date: period.start,
                    geo: geo.clone(),
                    role: self.key.role.name().to_owned(),
                    variable: self.key.variable.clone(),
                    value,
                    unit: self.unit.clone(),
                    split: period.split.to_owned(),
                });
            }
        }
        rows
    }

    fn describe(&self) -> DesignColumns {
        let values: Vec<f64> = self.cells.values().flatten().copied().flatten().collect();
        let count = values.len().max(1) as f64;
        let total: f64 = values.iter().sum();
        let zeros = values.iter().filter(|value| **value == 0.0).count();
        let fold = |start: f64, pick: fn(f64, f64) -> f64| values.iter().copied().fold(start, pick);
        let edge = |value: f64| if value.is_finite() { value } else { 0.0 };
        DesignColumns {
            role: self.key.role.name().to_owned(),
            variable: self.key.variable.clone(),
            source: self.source.clone(),
            aggregation: if matches!(self.key.role, Role::Control | Role::Population) {
                "mean"
            } else {
                "sum"
            }
            .to_owned(),
            unit: self.unit.clone(),
            cells: self.cells.values().map(Vec::len).sum::<usize>() as i64,
            absent: self.absent as i64,
            zero_share: zeros as f64 / count,
            least: edge(fold(f64::INFINITY, f64::min)),
            mean: total / count,
            most: edge(fold(f64::NEG_INFINITY, f64::max)),
            total,
        }
    }
}

#[cfg(test)]
mod tests;
