//! Doing nothing, on purpose.

use mixline_chart::number::compact;
use serde_json::json;

use crate::confidence;
use crate::config::Rules;
use crate::facts::{Channel, Facts};
use crate::proposal::{Action, Proposal};

/// The action, or a hold that says what it would have been when confidence is too low.
pub(super) fn unless_sure(rules: &Rules, action: Proposal) -> Proposal {
    if action.confidence.value >= rules.min_confidence {
        return action;
    }
    let message = format!(
        "Hold {}: the numbers ask to {}, but confidence is {:.2}, below {:.2}.",
        action.channel,
        action.action.name().replace('_', " "),
        action.confidence.value,
        rules.min_confidence,
    );
    Proposal {
        action: Action::Hold,
        rule: "min_confidence",
        spend: None,
        gain: None,
        probability: None,
        message,
        ..action
    }
}

/// A channel whose next unit of money brings about what it costs.
pub(super) fn rule(facts: &Facts, channel: &Channel) -> Option<Proposal> {
    let known = channel.modelled.as_ref()?;
    let m = known.marginal;
    Some(Proposal {
        action: Action::Hold,
        rule: "hold",
        channel: channel.name.clone(),
        to_channel: String::new(),
        spend: Some((known.spend, known.spend)),
        gain: None,
        probability: None,
        confidence: confidence::of(facts, &m),
        message: format!(
            "Hold {}: the next {} brings {} ({} to {}), no clear case for more or less.",
            channel.name,
            facts.unit,
            compact(m.mean),
            compact(m.q05),
            compact(m.q95)
        ),
        evidence: json!({
            "marginal_roas": { "mean": m.mean, "q05": m.q05, "q95": m.q95 },
            "probability_above_break_even": known.above_break_even,
        }),
    })
}
