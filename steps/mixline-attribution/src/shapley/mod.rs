//! Shapley values: what a channel adds, averaged over every order in which channels could join.
//!
//! Which *game* is played matters more than the formula:
//!
//! | game | v(S) | here |
//! |---|---|---|
//! | cumulative | conversions of journeys whose channels are all in S | [`Cumulative`], [`positions`] |
//! | incremental | what a fitted model says of the touches of S alone | [`crate::conversion`] |
//! | conversion rate | conversion rate of journeys whose channels are all in S | [`rate_game`], refused |
//!
//! Reference: Shapley (1953), "A value for n-person games"; Zhao, Mahboobi and Bagheri (2018),
//! "Shapley value methods for attribution modeling in online advertising".

mod cumulative;
mod game;
mod rate;

pub use cumulative::{Cumulative, Positions, positions};
pub use game::{EXACT_PLAYERS, Sampled, exact, sampled};
pub use rate::{RateError, rate_game};
