//! The charts, one module each.

pub mod actual;
pub mod attribution;
pub mod bubbles;
pub mod delta;
pub mod frontier;
pub mod health;
pub mod over_time;
pub mod plan;
pub mod response;
pub mod roi_forest;
pub mod shares;
pub mod waterfall;

#[cfg(test)]
pub(crate) mod checks;
