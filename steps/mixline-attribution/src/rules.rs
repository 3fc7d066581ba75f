//! The rules: how much of a conversion each touch of its journey earned.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journey::Journey;
use crate::shares::shares;

/// Shares of the first touch, all middle touches together, and the last touch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PositionWeights {
    /// Weight of the first touch.
    pub first: f64,
    /// Weight of all touches between, shared equally.
    pub middle: f64,
    /// Weight of the last touch.
    pub last: f64,
}

impl Default for PositionWeights {
    /// 40 / 20 / 40, the usual U shape.
    fn default() -> Self {
        Self {
            first: 0.4,
            middle: 0.2,
            last: 0.4,
        }
    }
}

/// How credit is shared over the touches `1 … n` of a journey, oldest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TouchRule {
    /// All credit to the last touch.
    ///
    /// ```text
    /// w[n] = 1, all others 0
    /// ```
    ///
    /// Assumes that only the touch that closes counts. Favors brand search and retargeting.
    LastTouch,
    /// All credit to the first touch.
    ///
    /// ```text
    /// w[1] = 1, all others 0
    /// ```
    ///
    /// Assumes that only discovery counts. Favors reach channels.
    FirstTouch,
    /// The same credit to every touch.
    ///
    /// ```text
    /// w[i] = 1 / n
    /// ```
    ///
    /// Favors channels that touch often.
    Linear,
    /// Credit halves with every half-life between touch and conversion.
    ///
    /// ```text
    /// w[i] = 2^(−age[i] / half_life)
    /// ```
    ///
    /// - Domain: ages in days, above 0; `half_life_days` above 0. As it grows the rule becomes
    ///   linear, toward 0 it becomes last touch.
    /// - Guard: ages are taken relative to the newest touch, which changes no share and keeps
    ///   the weights from all becoming 0.
    /// - Reference: the time-decay model of Google Analytics, whose half-life was 7 days.
    TimeDecay {
        /// Days after which a touch counts half.
        half_life_days: f64,
    },
    /// Fixed weights for the first and last touch; the middle ones share the rest.
    ///
    /// ```text
    /// n = 1:  w = 1
    /// n = 2:  w = first, last        (scaled to 1; halves when both are 0)
    /// n ≥ 3:  w[1] = first, w[i] = middle / (n − 2), w[n] = last
    /// ```
    ///
    /// - Domain: weights of 0 or more, not all 0; scaled to sum to 1.
    /// - Reference: the position-based (U-shaped) model of Google Analytics, 40/20/40.
    PositionBased(PositionWeights),
}

/// A rule whose parameters make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// Half-life of zero, less, or not a number.
    #[error("the half-life is {0} days; it must be a number above 0")]
    HalfLife(f64),
    /// Negative weights, or all of them zero.
    #[error(
        "the position weights are {first}/{middle}/{last}; each must be 0 or more, and not all 0"
    )]
    Position {
        /// Weight of the first touch.
        first: f64,
        /// Weight of the middle touches.
        middle: f64,
        /// Weight of the last touch.
        last: f64,
    },
}

impl TouchRule {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`RuleError`] naming the parameter.
    pub fn validate(&self) -> Result<(), RuleError> {
        match *self {
            Self::TimeDecay { half_life_days } => {
                let legal = half_life_days.is_finite() && half_life_days > 0.0;
                if legal {
                    Ok(())
                } else {
                    Err(RuleError::HalfLife(half_life_days))
                }
            }
            Self::PositionBased(PositionWeights {
                first,
                middle,
                last,
            }) => {
                let weights = [first, middle, last];
                let legal = weights.iter().all(|w| w.is_finite() && *w >= 0.0)
                    && weights.iter().any(|w| *w > 0.0);
                if legal {
                    Ok(())
                } else {
                    Err(RuleError::Position {
                        first,
                        middle,
                        last,
                    })
                }
            }
            Self::LastTouch | Self::FirstTouch | Self::Linear => Ok(()),
        }
    }

    /// The weight of each touch, given the touches' ages, oldest first.
    fn weights(&self, ages: &[f64]) -> Vec<f64> {
        let n = ages.len();
        let only = |credited: usize| (0..n).map(|i| f64::from(u8::from(i == credited))).collect();
        match *self {
            Self::LastTouch => only(n.saturating_sub(1)),
            Self::FirstTouch => only(0),
            Self::Linear => vec![1.0; n],
            Self::TimeDecay { half_life_days } => {
                let newest = ages.last().copied().unwrap_or(0.0);
                ages.iter()
                    .map(|age| ((newest - age) / half_life_days).exp2())
                    .collect()
            }
            Self::PositionBased(weights) => position_weights(weights, n),
        }
    }
}

