//! Money from one channel to another, as the budget plan has it.

use mixline_chart::number::compact;
use serde_json::json;

use crate::confidence;
use crate::config::Rules;
use crate::facts::{Facts, Move};
use crate::proposal::{Action, Proposal};

/// The plan's largest moves that are likely to gain.
pub(super) fn rule(rules: &Rules, facts: &Facts) -> Vec<Proposal> {
    if !rules.reallocate.enabled {
        return Vec::new();
    }
    let worth = |m: &&Move| {
        m.amount >= rules.reallocate.least_share * m.spend
            && m.probability >= rules.reallocate.probability
    };
    let moves = facts.moves.iter().filter(worth).take(rules.reallocate.most);
    moves.map(|m| proposal(facts, m)).collect()
}

fn proposal(facts: &Facts, m: &Move) -> Proposal {
    let unit = &facts.unit;
    Proposal {
        action: Action::Reallocate,
        rule: "reallocate.plan",
        channel: m.from.clone(),
        to_channel: m.to.clone(),
        spend: Some((m.spend, m.spend - m.amount)),
        gain: Some(m.gain),
        probability: Some(m.probability),
        confidence: confidence::of(facts, &m.gain),
        message: format!(
            "Move {} {unit} from {} to {}: expected gain {} {unit} ({} to {}).",
            compact(m.amount),
            m.from,
            m.to,
            compact(m.gain.mean),
            compact(m.gain.q05),
            compact(m.gain.q95),
        ),
        evidence: json!({
            "amount": m.amount,
            "gain": { "mean": m.gain.mean, "q05": m.gain.q05, "q95": m.gain.q95 },
            "probability_of_gain": m.probability,
        }),
    }
}
