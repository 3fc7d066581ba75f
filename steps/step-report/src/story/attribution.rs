//! What attribution says, sentence by sentence, and how far it may be believed.

use mixline_chart::ChannelColors;
use mixline_chart::number::{compact, count};

use super::{Level, Sentence};
use crate::attribution::{Attribution, method_name};
use crate::format::{list, money, percent};

/// Every sentence there are rows for.
pub(crate) fn all(own: &Attribution) -> Vec<Sentence> {
    let found = [
        coverage(own),
        disputes(own),
        stability(own),
        quarantine(own),
        reconciliation(own),
    ];
    found.into_iter().flatten().collect()
}

/// Coverage below which attribution speaks of a minority.
const FEW: f64 = 0.5;

/// How much of the revenue touches are known for.
fn coverage(own: &Attribution) -> Option<Sentence> {
    let (credited, all) = own.coverage()?;
    let row = own.channels.first()?;
    let level = if credited < FEW * all {
        Level::Warning
    } else {
        Level::Info
    };
    Some((
        level,
        format!(
            "From {} to {}, touches are known for {} of {} revenue ({}); the rest counts as direct.",
            row.first,
            row.last,
            percent(credited / all),
            money(all, &row.currency),
            money(credited, &row.currency),
        ),
    ))
}

/// Channels named at most.
const NAMED: usize = 4;

/// Channels about which methods disagree, and what that means for money.
fn disputes(own: &Attribution) -> Option<Sentence> {
    let mut disputed = own.shares(&ChannelColors::default()).spreads();
    disputed.retain(|spread| spread.compared > 1);
    let all = disputed.len();
    disputed.retain(|spread| spread.disputed);
    disputed.sort_by(|a, b| b.width().total_cmp(&a.width()));
    let Some(widest) = disputed.first() else {
        return (all > 0).then(|| {
            let text = format!(
                "Attribution methods agree on {} within their own intervals.",
                count(all, "channel", "channels")
            );
            (Level::Info, text)
        });
    };
    let names = disputed.iter().map(|spread| spread.channel.clone());
    let mut names: Vec<String> = names.take(NAMED).collect();
    if disputed.len() > NAMED {
        names.push(format!("{} more", disputed.len() - NAMED));
    }
    let text = format!(
        "Attribution methods disagree on {} by more than their own intervals ({}: {} by {}, {} by \
         {}); attribution alone is no ground for moving money there.",
        list(&names),
        widest.channel,
        percent(widest.least.1),
        widest.least.0,
        percent(widest.most.1),
        widest.most.0,
    );
    Some((Level::Warning, text))
}

/// Stability below which shares are mostly chance.
const STABLE: f64 = 0.8;

/// How much shares change with the customers that happen to be there.
fn stability(own: &Attribution) -> Option<Sentence> {
    let tried = own.methods.iter().filter(|row| row.resamples > 0);
    let least = tried.min_by(|a, b| a.stability.total_cmp(&b.stability))?;
    let (name, stability) = (method_name(&least.method), percent(least.stability));
    let (level, text) = if least.stability < STABLE {
        (
            Level::Warning,
            format!("Only {stability} of what {name} says stays when customers are drawn anew."),
        )
    } else {
        (
            Level::Info,
            format!(
                "When customers are drawn anew, at least {stability} of every method's shares stay \
                 (least for {name})."
            ),
        )
    };
    Some((level, text))
}

/// What is in no journey.
fn quarantine(own: &Attribution) -> Option<Sentence> {
    let first = own.quarantine.first()?;
    let of = |record: &str| -> usize {
        let rows = own.quarantine.iter().filter(|row| row.record == record);
        rows.map(|row| row.count).sum()
    };
    let (touches, orders) = (of("touch"), of("order"));
    let mut parts = Vec::new();
    if touches > 0 {
        parts.push(count(touches, "touch", "touches"));
    }
    if orders > 0 {
        parts.push(count(orders, "order", "orders"));
    }
    let text = format!(
        "{} in no journey, most often because of `{}` ({}).",
        match touches + orders {
            1 => format!("{} is", list(&parts)),
            _ => format!("{} are", list(&parts)),
        },
        first.reason,
        compact(first.count as f64),
    );
    (!parts.is_empty()).then_some((Level::Info, text))
}

/// Share of the revenue below which what is not reconciled is not worth a word.
const NEGLIGIBLE: f64 = 1e-3;

