//! What the charts share: a named quantity with its unit, and draws of a quantity in numbers.

use crate::number::{change_with_unit, with_unit};
use crate::text::capital;

/// A quantity and its unit: revenue in EUR, orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Its name as it stands in the middle of a sentence: `revenue`.
    pub name: String,
    /// Currency code or unit, put behind numbers; empty when the name says it all.
    pub unit: String,
}

impl Measure {
    /// A quantity and its unit.
    #[must_use]
    pub fn new(name: &str, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
        }
    }

    /// Title of an axis: `Revenue (EUR)`.
    #[must_use]
    pub fn axis(&self) -> String {
        axis_title(&self.name, &self.unit)
    }

    /// An amount: `1.2 M EUR`.
    #[must_use]
    pub fn amount(&self, value: f64) -> String {
        with_unit(value, &self.unit)
    }

    /// A change: `+1.2 M EUR`.
    #[must_use]
    pub fn change(&self, value: f64) -> String {
        change_with_unit(value, &self.unit)
    }
}

/// Title of an axis: name and, in brackets, unit.
#[must_use]
pub fn axis_title(name: &str, unit: &str) -> String {
    let name = capital(name);
    if unit.is_empty() {
        name
    } else {
        format!("{name} ({unit})")
    }
}

/// Title of an axis of what spend adds: `Incremental revenue (EUR)`.
pub(crate) fn incremental(outcome: &Measure) -> String {
    axis_title(&format!("incremental {}", outcome.name), &outcome.unit)
}

/// Draws of a quantity in six numbers: q05 … q95 is the 90 % interval, q25 … q75 the 50 % one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interval {
    /// Mean over draws.
    pub mean: f64,
    /// 5 % quantile.
    pub q05: f64,
    /// 25 % quantile.
    pub q25: f64,
    /// Median.
    pub q50: f64,
    /// 75 % quantile.
    pub q75: f64,
    /// 95 % quantile.
    pub q95: f64,
}

impl Interval {
    /// An amount known for certain.
    #[must_use]
    pub fn point(value: f64) -> Self {
        Self {
            mean: value,
            q05: value,
            q25: value,
            q50: value,
            q75: value,
            q95: value,
        }
    }

    /// `1.2 (0.8 to 1.6)`: median and 90 % interval in short.
    #[must_use]
    pub fn words(&self) -> String {
        use crate::number::compact;
        let (mid, low, high) = (compact(self.q50), compact(self.q05), compact(self.q95));
        format!("{mid} ({low} to {high})")
    }
}

/// Finite values only, zero for the others: sums stay finite.
pub(crate) fn finite(value: f64) -> f64 {
    if value.is_finite() {
        value.clamp(-1e300, 1e300)
    } else {
        0.0
    }
}

/// Names in a sentence: `A, B and C`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
