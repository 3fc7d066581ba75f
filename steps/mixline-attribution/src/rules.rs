//! The rules: how much of a conversion each touch of its journey earned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::ChannelId;
use crate::credit::Credit;
use crate::journey::Touch;
use crate::shares::share_out;

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
///
/// `n` counts the touches whose own weight `u` is above 0; where a rule gives weight to several,
/// theirs are multiplied by `u`, so that views can count less than clicks.
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
    /// All credit to the last touch that is not a direct visit; when all are, to the last.
    ///
    /// ```text
    /// w[max i: channel[i] ≠ direct] = 1, all others 0
    /// ```
    ///
    /// Reference: the default of web analytics since Google Analytics.
    LastNonDirect {
        /// The channel of direct visits; `None` when there is no such channel.
        direct: Option<ChannelId>,
    },
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
    /// w[i] = u[i] / Σ u
    /// ```
    ///
    /// Favors channels that touch often.
    Linear,
    /// Credit halves with every half-life between touch and conversion.
    ///
    /// ```text
    /// w[i] = u[i] · 2^(−age[i] / half_life)
    /// ```
    ///
    /// - Domain: ages in days, 0 or more; `half_life_days` above 0. As it grows the rule becomes
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
    /// n ≥ 3:  w[1] = first, w[i] = middle · u[i] / Σ u (2 … n−1), w[n] = last
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
                legal
                    .then_some(())
                    .ok_or(RuleError::HalfLife(half_life_days))
            }
            Self::PositionBased(weights) => weights.validate(),
            Self::LastTouch | Self::LastNonDirect { .. } | Self::FirstTouch | Self::Linear => {
                Ok(())
            }
        }
    }
}

impl PositionWeights {
    fn validate(self) -> Result<(), RuleError> {
        let Self {
            first,
            middle,
            last,
        } = self;
        let weights = [first, middle, last];
        let legal =
            weights.iter().all(|w| w.is_finite() && *w >= 0.0) && weights.iter().any(|w| *w > 0.0);
        legal.then_some(()).ok_or(RuleError::Position {
            first,
            middle,
            last,
        })
    }

    /// Turns the own weights `u` of touches into position weights.
    fn apply(self, own: &mut [f64]) {
        let counted = |u: &f64| *u > 0.0;
        let Some(first) = own.iter().position(counted) else {
            return;
        };
        let last = own.iter().rposition(counted).unwrap_or(first);
        if first == last {
            return;
        }
        let inner: f64 = own[first + 1..last].iter().sum();
        if inner > 0.0 {
            for u in &mut own[first + 1..last] {
                *u *= self.middle / inner;
            }
        }
        let nothing_else = self.first + self.last <= 0.0 && inner <= 0.0;
        (own[first], own[last]) = if nothing_else {
            (1.0, 1.0)
        } else {
            (self.first, self.last)
        };
    }
}

/// Only one touch keeps its weight: the one at `at`.
fn only(own: &mut [f64], at: Option<usize>) {
    own.fill(0.0);
    if let Some(at) = at {
        own[at] = 1.0;
    }
}

impl Credit for TouchRule {
    fn credit(&self, touches: &[Touch], shares: &mut Vec<f64>) -> bool {
        shares.clear();
        shares.extend(touches.iter().map(|touch| touch.weight.max(0.0)));
        let counted = |u: &f64| *u > 0.0;
        match *self {
            Self::LastTouch => {
                let last = shares.iter().rposition(counted);
                only(shares, last);
            }
            Self::LastNonDirect { direct } => {
                let not_direct = (0..touches.len())
                    .rev()
                    .find(|&at| shares[at] > 0.0 && Some(touches[at].channel) != direct);
                let last = not_direct.or_else(|| shares.iter().rposition(counted));
                only(shares, last);
            }
            Self::FirstTouch => {
                let first = shares.iter().position(counted);
                only(shares, first);
            }
            Self::Linear => {}
            Self::TimeDecay { half_life_days } => {
                let newest = newest_age(touches);
                for (share, touch) in shares.iter_mut().zip(touches) {
                    *share *= ((newest - touch.age_days) / half_life_days).exp2();
                }
            }
            Self::PositionBased(weights) => weights.apply(shares),
        }
        share_out(shares)
    }
}

