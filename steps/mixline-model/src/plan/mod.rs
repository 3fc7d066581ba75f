//! Plans: what spend over the coming periods would bring, and which spend is best.
//!
//! ```text
//! Model + draws ─► Surface ─► PlanSpec ─► Plans
//!                  response of   what is    best, best inside what was seen,
//!                  each cell     allowed    greedy, frontier
//! ```
//!
//! - [`Surface`]: outcome from planned spend, draw by draw, with carry-in from real history and
//!   carry-out after the last planned period;
//! - [`PlanSpec`]: budget, objective and constraints; amounts are totals over the planned periods;
//! - [`optimise()`]: the plans, each with its outcome in intervals and an upper bound;
//! - [`flights()`]: when to spend what a plan gives a channel;
//! - [`Simulator`]: what a change of spend would do, fast enough for a slider.
//!
//! Everything is averaged over draws, never computed at a point estimate.

mod flights;
mod horizon;
mod objective;
mod optimise;
mod request;
mod simulate;
mod spec;
mod strip;
mod surface;
mod utility;
mod walk;

pub use flights::{Flight, Flights, Pacing, flights};
pub use horizon::{Flighting, Horizon};
pub use optimise::{
    CellPlan, FrontierPoint, Plan, PlanMethod, Plans, best, best_spend, frontier, optimise,
};
pub use request::PlanError;
pub use simulate::{Simulated, Simulator};
pub use spec::{Budget, CellBounds, Goal, GroupBounds, PlanSpec, Utility};
pub use surface::{PlanCell, Surface};
