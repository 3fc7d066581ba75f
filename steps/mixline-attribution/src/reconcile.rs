//! Path shares scaled to what a mix model says of each channel.
//!
//! A mix model knows how much a channel brings in all, carry-over and television included, but not
//! on which order; paths know the orders, but count who was there instead of who helped. The two are
//! put together so that both margins hold: each order's value is shared out completely, and each
//! channel gets the share of the outcome that the model gives it.
//!
//! ```text
//! credit[j, c] = value[j] · share[j, c] · λ[c] / (λ[base] + Σ share[j, d] · λ[d])      channels met
//! credit[j, base] = value[j] · λ[base] / (…)                                           the rest
//! ```
//!
//! where `λ` solves `Σ credit[·, c] = target[c]`: iterative proportional fitting. The base takes what
//! no path can carry: the model's baseline and channels without touches.
//!
//! Reference: Deming and Stephan (1940); Rüschendorf (1995) on the convergence of the procedure.

use crate::credit::Credit;
use crate::journey::Touch;
use crate::shares::share_out;

/// Converting journeys that look alike to the reconciliation: share by channel, and their value.
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    /// Path share by channel id; those not met are left out.
    pub shares: Vec<(u32, f64)>,
    /// Value of all journeys of this composition.
    pub value: f64,
}

/// How path shares and the model's totals were brought together.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconciliation {
    /// By channel id: the factor λ, relative to a base factor of 1.
    pub factors: Vec<f64>,
    /// By channel id: value by path shares alone.
    pub by_paths: Vec<f64>,
    /// By channel id: value wanted.
    pub targets: Vec<f64>,
    /// By channel id: value reached. Below the target where the journeys that met the channel are
    /// not worth that much.
    pub reached: Vec<f64>,
    /// Value of all journeys.
    pub value: f64,
    /// Largest distance of a channel that paths meet from its target, as a share of all value.
    pub gap: f64,
    /// Rounds made.
    pub rounds: usize,
}

/// A factor beyond which a channel's journeys count as exhausted.
const EXHAUSTED: f64 = 1e12;
const ROUNDS: usize = 2_000;
const CLOSE: f64 = 1e-12;

impl Reconciliation {
    /// Brings path shares to `targets` (value by channel id; 0 and less give the channel nothing).
    #[must_use]
    pub fn new(compositions: &[Composition], targets: &[f64]) -> Self {
        let value: f64 = compositions.iter().map(|one| one.value).sum();
        let mut this = Self {
            factors: targets
                .iter()
                .map(|target| f64::from(u8::from(*target > 0.0)))
                .collect(),
            by_paths: vec![0.0; targets.len()],
            targets: targets.iter().map(|target| target.max(0.0)).collect(),
            reached: vec![0.0; targets.len()],
            value,
            gap: 0.0,
            rounds: 0,
        };
        for one in compositions {
            for &(channel, share) in &one.shares {
                this.by_paths[channel as usize] += share * one.value;
            }
        }
        while this.rounds < ROUNDS {
            this.measure(compositions);
            if this.gap <= CLOSE {
                break;
            }
            this.adjust();
            this.rounds += 1;
        }
        this.measure(compositions);
        this
    }

    fn measure(&mut self, compositions: &[Composition]) {
        self.reached.fill(0.0);
        for one in compositions {
            let weight = |(channel, share): &(u32, f64)| share * self.factors[*channel as usize];
            let all = 1.0 + one.shares.iter().map(weight).sum::<f64>();
            for entry in &one.shares {
                self.reached[entry.0 as usize] += one.value * weight(entry) / all;
            }
        }
        let off = (0..self.targets.len())
            .filter(|&channel| self.by_paths[channel] > 0.0)
            .map(|channel| (self.reached[channel] - self.targets[channel]).abs());
        let worst = off.fold(0.0, f64::max);
        self.gap = if self.value > 0.0 {
            worst / self.value
        } else {
            0.0
        };
    }

