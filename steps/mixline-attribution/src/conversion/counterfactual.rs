//! Credit by asking the model what would have happened without some of the touches.

use super::exposure::Carry;
use super::fit::{ConversionModel, sigmoid};
use crate::by_channel::spread;
use crate::channel::ChannelId;
use crate::credit::Credit;
use crate::journey::Touch;
use crate::shapley::{EXACT_PLAYERS, exact, sampled};
use crate::shares::share_out;

/// Each channel in proportion to what the journey's probability of a conversion loses without it.
///
/// ```text
/// w[c] = P(all touches) − P(touches of other channels)
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DataDriven<'a>(pub &'a ConversionModel);

/// Each channel by its Shapley value in the game of the journey's conversion probability.
///
/// ```text
/// v(S) = P(touches of channels in S)        exact up to 20 channels in a journey, beyond that
///                                           from random orders of joining
/// ```
#[derive(Debug, Clone, Copy)]
pub struct IncrementalShapley<'a> {
    /// The model.
    pub model: &'a ConversionModel,
    /// Orders of joining for journeys of more than 20 channels.
    pub orders: usize,
    /// Seed of those orders.
    pub seed: u64,
}

impl ConversionModel {
    /// The probability that a journey converts when only the touches count that `keep` lets by.
    #[must_use]
    pub fn probability(&self, touches: &[Touch], keep: impl Fn(ChannelId) -> bool) -> f64 {
        let mut carry = Carry::default();
        let mut survives = 1.0;
        let kept = touches
            .iter()
            .filter(|touch| touch.weight > 0.0 && keep(touch.channel));
        for touch in kept {
            carry.until(touch.age_days, self.half_life_days);
            let effect =
                |effects: &[f64], channel: usize| effects.get(channel).copied().unwrap_or(0.0);
            let carried = carry
                .left
                .iter()
                .map(|&(c, left)| effect(&self.carry, c as usize) * left);
            let z = self.base + effect(&self.own, touch.channel.index()) + carried.sum::<f64>();
            survives *= 1.0 - sigmoid(z);
            carry.add(touch);
        }
        1.0 - survives
    }
}

impl Credit for DataDriven<'_> {
    fn credit(&self, touches: &[Touch], shares: &mut Vec<f64>) -> bool {
        let model = self.0;
        spread(touches, shares, |channels| {
            if let [(_, only)] = channels {
                *only = 1.0;
                return;
            }
            let whole = model.probability(touches, |_| true);
            for (channel, weight) in channels {
                let without = model.probability(touches, |other| other != *channel);
                *weight = (whole - without).max(0.0);
            }
        });
        share_out(shares)
    }
}

impl Credit for IncrementalShapley<'_> {
    fn credit(&self, touches: &[Touch], shares: &mut Vec<f64>) -> bool {
        spread(touches, shares, |channels| {
            if let [(_, only)] = channels {
                *only = 1.0;
                return;
            }
            let values = self.values(touches, channels);
            for ((_, weight), value) in channels.iter_mut().zip(values) {
                *weight = value.max(0.0);
            }
        });
        share_out(shares)
    }
}

impl IncrementalShapley<'_> {
    fn values(&self, touches: &[Touch], channels: &[(ChannelId, f64)]) -> Vec<f64> {
        let player = |channel: ChannelId| channels.iter().position(|(one, _)| *one == channel);
        let of_bits = |coalition: u32| {
            let inside = |channel| player(channel).is_some_and(|at| coalition >> at & 1 == 1);
            self.model.probability(touches, inside)
        };
        if channels.len() <= EXACT_PLAYERS {
            return exact(channels.len(), of_bits).unwrap_or_default();
        }
        let of_flags = |inside: &[bool]| {
            let kept = |channel| player(channel).is_some_and(|at| inside[at]);
            self.model.probability(touches, kept)
        };
        sampled(channels.len(), of_flags, self.orders, self.seed).values
    }
}
