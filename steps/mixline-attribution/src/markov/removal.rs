//! Removal effects, and the credit that follows from them.

use super::chain::{Absorption, Chain, ChainError};
use super::transitions::Transitions;
use crate::channel::ChannelId;
use crate::credit::{Credit, Totals};
use crate::journey::Touch;
use crate::shares::share_out;

/// What a chain loses without one channel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Removal {
    /// Share of conversions lost, 0 to 1.
    pub conversion: f64,
    /// Share of value lost, 0 to 1.
    pub value: f64,
}

/// Removal effects of every channel.
///
/// ```text
/// RE[c]     = 1 − P(conversion without c) / P(conversion)
/// credit[c] = conversions · RE[c] / Σ RE
/// ```
///
/// - Unit: shares. Effects of value weigh each conversion with the mean value of conversions from
///   its state.
/// - Invariant: `P(conversion)` is conversions / journeys at every order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RemovalEffects {
    /// With every channel there.
    pub whole: Absorption,
    /// By channel id.
    pub removals: Vec<Removal>,
}

/// Change of a probability at which a resample counts as solved.
const SETTLED: f64 = 1e-10;

impl RemovalEffects {
    /// Effects for `channels` channels, exactly.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn exact(chain: &Chain, channels: usize) -> Result<Self, ChainError> {
        let whole = chain.absorption(None)?;
        let removals = (0..channels)
            .map(|channel| {
                let without = chain.absorption(Some(ChannelId(channel as u32)))?;
                Ok(Removal::of(whole, without))
            })
            .collect::<Result<_, ChainError>>()?;
        Ok(Self { whole, removals })
    }

    /// Effects of resamples: `weights` say how often each group of customers was drawn. Solved to
    /// ten digits from where the resample before ended.
    ///
    /// # Errors
    /// [`ChainError::Empty`].
    pub fn resampled(
        transitions: &Transitions,
        channels: usize,
        resamples: &[Vec<f64>],
    ) -> Result<Vec<Self>, ChainError> {
        let mut starts = vec![Vec::new(); channels + 1];
        resamples
            .iter()
            .map(|weights| {
                let chain = Chain::weighted(transitions, weights)?;
                let mut solve =
                    |at: usize, without| chain.settle(&mut starts[at], without, SETTLED);
                let whole = solve(channels, None);
                let removals = (0..channels)
                    .map(|at| Removal::of(whole, solve(at, Some(ChannelId(at as u32)))))
                    .collect();
                Ok(Self { whole, removals })
            })
            .collect()
    }

    /// Conversions and value of the journeys, shared in proportion to the effects. When no channel
    /// has an effect, all of it stays uncredited.
    #[must_use]
    pub fn totals(&self, conversions: f64, value: f64) -> Totals {
        let mut totals = Totals::default();
        let shared = |effect: fn(&Removal) -> f64| {
            let mut shares: Vec<f64> = self.removals.iter().map(effect).collect();
            share_out(&mut shares).then_some(shares)
        };
        let of_conversions = shared(|removal| removal.conversion);
        let of_value = shared(|removal| removal.value).or_else(|| of_conversions.clone());
        let (Some(of_conversions), Some(of_value)) = (of_conversions, of_value) else {
            totals.uncredited_conversions = conversions;
            totals.uncredited_value = value;
            return totals;
        };
        for (at, (one, other)) in of_conversions.iter().zip(&of_value).enumerate() {
            totals.give(ChannelId(at as u32), one * conversions, other * value);
        }
        totals
    }
}

impl Removal {
    fn of(whole: Absorption, without: Absorption) -> Self {
        let lost = |whole: f64, without: f64| {
            if whole > 0.0 {
                (1.0 - without / whole).max(0.0)
            } else {
                0.0
            }
        };
        Self {
            conversion: lost(whole.conversion, without.conversion),
            value: lost(whole.value, without.value),
        }
    }
}

/// One journey is shared over its channels in proportion to their removal effects; a channel's
/// touches share equally, by their weights.
impl Credit for RemovalEffects {
    fn credit(&self, touches: &[Touch], shares: &mut Vec<f64>) -> bool {
        let effect = |channel: ChannelId| {
            let removal = self.removals.get(channel.index());
            removal.map_or(0.0, |removal| removal.conversion)
        };
        crate::by_channel::spread(touches, shares, |channels| {
            for (channel, share) in channels {
                *share = effect(*channel);
            }
        });
        share_out(shares)
    }
}
