//! Attribution: sharing conversions over the touches before them.
//!
//! ```text
//! touches, orders ─► sessionize ─► Journeys ─┬─► rules        last, first, linear, decay, position
//!                                            ├─► markov       removal effects, solved exactly
//!                                            ├─► shapley      cumulative game; any game by coalitions
//!                                            ├─► conversion   a fitted model: removal, Shapley
//!                                            └─► reconcile    path shares scaled to a mix model
//! survey: all of it in one pass, with intervals from resampled customers (resample)
//! ```
//!
//! Every method shares a conversion over its touches by [`Credit`]: shares sum to exactly 1. Some
//! also have totals of their own (removal effects shared over all conversions). Nothing here knows
//! dates, tables or money: ages are days before the conversion.
//!
//! ```
//! use mixline_attribution::{Channels, Credit, Journeys, Outcome, Totals, TouchRule};
//! let mut channels = Channels::new();
//! let mut journeys = Journeys::new();
//! journeys.push_path(&mut channels, "meta > google", Outcome::conversion(80.0, 1));
//! journeys.push_path(&mut channels, "meta", Outcome::null(2));
//! let totals = Totals::of(&TouchRule::Linear, journeys.iter());
//! assert_eq!(totals.value, [40.0, 40.0]);
//! ```
//!
//! Credit is a description, not a cause: who was there, not who helped. Each method's page says
//! what it assumes.

mod by_channel;
mod channel;
pub mod conversion;
mod credit;
mod journey;
pub mod markov;
mod paths;
mod reconcile;
pub mod resample;
mod rules;
pub mod sessionize;
pub mod shapley;
mod shares;
pub mod survey;

pub use channel::{ChannelId, Channels};
pub use credit::{Credit, Totals};
pub use journey::{Journey, Journeys, Outcome, Touch};
pub use paths::{Histogram, LONGEST, Path, Paths, Run};
pub use reconcile::{Composition, Informed, Reconciliation};
pub use rules::{PositionWeights, RuleError, TouchRule};
pub use shares::{share_out, shares};
