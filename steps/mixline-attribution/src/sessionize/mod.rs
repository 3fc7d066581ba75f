//! From touches and orders of one customer to journeys.
//!
//! ```text
//! touches ─► screen ─► bots ─► duplicates ─► sessions ─┐
//!            screen.rs                                 ├─► journeys, and what was left out, and why
//! orders  ─► negative values, duplicate ids ───────────┘   walk.rs
//! ```
//!
//! Nothing is lost: every touch ends up in a journey or is left out with a [`Reason`], and so does
//! every order. Times are microseconds; touches and orders refer to rows of the caller's tables.
//!
//! ```text
//!  ┄┄o┄┄o┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄o┄┄┄o┄┄o┄┄€┄┄┄┄┄o┄┄o┄┄┄┄►    o touch, € order
//!  └ ended ┘             └ converted ┘     └ open ┘
//!          more than the look-back ago     may still convert
//! ```

mod rules;
mod screen;
mod walk;

pub use rules::{AfterConversion, Rules, RulesError, Unit};
pub use walk::{Sessionizer, Step, Trip};

/// How a person met a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// They came by it.
    Click,
    /// They saw it.
    View,
}

/// One touch of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// When, in microseconds.
    pub at: i64,
    /// Channel and campaign, as one number of the caller's.
    pub source: u32,
    /// How.
    pub kind: Kind,
    /// The caller's row.
    pub row: usize,
}

/// One order of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bought {
    /// When, in microseconds.
    pub at: i64,
    /// Its value.
    pub value: f64,
    /// Which order it is: a number that is the same for the same order.
    pub id: u64,
    /// The caller's row.
    pub row: usize,
}

/// How a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// With the order of this row.
    Converted(usize),
    /// Without one: the look-back is over.
    Ended,
    /// Not yet: an order may still come within the look-back.
    Open,
}

/// Why a touch or an order is in no journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The time of a touch or an order cannot be: before 2000, or after the end of the data.
    ClockSkew,
    /// The channel is not one of those that are known.
    UnknownChannel,
    /// Touches of one's own people.
    Internal,
    /// More touches in a day than a person makes.
    Bot,
    /// The same touch again within seconds: a tag that fired twice.
    Duplicate,
    /// The same channel and campaign again within one session.
    SameSession,
    /// The journey has more touches than are kept; these are the oldest.
    PathTooLong,
    /// An order with a negative value earns no channel anything.
    NegativeValue,
    /// The same order again.
    DuplicateOrder,
    /// The value of an order is not a number.
    NoValue,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ClockSkew,
        Self::UnknownChannel,
        Self::Internal,
        Self::Bot,
        Self::Duplicate,
        Self::SameSession,
        Self::PathTooLong,
        Self::NegativeValue,
        Self::DuplicateOrder,
        Self::NoValue,
    ];

    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClockSkew => "clock_skew",
            Self::UnknownChannel => "unknown_channel",
            Self::Internal => "internal",
            Self::Bot => "bot",
            Self::Duplicate => "duplicate",
            Self::SameSession => "same_session",
            Self::PathTooLong => "path_too_long",
            Self::NegativeValue => "negative_value",
            Self::DuplicateOrder => "duplicate_order",
            Self::NoValue => "no_value",
        }
    }
}

/// What was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// The touch of this row.
    Touch(usize),
    /// The order of this row.
    Order(usize),
}

#[cfg(test)]
mod tests;
