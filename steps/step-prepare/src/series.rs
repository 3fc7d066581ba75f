//! The source tables as daily series.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use mixline_model_tables::Role;
use mixline_schema::catalog::{MediaDaily, Orders};
use mixline_step::StepError;

use crate::Inputs;
use crate::config::{Config, MediaMeasure};

/// Which series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeriesKey {
    pub(crate) role: Role,
    pub(crate) variable: String,
}

/// Values by geo and day.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) key: SeriesKey,
    pub(crate) unit: String,
    pub(crate) source: String,
    pub(crate) days: BTreeMap<String, BTreeMap<NaiveDate, f64>>,
}

/// Where national data live.
pub(crate) const EVERYWHERE: &str = "all";

impl Series {
    fn new(role: Role, variable: &str, unit: &str, source: &str) -> Self {
        let key = SeriesKey {
            role,
            variable: variable.to_owned(),
        };
        Self {
            key,
            unit: unit.to_owned(),
            source: source.to_owned(),
            days: BTreeMap::new(),
        }
    }

    fn add(&mut self, geo: &str, date: NaiveDate, value: f64) {
        *self
            .days
            .entry(geo.to_owned())
            .or_default()
            .entry(date)
            .or_default() += value;
    }

    /// The days of a geo. A control without geos holds for every geo.
    pub(crate) fn of_geo(&self, geo: &str) -> Option<&BTreeMap<NaiveDate, f64>> {
        let shared = self.key.role == Role::Control || self.key.role == Role::Population;
        self.days
            .get(geo)
            .or_else(|| shared.then(|| self.days.get(EVERYWHERE)).flatten())
    }
}

/// Every series of the design; the outcome first.
pub(crate) fn read(config: &Config, inputs: &Inputs) -> Result<Vec<Series>, StepError> {
    let place = |geo: &str| {
        if config.by_geo {
            geo.to_owned()
        } else {
            EVERYWHERE.to_owned()
        }
    };
    let mut series = vec![outcome(config, inputs, &place)?];
    media(config, &inputs.media.rows(), &place, &mut series)?;
    controls(config, inputs, &place, &mut series)?;
    Ok(series)
}

fn outcome(
    config: &Config,
    inputs: &Inputs,
    place: &impl Fn(&str) -> String,
) -> Result<Series, StepError> {
    let rows = inputs
        .outcome
        .as_ref()
        .map(mixline_step::Table::rows)
        .unwrap_or_default();
    let metrics: BTreeSet<&String> = rows.iter().map(|row| &row.metric).collect();
    let wanted = match (config.outcome.as_str(), metrics.len()) {
        ("", 1) => metrics
            .first()
            .map(|metric| (*metric).clone())
            .unwrap_or_default(),
        ("", 0) => "revenue".to_owned(),
        ("", _) => {
            let names: Vec<String> = metrics.iter().map(|metric| format!("`{metric}`")).collect();
            let text = format!("`outcome` holds several metrics: {}", names.join(", "));
            return Err(StepError::config(text).hint("choose one with the key `outcome`"));
        }
        (name, _) => name.to_owned(),
    };
    if metrics.contains(&wanted) {
        let mut series = Series::new(Role::Outcome, &wanted, "", &format!("outcome.{wanted}"));
        for row in rows.iter().filter(|row| row.metric == wanted) {
            series.unit.clone_from(&row.unit);
            series.add(&place(&row.geo), row.date, row.value);
        }
        return Ok(series);
    }
    let orders = inputs
        .orders
        .as_ref()
        .map(mixline_step::Table::rows)
        .unwrap_or_default();
    from_orders(&wanted, &orders, place).ok_or_else(|| {
        let known: Vec<String> = metrics.iter().map(|metric| format!("`{metric}`")).collect();
        let known = if known.is_empty() {
            "nothing".to_owned()
        } else {
            known.join(", ")
        };
        StepError::data(format!(
            "there is no outcome `{wanted}`: `outcome` holds {known}"
        ))
        .hint(
            "`revenue`, `orders` and `new_customers` come from `orders`, when there are any; \
             set `outcome` to a metric that is there",
        )
    })
}

fn from_orders(wanted: &str, orders: &[Orders], place: &impl Fn(&str) -> String) -> Option<Series> {
    let first = orders.first()?;
    let unit = if wanted == "revenue" {
        first.currency.clone()
    } else {
        "count".to_owned()
    };
    let value: fn(&Orders) -> f64 = match wanted {
        "revenue" => |order| order.revenue,
        "orders" => |_| 1.0,
        "new_customers" => |order| f64::from(u8::from(order.new_customer == Some(true))),
        _ => return None,
    };
    let mut series = Series::new(Role::Outcome, wanted, &unit, &format!("orders.{wanted}"));
    for order in orders {
        series.add(&place(&order.geo), order.date, value(order));
    }
    // A day without orders inside the series is a day with none.
    for days in series.days.values_mut() {
        if let (Some((&first, _)), Some((&last, _))) =
            (days.first_key_value(), days.last_key_value())
        {
            for day in first.iter_days().take_while(|day| *day <= last) {
                days.entry(day).or_insert(0.0);
            }
        }
    }
    Some(series)
}