    fn adjust(&mut self) {
        let pairs = self.reached.iter().zip(&self.targets);
        for (factor, (got, want)) in self.factors.iter_mut().zip(pairs) {
            if *got > 0.0 {
                *factor = (*factor * want / got).min(EXHAUSTED);
            }
        }
    }
}

/// Path shares by a method, scaled by the factors of a reconciliation.
#[derive(Debug, Clone, Copy)]
pub struct Informed<'a, C> {
    /// Whose path shares are scaled.
    pub paths: C,
    /// Factors by channel id.
    pub factors: &'a [f64],
}

impl<C: Credit> Informed<'_, C> {
    /// Fills `shares` with each touch's share; together with the part of the base, which is given
    /// back, they sum to exactly 1.
    pub fn split(&self, touches: &[Touch], shares: &mut Vec<f64>) -> f64 {
        self.paths.credit(touches, shares);
        for (touch, share) in touches.iter().zip(shares.iter_mut()) {
            *share *= self
                .factors
                .get(touch.channel.index())
                .copied()
                .unwrap_or(0.0);
        }
        shares.push(1.0);
        share_out(shares);
        shares.pop().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelId;
    use crate::rules::TouchRule;
    use proptest::prelude::*;

    fn composition(shares: &[(u32, f64)], value: f64) -> Composition {
        Composition {
            shares: shares.to_vec(),
            value,
        }
    }

    #[test]
    fn both_margins_hold_and_the_base_takes_the_rest() {
        let compositions = [
            composition(&[(0, 1.0)], 50.0),
            composition(&[(0, 0.5), (1, 0.5)], 40.0),
            composition(&[], 10.0),
        ];
        let found = Reconciliation::new(&compositions, &[20.0, 25.0]);
        assert!(found.gap <= 1e-12, "{found:?}");
        assert!((found.by_paths[0] - 70.0).abs() < 1e-12);
        let informed = Informed {
            paths: TouchRule::Linear,
            factors: &found.factors,
        };
        let both = [Touch::new(ChannelId(0), 2.0), Touch::new(ChannelId(1), 1.0)];
        let mut shares = Vec::new();
        let of_both = informed.split(&both, &mut shares);
        assert_eq!(shares.iter().sum::<f64>() + of_both, 1.0);
        let one = shares[1] * 40.0;
        assert!((one - 25.0).abs() < 1e-9, "{one}");
    }

    #[test]
    fn a_channel_whose_journeys_are_worth_too_little_takes_all_of_them_and_says_so() {
        let compositions = [composition(&[(0, 1.0)], 10.0), composition(&[], 90.0)];
        let found = Reconciliation::new(&compositions, &[30.0]);
        assert!((found.reached[0] - 10.0).abs() < 1e-6 && found.gap > 0.19);
    }

    proptest! {
        #[test]
        fn targets_within_reach_are_reached(
            values in prop::collection::vec(1.0f64..100.0, 8),
            parts in prop::collection::vec(0.05f64..0.3, 3),
        ) {
            // Every subset of three channels occurs, so a third of all value is within reach.
            let compositions: Vec<Composition> = (0..8_u32)
                .map(|set| {
                    let inside: Vec<u32> = (0..3).filter(|c| set >> c & 1 == 1).collect();
                    let share = 1.0 / inside.len().max(1) as f64;
                    let shares: Vec<(u32, f64)> = inside.iter().map(|&c| (c, share)).collect();
                    composition(&shares, values[set as usize])
                })
                .collect();
            let reach = |c: u32| -> f64 {
                let alone = &compositions[1 << c];
                alone.value
            };
            let targets: Vec<f64> = (0..3).map(|c| parts[c as usize] * reach(c)).collect();
            let found = Reconciliation::new(&compositions, &targets);
            prop_assert!(found.gap < 1e-9, "{:?}", found);
        }
    }
}
