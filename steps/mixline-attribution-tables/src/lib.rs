//! Between journeys and the tables of the store.
//!
//! ```text
//! touchpoints, orders ─► Sessions ─► one Life after the other     sessions.rs, orders.rs
//! lives ─► JourneyRows ─► `journeys`                              write.rs
//! `journeys` ─► Decoded ─► Journeys of mixline-attribution        read.rs
//! ```
//!
//! Tables of journeys have tens of millions of rows, so this crate works on columns and streams: a
//! table is in memory one piece at a time.

mod orders;
mod read;
mod sessions;
mod sources;
mod write;

pub use orders::{OrderBook, OrderRow};
pub use read::{Decoded, JourneyRow, customer_number};
pub use sessions::{Life, Screen, Sessions, Stitching, TouchRow, Visit};
pub use sources::Sources;
pub use write::{JourneyRows, status};
