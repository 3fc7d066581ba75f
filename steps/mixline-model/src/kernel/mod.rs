//! Kernels: from a media series to its saturated, carried-over form.
//!
//! - [`adstock`]: weights over the lags, one type per kind;
//! - [`saturation`]: the response curve, one type per kind;
//! - [`num`]: formulas written once give their own derivatives;
//! - [`media`]: both together over a whole series, forward and backward.

pub mod adstock;
pub mod media;
pub mod num;
pub mod saturation;

pub use adstock::{ADSTOCK_PARAMETERS, AdstockKind, convolve};
pub use media::{MediaKernel, Shape};
pub use saturation::{Cell, Curve, SHAPE_PARAMETERS, SaturationKind};

#[cfg(test)]
mod tests;
