//! The cumulative game, exactly and in linear time.

use std::collections::BTreeMap;

use crate::by_channel::{distinct, spread};
use crate::channel::ChannelId;
use crate::credit::Credit;
use crate::journey::{Journey, Touch};
use crate::shares::share_out;

/// The Shapley value of the cumulative game.
///
/// ```text
/// v(S)  = Σ value of journeys whose distinct channels all lie in S
/// φ[c]  = Σ value / d      over journeys that hold c among their d distinct channels
/// ```
///
/// A journey with channel set `D` is a unanimity game: it adds its value as soon as the last
/// channel of `D` has joined, and all of `D` are alike in it. So each journey is shared equally
/// over its distinct channels, for any number of channels in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cumulative;

impl Credit for Cumulative {
    fn credit(&self, touches: &[Touch], shares: &mut Vec<f64>) -> bool {
        spread(touches, shares, |channels| {
            for (_, share) in channels {
                *share = 1.0;
            }
        });
        share_out(shares)
    }
}

/// Conversions and value by channel and its position, from 1, among the distinct channels of the
/// journey.
pub type Positions = BTreeMap<(ChannelId, usize), (f64, f64)>;

/// Adds a journey to the ordered form of the cumulative game: the same shares, booked at the
/// position at which each channel joins the journey. Positions beyond `deepest` are booked there.
pub fn positions(journey: &Journey<'_>, deepest: usize, booked: &mut Positions) {
    let outcome = &journey.outcome;
    if outcome.conversions <= 0.0 {
        return;
    }
    let channels = distinct(journey.touches);
    let d = channels.len() as f64;
    for (position, channel) in (1..).zip(channels) {
        let entry = booked
            .entry((channel, position.min(deepest.max(1))))
            .or_insert((0.0, 0.0));
        entry.0 += outcome.conversions / d;
        entry.1 += outcome.value / d;
    }
}
