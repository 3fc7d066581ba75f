//! Markov attribution: what would be lost if a channel were not there.
//!
//! ```text
//! transitions.rs   journeys  ─►  counts of steps between states          one pass, any order
//! chain.rs         counts    ─►  P(conversion) from every state          solved, not simulated
//! removal.rs       chain     ─►  removal effect and credit by channel
//! ```
//!
//! A *state* of order `k` is the last `k` channels of a journey, fewer at its beginning. From each
//! state a journey goes on to a channel, converts, or ends (*null*). Removing a channel sends every
//! step onto it to *null*; its **removal effect** is the share of conversions that are then lost.
//!
//! Reference: Anderl, Becker, von Wangenheim and Schumann (2016), "Mapping the customer journey".

mod chain;
mod removal;
mod successors;
mod transitions;

pub use chain::{Absorption, Chain, ChainError};
pub use removal::{Removal, RemovalEffects};
pub use transitions::{Transition, Transitions, Which};
