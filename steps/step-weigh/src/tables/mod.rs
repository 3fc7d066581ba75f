//! Results as rows.

mod methods;
mod shapes;

pub(crate) use methods::{channels, methods};
pub(crate) use shapes::{lags, model, paths, positions, transitions};
