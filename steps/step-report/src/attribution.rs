//! What attribution says of channels, read once: rows in the order of the page, and what
//! sentences and figures both need of them.

use std::collections::BTreeMap;

use mixline_chart::Measure;
use mixline_chart::charts::methods::{Method, MethodShare, Methods};
use mixline_chart::{ChannelColors, text};
use mixline_schema::catalog::{
    AttributionChannels, AttributionLags, AttributionMethods, AttributionPaths,
    AttributionPositions, AttributionReconciliation, JourneyQuarantine,
};

/// Methods in the order of the page: rules, chains, games, models. Others follow by name.
const ORDER: [&str; 15] = [
    "last_touch",
    "last_non_direct",
    "first_touch",
    "linear",
    "time_decay",
    "position_based",
    "markov_1",
    "markov_2",
    "markov_3",
    "markov_1_converting",
    "shapley",
    "shapley_incremental",
    "data_driven",
    "mmm_informed",
    "spend_share",
];

/// The rows of all tables about attribution.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attribution {
    pub(crate) channels: Vec<AttributionChannels>,
    pub(crate) methods: Vec<AttributionMethods>,
    pub(crate) paths: Vec<AttributionPaths>,
    pub(crate) lags: Vec<AttributionLags>,
    pub(crate) positions: Vec<AttributionPositions>,
    pub(crate) reconciliation: Vec<AttributionReconciliation>,
    pub(crate) quarantine: Vec<Quarantined>,
}

/// Touches or orders that are in no journey for one reason.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quarantined {
    /// `touch` or `order`.
    pub(crate) record: String,
    /// As in `journey_quarantine`.
    pub(crate) reason: String,
    /// How many.
    pub(crate) count: usize,
    /// Revenue of orders among them.
    pub(crate) revenue: f64,
}

impl Attribution {
    /// Rows in the order of the page; `None` where nothing was attributed.
    pub(crate) fn sorted(mut self) -> Option<Self> {
        self.channels.sort_by_key(|row| rank(&row.method));
        self.methods.sort_by_key(|row| rank(&row.method));
        self.paths.sort_by_key(|row| row.rank);
        (!self.channels.is_empty()).then_some(self)
    }

    /// What is shared over channels.
    pub(crate) fn outcome(&self) -> Measure {
        let currency = self.channels.first().map_or("", |row| &row.currency);
        Measure::new("revenue", currency)
    }

    /// Shares by method and channel, with their intervals.
    pub(crate) fn shares(&self, colors: &ChannelColors) -> Methods {
        let mut methods: Vec<Method> = Vec::new();
        for row in &self.channels {
            let name = method_name(&row.method);
            let share = MethodShare {
                channel: row.channel.clone(),
                share: row.share,
                interval: self.interval(row),
            };
            match methods.last_mut().filter(|own| own.name == name) {
                Some(own) => own.shares.push(share),
                None => methods.push(Method {
                    name,
                    // Spend looks at no journey: it says what was paid, not what it brought.
                    compared: row.method != "spend_share",
                    shares: vec![share],
                }),
            }
        }
        Methods {
            key: "c26".to_owned(),
            outcome: self.outcome(),
            methods,
            colors: colors.clone(),
        }
    }

    /// The 90 % interval of a share: that of the revenue, over all revenue of the method.
    fn interval(&self, row: &AttributionChannels) -> (f64, f64) {
        let own = self.channels.iter().filter(|r| r.method == row.method);
        let revenue: f64 = own.map(|r| r.revenue).sum();
        (row.revenue_q05 / revenue, row.revenue_q95 / revenue)
    }

    /// Channels by falling mean share, as in the columns of the page.
    pub(crate) fn names(&self) -> Vec<String> {
        let spreads = self.shares(&ChannelColors::default()).spreads();
        spreads.into_iter().map(|spread| spread.channel).collect()
    }

    /// Orders in all, of a method that looks at every journey.
    pub(crate) fn conversions(&self) -> f64 {
        self.whole().map_or(f64::NAN, |row| row.conversions as f64)
    }

    /// Revenue that touches led to, and all revenue.
    pub(crate) fn coverage(&self) -> Option<(f64, f64)> {
        let row = self.whole()?;
        (row.revenue > 0.0).then_some((row.revenue_credited, row.revenue))
    }

    /// A method that looks at every converting journey and gives credit to touches alone.
    fn whole(&self) -> Option<&AttributionMethods> {
        let named = |name: &str| self.methods.iter().find(|row| row.method == name);
        named("linear").or_else(|| self.methods.iter().find(|row| row.method != "spend_share"))
    }
}

