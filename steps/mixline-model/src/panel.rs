//! The data a model is fitted to, in original units.

use chrono::NaiveDate;

/// Outcome, media and controls by geo and period. National data have one geo.
///
/// Matrices are geo by geo: the value of geo g in period t sits at `g * periods + t`.
/// Periods are regular and ascending; those before the first outcome are media history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// Names of the geos.
    pub geos: Vec<String>,
    /// First day of each period.
    pub dates: Vec<NaiveDate>,
    /// The outcome; NaN where it was not observed.
    pub outcome: Vec<f64>,
    /// Periods kept out of the fit, to be predicted; one flag per period.
    pub holdout: Vec<bool>,
    /// Media channels.
    pub channels: Vec<Channel>,
    /// Controls, and non-media treatments.
    pub controls: Vec<Control>,
    /// Population by geo, when known.
    pub population: Option<Vec<f64>>,
}

/// A media channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Channel {
    /// Name.
    pub name: String,
    /// What the model sees: impressions, clicks, or money; geos × periods, never negative.
    pub media: Vec<f64>,
    /// What it cost; geos × periods. `None` for organic media.
    pub spend: Option<Vec<f64>>,
}

/// A control series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Control {
    /// Name.
    pub name: String,
    /// Values; geos × periods.
    pub values: Vec<f64>,
}

/// Data that cannot be modelled, with the place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PanelError {
    /// A matrix of the wrong size.
    #[error("`{series}` has {got} values, but {geos} geos × {periods} periods are {want}")]
    Shape {
        /// Which series.
        series: String,
        /// Values it has.
        got: usize,
        /// Geos.
        geos: usize,
        /// Periods.
        periods: usize,
        /// Values it should have.
        want: usize,
    },
    /// A value that is not finite, or negative where it may not be.
    #[error("`{series}` is {value} in geo `{geo}` at {date}: {rule}")]
    Value {
        /// Which series.
        series: String,
        /// Which geo.
        geo: String,
        /// Which period.
        date: NaiveDate,
        /// The value.
        value: f64,
        /// What it should be.
        rule: &'static str,
    },
    /// Dates not ascending.
    #[error("dates must ascend, but {later} follows {earlier}")]
    Dates {
        /// A date.
        earlier: NaiveDate,
        /// The one after it.
        later: NaiveDate,
    },
    /// Two series, geos or channels of one name.
    #[error("the name `{0}` is used twice")]
    Duplicate(String),
    /// Nothing to fit.
    #[error("{observed} observed outcomes are too few for a model: at least {least} are needed")]
    TooShort {
        /// Periods with an outcome outside the holdout.
        observed: usize,
        /// What is needed.
        least: usize,
    },
    /// A constant outcome.
    #[error("the outcome is {0} in every fitted period: there is nothing to explain")]
    ConstantOutcome(f64),
}

/// The fewest outcomes a fit may have: below this, no prior is honest enough.
const LEAST: usize = 8;

impl Panel {
    /// Number of periods.
    #[must_use]
    pub fn periods(&self) -> usize {
        self.dates.len()
    }

    /// The values of geo `g` in a matrix.
    #[must_use]
    pub fn of_geo<'a>(&self, values: &'a [f64], g: usize) -> &'a [f64] {
        &values[g * self.periods()..(g + 1) * self.periods()]
    }

    /// Whether the outcome of geo `g` in period `t` takes part in the fit.
    #[must_use]
    pub fn fitted(&self, g: usize, t: usize) -> bool {
        !self.holdout[t] && self.outcome[g * self.periods() + t].is_finite()
    }

    /// Checks everything a model relies on.
    ///
    /// # Errors
    /// The first [`PanelError`] found.
    pub fn validate(&self) -> Result<(), PanelError> {
        self.check_names()?;
        for pair in self.dates.windows(2) {
            if pair[1] <= pair[0] {
                return Err(PanelError::Dates {
                    earlier: pair[0],
                    later: pair[1],
                });
            }
        }
        self.check_matrix("outcome", &self.outcome, "", |x| {
            x.is_nan() || x.is_finite()
        })?;
        for channel in &self.channels {
            let rule = "media must be finite and not negative";
            self.check_matrix(&channel.name, &channel.media, rule, |x| {
                x.is_finite() && x >= 0.0
            })?;
            if let Some(spend) = &channel.spend {
                let name = format!("{} (spend)", channel.name);
                self.check_matrix(&name, spend, "spend must be finite", f64::is_finite)?;
            }
        }
        for control in &self.controls {
            let rule = "controls must be finite in every period: fill or leave out the gap";
            self.check_matrix(&control.name, &control.values, rule, f64::is_finite)?;
        }
        if let Some(population) = &self.population {
            for (geo, value) in self.geos.iter().zip(population) {
                if !(value.is_finite() && *value > 0.0) {
                    return Err(PanelError::Value {
                        series: "population".into(),
                        geo: geo.clone(),
                        date: self.dates.first().copied().unwrap_or_default(),
                        value: *value,
                        rule: "population must be above 0",
                    });
                }
            }
        }
        self.check_outcome()
    }

    fn check_names(&self) -> Result<(), PanelError> {
        let channels = self.channels.iter().map(|channel| &channel.name);
        let controls = self.controls.iter().map(|control| &control.name);
        let mut seen = std::collections::BTreeSet::new();
        for name in channels.chain(controls) {
            if !seen.insert(name) {
                return Err(PanelError::Duplicate(name.clone()));
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        match self.geos.iter().find(|geo| !seen.insert(*geo)) {
            Some(geo) => Err(PanelError::Duplicate(geo.clone())),
            None => Ok(()),
        }
    }

    fn check_matrix(
        &self,
        series: &str,
        values: &[f64],
        rule: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<(), PanelError> {
        let (geos, periods) = (self.geos.len(), self.periods());
        let (want, got) = (geos * periods, values.len());
        if got != want {
            let series = series.to_owned();
            return Err(PanelError::Shape {
                series,
                got,
                geos,
                periods,
                want,
            });
        }
        match values.iter().position(|&value| !holds(value)) {
            None => Ok(()),
            Some(at) => Err(PanelError::Value {
                series: series.to_owned(),
                geo: self.geos[at / periods].clone(),
                date: self.dates[at % periods],
                value: values[at],
                rule,
            }),
        }
    }

    fn check_outcome(&self) -> Result<(), PanelError> {
        if self.holdout.len() != self.periods() {
            return Err(PanelError::Shape {
                series: "holdout".into(),
                got: self.holdout.len(),
                geos: 1,
                periods: self.periods(),
                want: self.periods(),
            });
        }
        let cells = (0..self.geos.len()).flat_map(|g| (0..self.periods()).map(move |t| (g, t)));
        let fitted: Vec<f64> = cells
            .filter(|&(g, t)| self.fitted(g, t))
            .map(|(g, t)| self.outcome[g * self.periods() + t])
            .collect();
        if fitted.len() < LEAST {
            return Err(PanelError::TooShort {
                observed: fitted.len(),
                least: LEAST,
            });
        }
        if fitted.iter().all(|value| *value == fitted[0]) {
            return Err(PanelError::ConstantOutcome(fitted[0]));
        }
        Ok(())
    }
}
