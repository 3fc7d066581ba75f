//! The rules that were checked on each table, and whether they held: told to lineage servers.
//!
//! A rule that found something is told wherever it did. A rule is said to have held only where it
//! always looks; of rules that need enough data, a window or a second table, silence means nothing.

use std::collections::BTreeMap;

use mixline_schema::Assertion;

use crate::checks::Data;
use crate::config::{Config, Level};
use crate::finding::{Finding, Severity};

const SERIES: &[&str] = &[
    "date.duplicate",
    "date.gap",
    "date.mixed_frequency",
    "date.null",
];
const MEDIA: &[&str] = &[
    "date.duplicate",
    "date.gap",
    "date.mixed_frequency",
    "date.null",
    "media.null",
    "spend.negative",
    "text.formula",
    "units.zero_spend",
];
const ORDERS: &[&str] = &["date.gap", "date.null", "target.negative"];
const TOUCHPOINTS: &[&str] = &["text.formula"];

/// One assertion per rule and table.
pub(crate) fn of(data: &Data, config: &Config, findings: &[Finding]) -> Vec<Assertion> {
    let mut worst = BTreeMap::<(&str, &str), (Severity, usize)>::new();
    for finding in findings {
        let seen = worst
            .entry((finding.artifact, finding.code))
            .or_insert((finding.severity, 0));
        *seen = (seen.0.min(finding.severity), seen.1 + 1);
    }
    let broken = worst
        .iter()
        .map(|((artifact, code), (severity, count))| Assertion {
            severity: Some(word(*severity).to_owned()),
            actual: Some(format!("{count} findings")),
            ..assertion(artifact, code, false)
        });
    let checked = tables(data).into_iter();
    let rules = checked.flat_map(|(table, codes)| codes.iter().map(move |code| (table, *code)));
    let held = rules.filter(|rule| !worst.contains_key(rule) && !is_off(config, rule.1));
    let held = held.map(|(artifact, code)| assertion(artifact, code, true));
    broken.chain(held).collect()
}

/// The tables that hold rows, with the rules that always look at them.
fn tables(data: &Data) -> Vec<(&'static str, &'static [&'static str])> {
    let all = [
        ("media_daily", data.media.is_empty(), MEDIA),
        ("orders", data.orders.is_empty(), ORDERS),
        ("outcome", data.outcome.is_empty(), SERIES),
        ("controls", data.controls.is_empty(), SERIES),
        ("touchpoints", data.touchpoints.is_empty(), TOUCHPOINTS),
    ];
    let present = all.into_iter().filter(|(_, empty, _)| !empty);
    present.map(|(name, _, rules)| (name, rules)).collect()
}

fn assertion(artifact: &str, code: &str, success: bool) -> Assertion {
    Assertion {
        artifact: Some(artifact.to_owned()),
        assertion: code.to_owned(),
        success,
        severity: None,
        actual: None,
    }
}

fn is_off(config: &Config, code: &str) -> bool {
    config.severity.get(code) == Some(&Level::Off)
}

/// OpenLineage's words.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warn",
        Severity::Suggestion => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::CODES;

    #[test]
    fn a_rule_held_only_where_rows_were_and_nothing_was_found() {
        let mut config = Config::default();
        let orders = |status: &str| mixline_schema::catalog::Orders {
            order_id: "1".into(),
            ordered_at: chrono::DateTime::UNIX_EPOCH,
            date: chrono::NaiveDate::default(),
            customer_key: None,
            new_customer: None,
            geo: "all".into(),
            currency: "EUR".into(),
            gross_revenue: 1.0,
            refunded: 0.0,
            revenue: 1.0,
            status: status.into(),
        };
        let data = Data {
            orders: vec![orders("paid")],
            ..Data::default()
        };
        let gap = Finding::new(Severity::Warning, "date.gap", "orders", "date");
        let said = of(&data, &config, &[gap.clone(), gap]);
        assert!(said.iter().all(|a| a.artifact.as_deref() == Some("orders")));
        let of_code = |code: &str| said.iter().find(|a| a.assertion == code).unwrap();
        assert!(!of_code("date.gap").success && of_code("date.null").success);
        assert_eq!(of_code("date.gap").actual.as_deref(), Some("2 findings"));
        config.severity.insert("date.null".into(), Level::Off);
        assert!(
            of(&data, &config, &[])
                .iter()
                .all(|a| a.assertion != "date.null")
        );
    }

    #[test]
    fn every_rule_named_here_exists() {
        for code in [SERIES, MEDIA, ORDERS, TOUCHPOINTS].concat() {
            assert!(CODES.contains(&code), "{code}");
        }
    }
}
