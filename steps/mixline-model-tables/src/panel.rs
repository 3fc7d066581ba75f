//! Rows of `design` as a panel.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use mixline_model::panel::{Channel, Control, Panel};
use mixline_schema::catalog::Design;

/// What a series of the design is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// What is explained.
    Outcome,
    /// What the model sees of a channel.
    Media,
    /// What a channel cost.
    Spend,
    /// A control or treatment.
    Control,
    /// People per geo.
    Population,
}

impl Role {
    /// The word in the `role` column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Media => "media",
            Self::Spend => "spend",
            Self::Control => "control",
            Self::Population => "population",
        }
    }
}

/// Value of the `split` column for media before the first outcome.
pub const HISTORY: &str = "history";
/// Value of the `split` column for fitted periods.
pub const TRAIN: &str = "train";
/// Value of the `split` column for periods kept out of the fit.
pub const HOLDOUT: &str = "holdout";

/// Units of the design.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Units {
    /// Name of the outcome.
    pub metric: String,
    /// Unit of the outcome: a currency code, `count`, or empty.
    pub outcome: String,
    /// Unit of spend.
    pub spend: String,
}

/// A design that makes no panel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PanelTableError {
    /// No outcome, or several.
    #[error("`design` must hold one outcome, but it holds {0}")]
    Outcomes(String),
    /// A hole where the model needs a value.
    #[error(
        "`design` has no {role} `{variable}` for geo `{geo}` at {date}; every period needs one"
    )]
    Hole {
        /// Role of the series.
        role: &'static str,
        /// Its name.
        variable: String,
        /// Geo without a value.
        geo: String,
        /// Period without a value.
        date: NaiveDate,
    },
    /// A word that is no role or split.
    #[error("`design` has the {column} `{word}`, which means nothing here")]
    Word {
        /// `role` or `split`.
        column: &'static str,
        /// The word.
        word: String,
    },
}

type Series = BTreeMap<String, Vec<f64>>;

/// The panel and its units.
///
/// # Errors
/// [`PanelTableError`] for holes in media, spend or controls, and for anything but one outcome.
/// Holes in the outcome are unobserved cells.
pub fn read_panel(rows: &[Design]) -> Result<(Panel, Units), PanelTableError> {
    let geos: Vec<String> = rows
        .iter()
        .map(|row| row.geo.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let dated = rows
        .iter()
        .filter(|row| row.role != Role::Population.name());
    let dates: Vec<NaiveDate> = dated
        .map(|row| row.date)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let geo_at: BTreeMap<&str, usize> = geos
        .iter()
        .enumerate()
        .map(|(i, geo)| (geo.as_str(), i))
        .collect();
    let date_at: BTreeMap<NaiveDate, usize> = dates
        .iter()
        .enumerate()
        .map(|(i, date)| (*date, i))
        .collect();
    let mut roles: BTreeMap<&'static str, Series> = BTreeMap::new();
    let mut units = Units::default();
    let mut holdout = vec![false; dates.len()];
    for row in rows {
        let role = role(&row.role)?;
        if role == Role::Outcome {
            (units.metric, units.outcome) = (row.variable.clone(), row.unit.clone());
        } else if role == Role::Spend {
            units.spend.clone_from(&row.unit);
        }
        let cells = roles
            .entry(role.name())
            .or_default()
            .entry(row.variable.clone());
        let cells = cells.or_insert_with(|| vec![f64::NAN; geos.len() * dates.len()]);
        let g = geo_at[row.geo.as_str()];
        if role == Role::Population {
            cells[g * dates.len()] = row.value;
            continue;
        }
        let t = date_at[&row.date];
        cells[g * dates.len() + t] = row.value;
        match row.split.as_str() {
            HOLDOUT => holdout[t] = true,
            HISTORY | TRAIN => {}
            word => {
                return Err(PanelTableError::Word {
                    column: "split",
                    word: word.to_owned(),
                });
            }
        }
    }
    let mut take = |role: Role| roles.remove(role.name()).unwrap_or_default();
    let outcomes = take(Role::Outcome);
    let names: Vec<&str> = outcomes.keys().map(String::as_str).collect();
    if names.len() != 1 {
        let found = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(PanelTableError::Outcomes(found));
    }
    let whole = |role: Role, series: Series| -> Result<Series, PanelTableError> {
        for (variable, cells) in &series {
            if let Some(at) = cells.iter().position(|cell| cell.is_nan()) {
                let (geo, date) = (geos[at / dates.len()].clone(), dates[at % dates.len()]);
                let variable = variable.clone();
                return Err(PanelTableError::Hole {
                    role: role.name(),
                    variable,
                    geo,
                    date,
                });
            }
        }
        Ok(series)
    };
    let mut spend = whole(Role::Spend, take(Role::Spend))?;
    let media = whole(Role::Media, take(Role::Media))?;
    let controls = whole(Role::Control, take(Role::Control))?;
    let population = take(Role::Population).into_values().next();
    let people = |cells: Vec<f64>| (0..geos.len()).map(|g| cells[g * dates.len()]).collect();
    let panel = Panel {
        outcome: outcomes.into_values().next().unwrap_or_default(),
        holdout,
        channels: media
            .into_iter()
            .map(|(name, media)| Channel {
                spend: spend.remove(&name),
                name,
                media,
            })
            .collect(),
        controls: controls
            .into_iter()
            .map(|(name, values)| Control { name, values })
            .collect(),
        population: population.map(people),
        geos: geos.clone(),
        dates: dates.clone(),
    };
    Ok((panel, units))
}

fn role(word: &str) -> Result<Role, PanelTableError> {
    [
        Role::Outcome,
        Role::Media,
        Role::Spend,
        Role::Control,
        Role::Population,
    ]
    .into_iter()
    .find(|role| role.name() == word)
    .ok_or_else(|| PanelTableError::Word {
        column: "role",
        word: word.to_owned(),
    })
}
