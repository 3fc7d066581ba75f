//! Journeys: the touches that can have led to a conversion, oldest first.

/// One touch: who gets the credit, and how long before the conversion it happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touch<K> {
    /// Who is credited: a channel, or a channel and campaign.
    pub key: K,
    /// Days before the conversion; zero or negative means at or after it.
    pub age_days: f64,
}

/// The touches that count, oldest first; touches of one instant are in key order.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey<K> {
    touches: Vec<Touch<K>>,
}

/// How many touches a journey left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// At or after the conversion: they cannot have caused it.
    pub not_before: usize,
    /// Further back than the look-back.
    pub too_old: usize,
}

impl LeftOut {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.not_before + self.too_old
    }
}

impl<K: Ord> Journey<K> {
    /// The touches strictly before the conversion and at most `look_back_days` old.
    ///
    /// The order of `touches` does not matter. An age that is not a number counts as too old.
    #[must_use]
    pub fn before_conversion(touches: Vec<Touch<K>>, look_back_days: f64) -> (Self, LeftOut) {
        let mut left_out = LeftOut::default();
        let mut kept: Vec<Touch<K>> = touches
            .into_iter()
            .filter(|touch| {
                if touch.age_days <= 0.0 {
                    left_out.not_before += 1;
                    return false;
                }
                let recent = touch.age_days <= look_back_days;
                left_out.too_old += usize::from(!recent);
                recent
            })
            .collect();
        kept.sort_by(|a, b| {
            b.age_days
                .total_cmp(&a.age_days)
                .then_with(|| a.key.cmp(&b.key))
        });
        (Self { touches: kept }, left_out)
    }
}

impl<K> Journey<K> {
    /// The touches, oldest first.
    #[must_use]
    pub fn touches(&self) -> &[Touch<K>] {
        &self.touches
    }

    /// Whether nothing came before the conversion.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.touches.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(key: &str, age_days: f64) -> Touch<&str> {
        Touch { key, age_days }
    }

    #[test]
    fn touches_at_or_after_the_conversion_and_old_ones_are_left_out_and_counted() {
        let given = vec![
            touch("at", 0.0),
            touch("after", -1.0),
            touch("edge", 30.0),
            touch("old", 30.001),
            touch("broken", f64::NAN),
            touch("recent", 0.5),
        ];
        let (journey, left_out) = Journey::before_conversion(given, 30.0);
        let keys: Vec<_> = journey.touches().iter().map(|t| t.key).collect();
        assert_eq!(keys, ["edge", "recent"]);
        assert_eq!(
            left_out,
            LeftOut {
                not_before: 2,
                too_old: 2
            }
        );
    }

    #[test]
    fn touches_of_one_instant_are_in_key_order() {
        let (a, _) = Journey::before_conversion(vec![touch("b", 1.0), touch("a", 1.0)], 30.0);
        let (b, _) = Journey::before_conversion(vec![touch("a", 1.0), touch("b", 1.0)], 30.0);
        assert_eq!(a, b);
        assert_eq!(a.touches()[0].key, "a");
    }
}
