//! The periods that are planned, and what went on before them.

use chrono::{Datelike as _, Days, Months, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::panel::Panel;

/// How a cell's spend is spread over the planned periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flighting {
    /// The same in every period.
    #[default]
    Even,
    /// As in the last periods of the data.
    Recent,
}

/// Which periods are planned, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Planned periods; they follow the last period of the data.
    pub periods: usize,
    /// Periods at the end of the data whose spend counts as current.
    pub reference: usize,
    /// Spread over the planned periods.
    pub flighting: Flighting,
    /// Whether media before the first planned period still have effects, on which the plan builds.
    pub carry_in: bool,
}

impl Default for Horizon {
    fn default() -> Self {
        Self {
            periods: 8,
            reference: 8,
            flighting: Flighting::Even,
            carry_in: true,
        }
    }
}

impl Horizon {
    /// The share of a channel's spend in each planned period.
    #[must_use]
    pub fn pattern(&self, panel: &Panel, c: usize) -> Vec<f64> {
        let even = vec![1.0 / self.periods as f64; self.periods];
        if self.flighting == Flighting::Even {
            return even;
        }
        let by_period = spend_by_period(panel, c);
        let recent = &by_period[by_period.len().saturating_sub(self.periods)..];
        let total: f64 = recent.iter().sum();
        if total > 0.0 && recent.len() == self.periods {
            recent.iter().map(|spend| spend / total).collect()
        } else {
            even
        }
    }

    /// First days of the planned periods: days, weeks or months, as the data have them.
    #[must_use]
    pub fn dates(&self, panel: &Panel) -> Vec<NaiveDate> {
        let Some(last) = panel.dates.last() else {
            return Vec::new();
        };
        let before = panel.dates.len().checked_sub(2).map(|at| panel.dates[at]);
        let step = before.map_or(7, |before| {
            (*last - before).num_days().max(1).unsigned_abs()
        });
        let months = step >= 28 && last.day() == 1 && before.is_some_and(|day| day.day() == 1);
        let next = |k: u64| match (months, u32::try_from(k * ((step + 3) / 31).max(1))) {
            (true, Ok(ahead)) => last.checked_add_months(Months::new(ahead)),
            _ => last.checked_add_days(Days::new(k * step)),
        };
        (1..=self.periods as u64).map_while(next).collect()
    }

    /// The first period of the reference window.
    pub(super) fn reference_from(&self, panel: &Panel) -> usize {
        panel.periods().saturating_sub(self.reference)
    }
}

/// A channel's spend over all geos, by period; negative corrections count as none.
pub(super) fn spend_by_period(panel: &Panel, c: usize) -> Vec<f64> {
    let mut total = vec![0.0; panel.periods()];
    if let Some(spend) = &panel.channels[c].spend {
        for g in 0..panel.geos.len() {
            for (sum, x) in total.iter_mut().zip(panel.of_geo(spend, g)) {
                *sum += x.max(0.0);
            }
        }
    }
    total
}
