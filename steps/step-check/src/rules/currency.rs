//! `currency.mixed`: money that cannot be added.

use std::collections::BTreeMap;

use crate::finding::Finding;

/// The code for "no currency named", which goes with any other.
const UNKNOWN: &str = "XXX";

/// `currency.mixed`: rows in another currency than most rows. `rows` are (artifact, code).
pub(crate) fn mixed<'a>(rows: impl IntoIterator<Item = (&'static str, &'a str)>) -> Vec<Finding> {
    let mut counts: BTreeMap<(&'static str, &str), usize> = BTreeMap::new();
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for (artifact, code) in rows.into_iter().filter(|(_, code)| *code != UNKNOWN) {
        *counts.entry((artifact, code)).or_default() += 1;
        *totals.entry(code).or_default() += 1;
    }
    // The first of equally common codes, so that the result does not depend on row order.
    let Some(main) = totals
        .iter()
        .rev()
        .max_by_key(|(_, count)| **count)
        .map(|(code, _)| *code)
    else {
        return Vec::new();
    };
    let others = counts.into_iter().filter(|((_, code), _)| *code != main);
    others
        .map(|((artifact, code), count)| {
            Finding::error("currency.mixed", artifact, code)
                .says(format!("{count} rows are in {code}, most others in {main}"))
                .advises("convert to one currency in the source, or split the project by currency")
                .measured(count as f64, 0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarer_currency_is_named_and_unknown_goes_with_any() {
        let rows = [
            ("orders", "EUR"),
            ("orders", "EUR"),
            ("media_daily", "XXX"),
            ("media_daily", "USD"),
        ];
        let found = mixed(rows);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].artifact, found[0].subject.as_str()),
            ("media_daily", "USD")
        );
        assert!(mixed(rows[..3].iter().copied()).is_empty());
        assert!(mixed([]).is_empty());
    }
}
