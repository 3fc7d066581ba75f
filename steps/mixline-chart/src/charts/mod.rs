//! The charts, one module each.

pub mod actual;
pub mod adstock;
pub mod attribution;
pub mod bubbles;
pub mod calibration;
pub mod convergence;
pub mod delta;
pub mod densities;
pub mod frontier;
pub mod health;
pub mod histogram;
pub mod inputs;
pub mod methods;
pub mod over_time;
pub mod paths;
pub mod plan;
pub mod positions;
pub mod removal;
pub mod residuals;
pub mod response;
pub mod roi_forest;
pub mod shares;
pub mod waterfall;

#[cfg(test)]
pub(crate) mod checks;
