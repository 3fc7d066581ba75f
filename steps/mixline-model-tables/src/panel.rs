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

/// Cells by name: geos × periods, NaN where there is no row.
type Series = BTreeMap<String, Vec<f64>>;

/// The panel and its units.
///
/// # Errors
/// [`PanelTableError`] for holes in media, spend or controls, and for anything but one outcome.
/// Holes in the outcome are unobserved cells.
pub fn read_panel(rows: &[Design]) -> Result<(Panel, Units), PanelTableError> {
    let mut found = Collected::of(rows)?;
    let outcomes = found.take(Role::Outcome);
    let names: Vec<&str> = outcomes.keys().map(String::as_str).collect();
    if names.len() != 1 {
        let text = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(PanelTableError::Outcomes(text));
    }
    let mut spend = found.whole(Role::Spend)?;
    let media = found.whole(Role::Media)?;
    let controls = found.whole(Role::Control)?;
    let population = found.take(Role::Population).into_values().next();
    let people = |cells: Vec<f64>| {
        cells
            .chunks(found.dates.len().max(1))
            .map(|own| own[0])
            .collect()
    };
    let panel = Panel {
        outcome: outcomes.into_values().next().unwrap_or_default(),
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
        holdout: found.holdout,
        geos: found.geos,
        dates: found.dates,
    };
    Ok((panel, found.units))
}

/// Rows in their places.
struct Collected {
    geos: Vec<String>,
    dates: Vec<NaiveDate>,
    holdout: Vec<bool>,
    roles: BTreeMap<&'static str, Series>,
    units: Units,
}

impl Collected {
    fn of(rows: &[Design]) -> Result<Self, PanelTableError> {
        let geos: BTreeSet<&String> = rows.iter().map(|row| &row.geo).collect();
        // Population has no period of its own.
        let dated = rows
            .iter()
            .filter(|row| row.role != Role::Population.name());
        let dates: BTreeSet<NaiveDate> = dated.map(|row| row.date).collect();
        let geo_at: BTreeMap<&String, usize> = geos.iter().copied().zip(0..).collect();
        let date_at: BTreeMap<NaiveDate, usize> = dates.iter().copied().zip(0..).collect();
        let mut this = Self {
            holdout: vec![false; dates.len()],
            geos: geos.iter().map(|geo| (*geo).clone()).collect(),
            dates: dates.iter().copied().collect(),
            roles: BTreeMap::new(),
            units: Units::default(),
        };
        for row in rows {
            this.place(row, geo_at[&row.geo], date_at.get(&row.date).copied())?;
        }
        Ok(this)
    }

    fn place(&mut self, row: &Design, g: usize, t: Option<usize>) -> Result<(), PanelTableError> {
        let role = role(&row.role)?;
        match role {
            Role::Outcome => {
                self.units.metric.clone_from(&row.variable);
                self.units.outcome.clone_from(&row.unit);
            }
            Role::Spend => self.units.spend.clone_from(&row.unit),
            _ => {}
        }
        let periods = self.dates.len();
        let blank = || vec![f64::NAN; self.geos.len() * periods];
        let series = self.roles.entry(role.name()).or_default();
        let cells = series.entry(row.variable.clone()).or_insert_with(blank);
        if role == Role::Population {
            // One number per geo, whatever the period it came with.
            if let Some(first) = cells.get_mut(g * periods) {
                *first = row.value;
            }
            return Ok(());
        }
        let Some(t) = t else { return Ok(()) };
        cells[g * periods + t] = row.value;
        match row.split.as_str() {
            HOLDOUT => self.holdout[t] = true,
            HISTORY | TRAIN => {}
            word => {
                return Err(PanelTableError::Word {
                    column: "split",
                    word: word.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn take(&mut self, role: Role) -> Series {
        self.roles.remove(role.name()).unwrap_or_default()
    }

    /// The series of a role, none of which may have a hole.
    fn whole(&mut self, role: Role) -> Result<Series, PanelTableError> {
        let series = self.take(role);
        for (variable, cells) in &series {
            if let Some(at) = cells.iter().position(|cell| cell.is_nan()) {
                let (g, t) = (at / self.dates.len(), at % self.dates.len());
                return Err(PanelTableError::Hole {
                    role: role.name(),
                    variable: variable.clone(),
                    geo: self.geos[g].clone(),
                    date: self.dates[t],
                });
            }
        }
        Ok(series)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(role: &str, week: u64, value: f64, split: &str) -> Design {
        let start = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        Design {
            date: start + chrono::Days::new(7 * week),
            geo: "all".into(),
            role: role.into(),
            variable: if role == "population" { "people" } else { "tv" }.into(),
            value,
            unit: "EUR".into(),
            split: split.into(),
        }
    }

    fn rows() -> Vec<Design> {
        let week = |t: u64| {
            let split = [HISTORY, TRAIN, TRAIN, HOLDOUT][t as usize];
            let of = |role, value| row(role, t, value, split);
            [
                of("media", 1.0),
                of("spend", 2.0),
                of("population", 9.0),
                of("outcome", 5.0),
            ]
        };
        (0..4)
            .flat_map(week)
            .filter(|row| row.role != "outcome" || row.split != HISTORY)
            .collect()
    }

    #[test]
    fn history_has_no_outcome_and_population_has_no_period() {
        let (panel, units) = read_panel(&rows()).unwrap();
        assert!(panel.outcome[0].is_nan());
        assert_eq!(panel.outcome[1..], [5.0; 3]);
        assert_eq!(panel.holdout, [false, false, false, true]);
        assert_eq!(panel.population, Some(vec![9.0]));
        assert_eq!(panel.channels[0].spend, Some(vec![2.0; 4]));
        assert_eq!(
            (units.metric.as_str(), units.outcome.as_str()),
            ("tv", "EUR")
        );
    }

    #[test]
    fn holes_and_unknown_words_are_named() {
        let mut holed = rows();
        holed.retain(|own| own.role != "media" || own.split != HOLDOUT);
        let error = read_panel(&holed).unwrap_err().to_string();
        assert!(
            error.contains("no media `tv` for geo `all` at 2026-01-26"),
            "{error}"
        );
        let mut odd = rows();
        odd[0].role = "wish".into();
        assert!(
            read_panel(&odd)
                .unwrap_err()
                .to_string()
                .contains("the role `wish`")
        );
        let none = read_panel(&[]).unwrap_err();
        assert_eq!(none, PanelTableError::Outcomes("none".into()));
    }
}