fn position_weights(weights: PositionWeights, n: usize) -> Vec<f64> {
    let PositionWeights {
        first,
        middle,
        last,
    } = weights;
    match n {
        0 => Vec::new(),
        1 => vec![1.0],
        2 if first + last <= 0.0 => vec![1.0, 1.0],
        2 => vec![first, last],
        _ => {
            let each = middle / (n - 2) as f64;
            let mut all = vec![each; n];
            all[0] = first;
            all[n - 1] = last;
            all
        }
    }
}

/// Credit by key: what each key's touches earned together.
///
/// Keys are in the order of their last credited touch and the credits sum to exactly 1 in that
/// order; the rounding rest goes to the key of the last credited touch. Keys without credit are
/// left out. An empty journey gives an empty list. Parameters are taken as valid; see
/// [`TouchRule::validate`].
#[must_use]
pub fn credit<K: Ord + Clone>(rule: &TouchRule, journey: &Journey<K>) -> Vec<(K, f64)> {
    let ages: Vec<f64> = journey
        .touches()
        .iter()
        .map(|touch| touch.age_days)
        .collect();
    let mut earned: BTreeMap<&K, (usize, f64)> = BTreeMap::new();
    let weights = rule.weights(&ages);
    for (at, (touch, weight)) in journey.touches().iter().zip(weights).enumerate() {
        if weight > 0.0 {
            let entry = earned.entry(&touch.key).or_insert((at, 0.0));
            *entry = (at, entry.1 + weight);
        }
    }
    let mut earned: Vec<(&K, (usize, f64))> = earned.into_iter().collect();
    earned.sort_by_key(|(_, (last_at, _))| *last_at);
    let weights: Vec<f64> = earned.iter().map(|(_, (_, weight))| *weight).collect();
    let credits = shares(&weights).unwrap_or_default();
    earned
        .into_iter()
        .zip(credits)
        .filter(|(_, credit)| *credit > 0.0)
        .map(|((key, _), credit)| (key.clone(), credit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::Touch;
    use proptest::prelude::*;

    const RULES: [TouchRule; 5] = [
        TouchRule::LastTouch,
        TouchRule::FirstTouch,
        TouchRule::Linear,
        TouchRule::TimeDecay {
            half_life_days: 7.0,
        },
        TouchRule::PositionBased(PositionWeights {
            first: 0.4,
            middle: 0.2,
            last: 0.4,
        }),
    ];

    fn journey(touches: &[(&'static str, f64)]) -> Journey<&'static str> {
        let touches = touches
            .iter()
            .map(|&(key, age_days)| Touch { key, age_days })
            .collect();
        Journey::before_conversion(touches, 365.0).0
    }

    fn of(credits: &[(&str, f64)], key: &str) -> f64 {
        credits
            .iter()
            .find(|(k, _)| *k == key)
            .map_or(0.0, |(_, credit)| *credit)
    }

    #[test]
    fn first_and_last_touch_take_all() {
        let path = journey(&[("a", 9.0), ("b", 5.0), ("c", 1.0)]);
        assert_eq!(credit(&TouchRule::FirstTouch, &path), [("a", 1.0)]);
        assert_eq!(credit(&TouchRule::LastTouch, &path), [("c", 1.0)]);
    }

    #[test]
    fn a_touch_one_half_life_earlier_earns_half() {
        let path = journey(&[("a", 8.0), ("b", 1.0)]);
        let credits = credit(
            &TouchRule::TimeDecay {
                half_life_days: 7.0,
            },
            &path,
        );
        assert!((of(&credits, "a") - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn time_decay_tends_to_linear_and_to_last_touch() {
        let path = journey(&[("a", 300.0), ("b", 200.0), ("c", 100.0)]);
        let slow = credit(
            &TouchRule::TimeDecay {
                half_life_days: 1e9,
            },
            &path,
        );
        assert!((of(&slow, "a") - 1.0 / 3.0).abs() < 1e-6);
        let quick = credit(
            &TouchRule::TimeDecay {
                half_life_days: 1e-3,
            },
            &path,
        );
        assert_eq!(quick, [("c", 1.0)]);
    }

    #[test]
    fn position_based_is_forty_twenty_forty() {
        let rule = TouchRule::PositionBased(PositionWeights::default());
        let credits = credit(
            &rule,
            &journey(&[("a", 4.0), ("b", 3.0), ("c", 2.0), ("d", 1.0)]),
        );
        for (key, expected) in [("a", 0.4), ("b", 0.1), ("c", 0.1), ("d", 0.4)] {
            assert!((of(&credits, key) - expected).abs() < 1e-12, "{key}");
        }
        assert_eq!(
            credit(&rule, &journey(&[("a", 4.0), ("b", 3.0)])),
            [("a", 0.5), ("b", 0.5)]
        );
        assert_eq!(credit(&rule, &journey(&[("a", 4.0)])), [("a", 1.0)]);
    }

    #[test]
    fn two_touches_share_equally_when_only_the_middle_has_weight() {
        let weights = PositionWeights {
            first: 0.0,
            middle: 1.0,
            last: 0.0,
        };
        let credits = credit(
            &TouchRule::PositionBased(weights),
            &journey(&[("a", 2.0), ("b", 1.0)]),
        );
        assert_eq!(credits, [("a", 0.5), ("b", 0.5)]);
    }

    #[test]
    fn parameters_outside_their_domain_are_refused() {
        for half_life_days in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(TouchRule::TimeDecay { half_life_days }.validate().is_err());
        }
        let weights = PositionWeights {
            first: 0.0,
            middle: 0.0,
            last: 0.0,
        };
        assert!(TouchRule::PositionBased(weights).validate().is_err());
        assert!(RULES.iter().all(|rule| rule.validate().is_ok()));
    }

    fn touches() -> impl Strategy<Value = Vec<Touch<u8>>> {
        prop::collection::vec((0u8..5, 1u32..2_000_000), 1..40).prop_map(|touches| {
            touches
                .into_iter()
                .map(|(key, seconds)| Touch {
                    key,
                    age_days: f64::from(seconds) / 86_400.0,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn credits_sum_to_exactly_one(touches in touches()) {
            let (journey, _) = Journey::before_conversion(touches, 365.0);
            for rule in RULES {
                let credits = credit(&rule, &journey);
                prop_assert_eq!(credits.iter().map(|(_, c)| c).sum::<f64>(), 1.0);
                prop_assert!(credits.iter().all(|(_, c)| *c > 0.0 && *c <= 1.0));
            }
        }

        #[test]
        fn a_channel_that_touched_nobody_earns_nothing(touches in touches()) {
            let seen: Vec<u8> = touches.iter().map(|t| t.key).collect();
            let (journey, _) = Journey::before_conversion(touches, 365.0);
            for rule in RULES {
                prop_assert!(credit(&rule, &journey).iter().all(|(key, _)| seen.contains(key)));
            }
        }

        #[test]
        fn the_order_in_which_touches_are_listed_does_not_matter(touches in touches()) {
            let reversed: Vec<_> = touches.iter().rev().copied().collect();
            let (a, _) = Journey::before_conversion(touches, 365.0);
            let (b, _) = Journey::before_conversion(reversed, 365.0);
            for rule in RULES {
                prop_assert_eq!(credit(&rule, &a), credit(&rule, &b));
            }
        }

        #[test]
        fn linear_does_not_look_at_time_but_time_decay_favors_the_newer(
            old in 2.0f64..300.0, gap in 0.5f64..1.5,
        ) {
            let path = journey(&[("old", old), ("new", old - gap)]);
            let linear = credit(&TouchRule::Linear, &path);
            prop_assert_eq!(of(&linear, "old"), of(&linear, "new"));
            let decay = credit(&TouchRule::TimeDecay { half_life_days: 7.0 }, &path);
            prop_assert!(of(&decay, "new") > of(&decay, "old"));
        }

        #[test]
        fn moving_the_conversion_changes_no_time_decay_share(
            ages in prop::collection::vec(1.0f64..100.0, 2..10), delay in 0.0f64..100.0,
        ) {
            let rule = TouchRule::TimeDecay { half_life_days: 7.0 };
            let weights = shares(&rule.weights(&ages)).unwrap();
            let later: Vec<f64> = ages.iter().map(|age| age + delay).collect();
            for (a, b) in weights.iter().zip(shares(&rule.weights(&later)).unwrap()) {
                prop_assert!((a - b).abs() < 1e-9);
            }
        }
    }
}
