//! Columns of the baseline, from dates and settings.

mod events;
mod fourier;
mod trend;

pub(crate) use events::event_column;
pub(crate) use fourier::{Season, fourier_columns};
pub(crate) use trend::{knot_columns, trend_columns};

/// A named column over the periods, the same in every geo.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) label: String,
    pub(crate) values: Vec<f64>,
}
