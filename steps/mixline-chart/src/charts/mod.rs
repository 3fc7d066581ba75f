//! The charts, one module each.

pub mod plan;
pub mod response;
pub mod roi_forest;
pub mod waterfall;

#[cfg(test)]
pub(crate) mod checks;