/// A column of `media_daily`.
type Pick = fn(&MediaDaily) -> Option<f64>;

fn media(
    config: &Config,
    rows: &[MediaDaily],
    place: &impl Fn(&str) -> String,
    series: &mut Vec<Series>,
) -> Result<(), StepError> {
    let mut channels: BTreeMap<&str, Vec<&MediaDaily>> = BTreeMap::new();
    for row in rows.iter().filter(|row| config.uses_channel(&row.channel)) {
        channels.entry(&row.channel).or_default().push(row);
    }
    let named = config.channels.iter().chain(config.media_by_channel.keys());
    if let Some(missing) = named
        .clone()
        .find(|name| !channels.contains_key(name.as_str()))
    {
        let known: BTreeSet<&str> = rows.iter().map(|row| row.channel.as_str()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        return Err(
            StepError::config(format!("`media_daily` has no channel `{missing}`"))
                .hint(format!("its channels are {}", known.join(", "))),
        );
    }
    if channels.is_empty() {
        return Err(StepError::data("`media_daily` has no channel to model"));
    }
    for (channel, rows) in channels {
        let (spend, impressions, clicks): (Pick, Pick, Pick) =
            (|row| row.spend, |row| row.impressions, |row| row.clicks);
        let paid = rows.iter().any(|row| row.spend.is_some());
        let measure = config.measure(channel);
        let (seen, column) = match measure {
            MediaMeasure::Spend if paid => (spend, "spend"),
            // Organic media have no cost: their delivery is what there is.
            MediaMeasure::Spend if rows.iter().any(|row| row.impressions.is_some()) => {
                (impressions, "impressions")
            }
            MediaMeasure::Impressions => (impressions, "impressions"),
            _ => (clicks, "clicks"),
        };
        if rows.iter().all(|row| seen(row).is_none()) {
            let text = format!("channel `{channel}` has no {column} in `media_daily`");
            return Err(StepError::data(text).hint("choose another measure in `media_by_channel`"));
        }
        let unit = if column == "spend" {
            rows[0].currency.as_str()
        } else {
            "count"
        };
        series.push(collect(
            Role::Media,
            channel,
            unit,
            column,
            &rows,
            seen,
            place,
        ));
        if paid {
            let currency = rows[0].currency.as_str();
            series.push(collect(
                Role::Spend,
                channel,
                currency,
                "spend",
                &rows,
                spend,
                place,
            ));
        }
    }
    Ok(())
}

fn collect(
    role: Role,
    channel: &str,
    unit: &str,
    column: &str,
    rows: &[&MediaDaily],
    value: Pick,
    place: &impl Fn(&str) -> String,
) -> Series {
    let mut series = Series::new(role, channel, unit, &format!("media_daily.{column}"));
    for row in rows {
        if let Some(value) = value(row) {
            series.add(&place(&row.geo), row.date, value);
        }
    }
    series
}

fn controls(
    config: &Config,
    inputs: &Inputs,
    place: &impl Fn(&str) -> String,
    series: &mut Vec<Series>,
) -> Result<(), StepError> {
    let rows = inputs
        .controls
        .as_ref()
        .map(mixline_step::Table::rows)
        .unwrap_or_default();
    let known: BTreeSet<&str> = rows.iter().map(|row| row.control.as_str()).collect();
    let population = (!config.population.is_empty()).then_some(&config.population);
    let named = config
        .controls
        .iter()
        .chain(population)
        .filter(|name| *name != "none");
    if let Some(missing) = named.clone().find(|name| !known.contains(name.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(
            StepError::config(format!("`controls` has no control `{missing}`"))
                .hint(format!("its controls are {}", known.join(", "))),
        );
    }
    for name in known {
        let role = if name == config.population {
            Role::Population
        } else if config.uses_control(name) {
            Role::Control
        } else {
            continue;
        };
        let mut own = Series::new(role, name, "", &format!("controls.{name}"));
        let mut counts: BTreeMap<(String, NaiveDate), f64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.control == name) {
            *counts.entry((place(&row.geo), row.date)).or_default() += 1.0;
            own.add(&place(&row.geo), row.date, row.value);
        }
        // Regions that are added up share a control's mean, not its sum.
        for ((geo, date), count) in counts {
            if let Some(value) = own.days.get_mut(&geo).and_then(|days| days.get_mut(&date)) {
                *value /= count;
            }
        }
        series.push(own);
    }
    Ok(())
}
