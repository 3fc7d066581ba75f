//! `target.negative`: revenue and orders below 0.

use crate::finding::Finding;
use crate::series::Points;

/// `target.negative`: any period below 0.
pub(crate) fn negative(artifact: &'static str, subject: &str, target: &Points) -> Vec<Finding> {
    let below = target.iter().filter(|(_, value)| **value < 0.0);
    below
        .map(|(day, value)| {
            Finding::warning("target.negative", artifact, subject)
                .at(day)
                .says(format!("the value is {value:.2}"))
                .advises("book refunds on the day of their order, or use revenue before refunds")
                .measured(*value, 0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{day, points};

    #[test]
    fn below_zero_is_negative_and_zero_is_not() {
        let found = negative("outcome", "revenue", &points([0.0, -0.01, 5.0]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at, day(1).to_string());
    }
}
