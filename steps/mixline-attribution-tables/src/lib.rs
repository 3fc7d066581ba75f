//! Between journeys and the tables of the store.
//!
//! ```text
//! touchpoints, orders ─► Sessions ─► one Life after the other     sessions.rs, orders.rs
//! lives ─► JourneyRows ─► `journeys`                              write.rs
//! `journeys` ─► Decoded ─► Journeys of mixline-attribution        read.rs
//! names of methods and their parameters                           method.rs
//! `media_daily` ─► shares of a day's spend                        spend.rs
//! ```
//!
//! Tables of journeys have tens of millions of rows, so this crate works on columns and streams: a
//! table is in memory one piece at a time.

mod method;
mod orders;
mod read;
mod sessions;
mod sources;
mod spend;
mod write;

pub use method::{Method, MethodError, RuleSettings};
pub use orders::{OrderBook, OrderRow};
pub use read::{Decoded, JourneyRow, customer_number};
pub use sessions::{Life, Screen, Sessions, Stitching, TouchRow, Visit};
pub use sources::Sources;
pub use spend::{MixedCurrencies, SpendByDay};
pub use write::{JourneyRows, status};
