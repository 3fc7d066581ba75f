//! Sharing one conversion over the touches before it.
//!
//! A [`Journey`] is what one customer met before one order; a [`TouchRule`] says how much of the
//! order each touch earned; [`credit`] applies one to the other. [`shares`] is the primitive
//! underneath, also used for spend shares. Nothing here knows dates, tables or money: ages are
//! days before the conversion, credits are shares that sum to exactly 1.
//!
//! ```
//! use mixline_attribution::{Journey, Touch, TouchRule, credit};
//! let touches = vec![
//!     Touch { key: "meta", age_days: 6.0 },
//!     Touch { key: "google", age_days: 1.0 },
//! ];
//! let (journey, left_out) = Journey::before_conversion(touches, 30.0);
//! assert_eq!(left_out.total(), 0);
//! assert_eq!(credit(&TouchRule::LastTouch, &journey), [("google", 1.0)]);
//! ```
//!
//! Not here: which touches belong to which order (the step decides), and models that learn from
//! data. These rules are descriptions, not causes; see each rule's page for what it assumes.

mod journey;
mod rules;
mod shares;

pub use journey::{Journey, LeftOut, Touch};
pub use rules::{PositionWeights, RuleError, TouchRule, credit};
pub use shares::shares;
