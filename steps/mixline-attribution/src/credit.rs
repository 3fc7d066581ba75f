//! What all methods have in common: a conversion is shared over the touches before it, and the
//! shares sum to exactly 1.

use crate::channel::ChannelId;
use crate::journey::{Journey, Touch};

/// A method that can share one conversion over its touches.
pub trait Credit {
    /// Fills `shares` with each touch's share, in the order of `touches`: 0 or more, added up in
    /// that order exactly 1.0. `false`, and all 0, when nothing in the journey can be credited.
    fn credit(&self, touches: &[Touch], shares: &mut Vec<f64>) -> bool;
}

/// What each channel is credited with, over many journeys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Conversions by channel id.
    pub conversions: Vec<f64>,
    /// Value by channel id.
    pub value: Vec<f64>,
    /// Conversions that no touch can be credited with.
    pub uncredited_conversions: f64,
    /// Their value.
    pub uncredited_value: f64,
}

impl Totals {
    /// Totals of a method over journeys.
    #[must_use]
    pub fn of<'a>(
        method: &(impl Credit + ?Sized),
        journeys: impl IntoIterator<Item = Journey<'a>>,
    ) -> Self {
        let mut totals = Self::default();
        let mut shares = Vec::new();
        for journey in journeys {
            totals.add(method, &journey, &mut shares);
        }
        totals
    }

    /// Adds one journey. `shares` is scratch space.
    pub fn add(
        &mut self,
        method: &(impl Credit + ?Sized),
        journey: &Journey<'_>,
        shares: &mut Vec<f64>,
    ) {
        let outcome = &journey.outcome;
        if outcome.conversions <= 0.0 {
            return;
        }
        if !method.credit(journey.touches, shares) {
            self.uncredited_conversions += outcome.conversions;
            self.uncredited_value += outcome.value;
            return;
        }
        for (touch, share) in journey.touches.iter().zip(shares.iter()) {
            if *share > 0.0 {
                self.give(
                    touch.channel,
                    share * outcome.conversions,
                    share * outcome.value,
                );
            }
        }
    }

    /// Adds to one channel.
    pub fn give(&mut self, channel: ChannelId, conversions: f64, value: f64) {
        let at = channel.index();
        if self.conversions.len() <= at {
            self.conversions.resize(at + 1, 0.0);
            self.value.resize(at + 1, 0.0);
        }
        self.conversions[at] += conversions;
        self.value[at] += value;
    }

    /// Gives to `rest` what nothing can be credited with.
    pub fn settle(&mut self, rest: ChannelId) {
        let conversions = std::mem::take(&mut self.uncredited_conversions);
        let value = std::mem::take(&mut self.uncredited_value);
        self.give(rest, conversions, value);
    }

    /// Adds `times` other totals.
    pub fn merge(&mut self, other: &Self, times: f64) {
        for (at, (conversions, value)) in other.conversions.iter().zip(&other.value).enumerate() {
            self.give(ChannelId(at as u32), conversions * times, value * times);
        }
        self.uncredited_conversions += other.uncredited_conversions * times;
        self.uncredited_value += other.uncredited_value * times;
    }

    /// Conversions of a channel; 0 for one that was never credited.
    #[must_use]
    pub fn conversions_of(&self, channel: ChannelId) -> f64 {
        self.conversions
            .get(channel.index())
            .copied()
            .unwrap_or(0.0)
    }

    /// Value of a channel; 0 for one that was never credited.
    #[must_use]
    pub fn value_of(&self, channel: ChannelId) -> f64 {
        self.value.get(channel.index()).copied().unwrap_or(0.0)
    }
}
