//! Seasonal columns.
//!
//! ```text
//! sin 2π n p,  cos 2π n p,   n = 1 … order,   p = day / length of the season
//! ```
//!
//! Columns come as PyMC-Marketing orders them: all sines, then all cosines.

use std::f64::consts::TAU;

use chrono::{Datelike as _, NaiveDate};

use super::Column;

/// A season.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Season {
    /// Day of the year over 365.25.
    Yearly,
    /// Day of the month over 365.25 / 12.
    Monthly,
    /// Day of the week over 7.
    Weekly,
}

impl Season {
    fn phase(self, date: NaiveDate) -> f64 {
        match self {
            Self::Yearly => f64::from(date.ordinal()) / 365.25,
            Self::Monthly => f64::from(date.day()) / (365.25 / 12.0),
            Self::Weekly => f64::from(date.weekday().number_from_monday()) / 7.0,
        }
    }
}

/// 2 · order columns.
pub(crate) fn fourier_columns(season: Season, order: usize, dates: &[NaiveDate]) -> Vec<Column> {
    let column = |name: &str, wave: fn(f64) -> f64, n: usize| Column {
        label: format!("{name}_{n}"),
        values: dates
            .iter()
            .map(|date| wave(TAU * n as f64 * season.phase(*date)))
            .collect(),
    };
    let sines = (1..=order).map(|n| column("sin", libm::sin, n));
    let cosines = (1..=order).map(|n| column("cos", libm::cos, n));
    sines.chain(cosines).collect()
}