/// What the mix model sees and journeys cannot carry.
fn reconciliation(own: &Attribution) -> Option<Sentence> {
    let currency = &own.channels.first()?.currency;
    let paths: f64 = own.reconciliation.iter().map(|row| row.path_revenue).sum();
    let mut rows: Vec<_> = own.reconciliation.iter().collect();
    rows.retain(|row| row.unreconciled_revenue > NEGLIGIBLE * paths);
    rows.sort_by(|a, b| b.unreconciled_revenue.total_cmp(&a.unreconciled_revenue));
    if own.reconciliation.is_empty() {
        return None;
    }
    if rows.is_empty() {
        let text = "Paths could be brought in line with the mix model for every channel.";
        return Some((Level::Info, text.to_owned()));
    }
    let open: f64 = rows.iter().map(|row| row.unreconciled_revenue).sum();
    let names = rows.iter().take(NAMED).map(|row| row.channel.clone());
    let names: Vec<String> = names.collect();
    Some((
        Level::Warning,
        format!(
            "The mix model gives {} more revenue than journeys can carry: {} stay unreconciled.",
            list(&names),
            money(open, currency),
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::tests::sample;
    use mixline_schema::catalog::AttributionReconciliation;

    fn plain(sentence: Option<Sentence>) -> (Level, String) {
        let (level, text) = sentence.unwrap();
        (level, text.replace('\u{a0}', " "))
    }

    #[test]
    fn a_dispute_is_no_ground_for_moving_money() {
        let own = sample(&[
            ("last_touch", [0.6, 0.2, 0.2]),
            ("markov_1", [0.45, 0.35, 0.2]),
        ]);
        let (level, text) = plain(disputes(&own));
        assert_eq!(level, Level::Warning);
        let wanted = "Attribution methods disagree on google and meta by more than their own \
                      intervals (google: 45 % by Markov 1, 60 % by last touch); attribution alone \
                      is no ground for moving money there.";
        // Both differ by 0.15: the sums decide which comes first.
        let other = wanted
            .replace("google and meta", "meta and google")
            .replace(
                "google: 45 % by Markov 1, 60 % by last touch",
                "meta: 20 % by last touch, 35 % by Markov 1",
            );
        assert!(text == wanted || text == other, "{text}");
    }

    #[test]
    fn methods_within_their_intervals_agree() {
        let own = sample(&[
            ("last_touch", [0.5, 0.3, 0.2]),
            ("linear", [0.52, 0.28, 0.2]),
        ]);
        let wanted = "Attribution methods agree on 3 channels within their own intervals.";
        assert_eq!(plain(disputes(&own)), (Level::Info, wanted.to_owned()));
        assert!(disputes(&sample(&[("linear", [0.5, 0.3, 0.2])])).is_none());
    }

    #[test]
    fn coverage_and_stability_warn_when_they_are_low() {
        let mut own = sample(&[("linear", [0.5, 0.3, 0.2])]);
        let (level, text) = plain(coverage(&own));
        assert_eq!(level, Level::Info);
        assert_eq!(
            text,
            "From 2026-10-01 to 2026-10-31, touches are known for 80 % of 1 k EUR revenue (800 \
             EUR); the rest counts as direct."
        );
        assert_eq!(plain(stability(&own)).0, Level::Info);
        (own.methods[0].revenue_credited, own.methods[0].stability) = (400.0, 0.7);
        assert_eq!(plain(coverage(&own)).0, Level::Warning);
        let wanted = "Only 70 % of what linear says stays when customers are drawn anew.";
        assert_eq!(plain(stability(&own)), (Level::Warning, wanted.to_owned()));
    }

    #[test]
    fn what_journeys_cannot_carry_is_said() {
        let mut own = sample(&[("linear", [0.5, 0.3, 0.2])]);
        assert!(reconciliation(&own).is_none());
        let row = |channel: &str, unreconciled_revenue| AttributionReconciliation {
            channel: channel.to_owned(),
            path_revenue: 0.0,
            model_share: Some(0.2),
            target_revenue: 200.0,
            reconciled_revenue: 0.0,
            carried_by: "paths".to_owned(),
            factor: 0.0,
            unreconciled_revenue,
        };
        own.reconciliation = vec![row("google", 0.0), row("tv", 200.0)];
        let wanted = "The mix model gives tv more revenue than journeys can carry: 200 EUR stay \
                      unreconciled.";
        assert_eq!(
            plain(reconciliation(&own)),
            (Level::Warning, wanted.to_owned())
        );
        own.reconciliation.pop();
        assert_eq!(plain(reconciliation(&own)).0, Level::Info);
    }
}