/// The age of the newest touch that counts.
fn newest_age(touches: &[Touch]) -> f64 {
    let counted = touches.iter().rev().find(|touch| touch.weight > 0.0);
    counted.map_or(0.0, |touch| touch.age_days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POSITION: TouchRule = TouchRule::PositionBased(PositionWeights {
        first: 0.4,
        middle: 0.2,
        last: 0.4,
    });
    const DECAY: TouchRule = TouchRule::TimeDecay {
        half_life_days: 7.0,
    };
    const RULES: [TouchRule; 6] = [
        TouchRule::LastTouch,
        TouchRule::LastNonDirect {
            direct: Some(ChannelId(0)),
        },
        TouchRule::FirstTouch,
        TouchRule::Linear,
        DECAY,
        POSITION,
    ];

    /// Touches of channels 0, 1, 2, … with these ages.
    fn aged(ages: &[f64]) -> Vec<Touch> {
        let touch = |(at, &age): (usize, &f64)| Touch::new(ChannelId(at as u32), age);
        ages.iter().enumerate().map(touch).collect()
    }

    fn credit(rule: TouchRule, touches: &[Touch]) -> Vec<f64> {
        let mut shares = Vec::new();
        rule.credit(touches, &mut shares);
        shares
    }

    #[test]
    fn first_and_last_touch_take_all() {
        let path = aged(&[9.0, 5.0, 1.0]);
        assert_eq!(credit(TouchRule::FirstTouch, &path), [1.0, 0.0, 0.0]);
        assert_eq!(credit(TouchRule::LastTouch, &path), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_direct_visit_takes_no_credit_from_what_brought_the_visitor() {
        let rule = |direct| TouchRule::LastNonDirect {
            direct: Some(ChannelId(direct)),
        };
        let path = aged(&[9.0, 5.0, 1.0]);
        assert_eq!(credit(rule(2), &path), [0.0, 1.0, 0.0]);
        assert_eq!(credit(rule(0), &path), [0.0, 0.0, 1.0]);
        let visits = [Touch::new(ChannelId(2), 3.0), Touch::new(ChannelId(2), 1.0)];
        assert_eq!(credit(rule(2), &visits), [0.0, 1.0]);
    }

    #[test]
    fn a_touch_one_half_life_earlier_earns_half() {
        let credits = credit(DECAY, &aged(&[8.0, 1.0]));
        assert!((credits[0] - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn time_decay_tends_to_linear_and_to_last_touch() {
        let path = aged(&[300.0, 200.0, 100.0]);
        let decay = |half_life_days| credit(TouchRule::TimeDecay { half_life_days }, &path);
        assert!((decay(1e9)[0] - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(decay(1e-3), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn position_based_is_forty_twenty_forty() {
        let credits = credit(POSITION, &aged(&[4.0, 3.0, 2.0, 1.0]));
        for (credit, expected) in credits.iter().zip([0.4, 0.1, 0.1, 0.4]) {
            assert!((credit - expected).abs() < 1e-12);
        }
        assert_eq!(credit(POSITION, &aged(&[4.0, 3.0])), [0.5, 0.5]);
        assert_eq!(credit(POSITION, &aged(&[4.0])), [1.0]);
    }

    #[test]
    fn two_touches_share_equally_when_only_the_middle_has_weight() {
        let rule = TouchRule::PositionBased(PositionWeights {
            first: 0.0,
            middle: 1.0,
            last: 0.0,
        });
        assert_eq!(credit(rule, &aged(&[2.0, 1.0])), [0.5, 0.5]);
        assert_eq!(credit(rule, &aged(&[3.0, 2.0, 1.0])), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn a_view_counts_as_much_as_its_weight_and_one_of_weight_zero_is_not_there() {
        let mut path = aged(&[3.0, 2.0, 1.0]);
        path[1].weight = 0.5;
        let linear = credit(TouchRule::Linear, &path);
        assert_eq!(linear[..2], [0.4, 0.2]);
        path[2].weight = 0.0;
        assert_eq!(credit(TouchRule::LastTouch, &path), [0.0, 1.0, 0.0]);
        assert_eq!(credit(POSITION, &path), [0.5, 0.5, 0.0]);
        path.iter_mut().for_each(|touch| touch.weight = 0.0);
        let mut shares = Vec::new();
        for rule in RULES {
            assert!(!rule.credit(&path, &mut shares) && shares == [0.0; 3]);
        }
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

    fn touches() -> impl Strategy<Value = Vec<Touch>> {
        let touch = (
            0u32..5,
            0.0f64..60.0,
            prop::sample::select(vec![1.0, 0.5, 0.1]),
        );
        prop::collection::vec(touch, 1..40).prop_map(|touches| {
            let mut touches: Vec<Touch> = touches
                .into_iter()
                .map(|(channel, age_days, weight)| Touch {
                    channel: ChannelId(channel),
                    age_days,
                    weight,
                })
                .collect();
            touches.sort_by(|a, b| b.age_days.total_cmp(&a.age_days));
            touches
        })
    }

    proptest! {
        #[test]
        fn credits_sum_to_exactly_one(touches in touches()) {
            for rule in RULES {
                let credits = credit(rule, &touches);
                prop_assert_eq!(credits.iter().sum::<f64>(), 1.0);
                prop_assert!(credits.iter().all(|c| (0.0..=1.0).contains(c)));
            }
        }

        #[test]
        fn time_decay_favors_the_newer_and_linear_does_not_look(
            old in 2.0f64..300.0, gap in 0.5f64..1.5,
        ) {
            let path = aged(&[old, old - gap]);
            let linear = credit(TouchRule::Linear, &path);
            prop_assert_eq!(linear[0], linear[1]);
            let decay = credit(DECAY, &path);
            prop_assert!(decay[1] > decay[0]);
        }

        #[test]
        fn moving_the_conversion_changes_no_time_decay_share(
            touches in touches(), delay in 0.0f64..100.0,
        ) {
            let later: Vec<Touch> = touches
                .iter()
                .map(|touch| Touch { age_days: touch.age_days + delay, ..*touch })
                .collect();
            for (a, b) in credit(DECAY, &touches).iter().zip(credit(DECAY, &later)) {
                prop_assert!((a - b).abs() < 1e-9);
            }
        }
    }
}
