//! Synthetic worlds with known truth.
//!
//! A [`World`] is a shop with advertising, made from a [`WorldSpec`] and a seed. Everything that
//! a real shop never knows is known here: what each channel brought in on each day, and which
//! channel caused which order. Steps are tested against that truth, and the demo shows it beside
//! what was measured.
//!
//! Three laws hold, and tests keep them:
//!
//! - *Equal specs give equal worlds on every machine.* The generator is `ChaCha8`, elementary
//!   functions come from `libm`, and money is rounded to cents before it is used.
//! - *A longer world begins like a shorter one.* Every day draws from streams of its own, and
//!   nothing looks ahead, so more days are like more days of deliveries.
//! - *The parts add up.* Baseline and contributions of a day are its expected revenue, and orders
//!   are drawn with that expectation.
//!
//! Generating is pure; only [`exports::write`] touches the disk.

mod calendar;
mod customers;
mod draw;
pub mod exports;
mod journeys;
mod media;
mod orders;
mod response;
mod spec;
mod tables;
mod world;

pub use calendar::Day;
pub use customers::email;
pub use journeys::{Touch, Visitor};
pub use media::MediaRow;
pub use orders::{LineItem, Order, OrderStatus};
pub use response::{Saturation, geometric_adstock};
pub use spec::{CampaignSpec, ChannelSpec, Flights, WorldSpec, default_channels};
pub use world::World;