/// Counts by record and reason, the most common first.
pub(crate) fn quarantined(rows: &[JourneyQuarantine]) -> Vec<Quarantined> {
    let mut counts: BTreeMap<(&str, &str), (usize, f64)> = BTreeMap::new();
    for row in rows {
        let own = counts.entry((&row.record, &row.reason)).or_default();
        *own = (own.0 + 1, own.1 + row.revenue.unwrap_or(0.0));
    }
    let mut found: Vec<Quarantined> = counts
        .into_iter()
        .map(|((record, reason), (count, revenue))| Quarantined {
            record: record.to_owned(),
            reason: reason.to_owned(),
            count,
            revenue,
        })
        .collect();
    found.sort_by_key(|own| std::cmp::Reverse(own.count));
    found
}

fn rank(method: &str) -> (usize, String) {
    let at = ORDER.iter().position(|known| *known == method);
    (at.unwrap_or(ORDER.len()), method.to_owned())
}

/// A method as people write it: `last touch`, `Markov 2`.
pub(crate) fn method_name(method: &str) -> String {
    if let Some(order) = method.strip_prefix("markov_") {
        return match order.split_once('_') {
            Some((order, rest)) => format!("Markov {order}, {} only", rest.replace('_', " ")),
            None => format!("Markov {order}"),
        };
    }
    match method {
        "mmm_informed" => "MMM-informed".to_owned(),
        "shapley_incremental" => "Shapley, incremental".to_owned(),
        "shapley" => text::capital(method),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two channels and `direct`, by as many methods as named, each with its shares.
    pub(crate) fn sample(methods: &[(&str, [f64; 3])]) -> Attribution {
        let day = |d| chrono::NaiveDate::from_ymd_opt(2026, 10, d).unwrap();
        let mut all = Attribution::default();
        for (method, shares) in methods {
            for (channel, share) in ["google", "meta", "direct"].iter().zip(shares) {
                all.channels.push(AttributionChannels {
                    method: (*method).to_owned(),
                    channel: (*channel).to_owned(),
                    first: day(1),
                    last: day(31),
                    currency: "EUR".to_owned(),
                    conversions: 100.0 * share,
                    revenue: 1000.0 * share,
                    share: *share,
                    revenue_mean: 1000.0 * share,
                    revenue_q05: 1000.0 * share - 40.0,
                    revenue_q25: 1000.0 * share - 20.0,
                    revenue_q50: 1000.0 * share,
                    revenue_q75: 1000.0 * share + 20.0,
                    revenue_q95: 1000.0 * share + 40.0,
                    rank: 1,
                    keeps_rank: 0.9,
                    removal_effect: method.starts_with("markov").then_some(share / 2.0),
                });
            }
            all.methods.push(AttributionMethods {
                method: (*method).to_owned(),
                journeys: 1000,
                conversions: 100,
                revenue: 1000.0,
                revenue_credited: 800.0,
                stability: 0.9,
                resamples: 200,
                conversion_rate: None,
                note: String::new(),
            });
        }
        all.sorted().unwrap_or_default()
    }

    #[test]
    fn methods_stand_in_the_order_of_the_page_and_unknown_ones_last() {
        let shares = [0.5, 0.3, 0.2];
        let own = sample(&[
            ("spend_share", shares),
            ("own_method", shares),
            ("markov_1_converting", shares),
            ("last_touch", shares),
        ]);
        let methods = own.shares(&ChannelColors::default()).methods;
        let names: Vec<_> = methods.iter().map(|m| m.name.as_str()).collect();
        let wanted = [
            "last touch",
            "Markov 1, converting only",
            "spend share",
            "own method",
        ];
        assert_eq!(names, wanted);
        let compared: Vec<bool> = methods.iter().map(|m| m.compared).collect();
        assert_eq!(compared, [true, true, false, true]);
        assert_eq!(own.names(), ["google", "meta", "direct"]);
    }

    #[test]
    fn intervals_are_those_of_the_revenue_over_all_of_it() {
        let own = sample(&[("linear", [0.5, 0.3, 0.2])]);
        let (low, high) = own.interval(&own.channels[0]);
        assert!((low - 0.46).abs() < 1e-12 && (high - 0.54).abs() < 1e-12);
        assert_eq!(own.coverage(), Some((800.0, 1000.0)));
    }

    #[test]
    fn nothing_attributed_is_no_attribution() {
        assert!(Attribution::default().sorted().is_none());
    }

    #[test]
    fn what_is_in_no_journey_is_counted_by_reason() {
        let row = |record: &str, reason: &str, revenue| JourneyQuarantine {
            record: record.to_owned(),
            id: "x".to_owned(),
            at: chrono::DateTime::default(),
            channel: String::new(),
            campaign: String::new(),
            reason: reason.to_owned(),
            revenue,
        };
        let found = quarantined(&[
            row("order", "no_value", Some(5.0)),
            row("touch", "bot", None),
            row("touch", "bot", None),
        ]);
        let counts: Vec<_> = found.iter().map(|f| (f.reason.as_str(), f.count)).collect();
        assert_eq!(counts, [("bot", 2), ("no_value", 1)]);
        assert_eq!((found[0].revenue, found[1].revenue), (0.0, 5.0));
    }
}
