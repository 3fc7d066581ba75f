//! More of a channel, or less of it, by what the next unit of money brings.

use mixline_chart::number::compact;
use serde_json::json;

use crate::confidence;
use crate::config::{Rules, Scale};
use crate::facts::{Change, Channel, Facts, Modelled};
use crate::proposal::{Action, Proposal};

/// More, where the mean marginal ROAS is at least the limit and surely above break-even.
pub(super) fn up(rules: &Rules, facts: &Facts, channel: &Channel) -> Option<Proposal> {
    let known = channel.modelled.as_ref()?;
    let limit = rules.scale_up.marginal_roas * rules.break_even_roas;
    let fires = rules.scale_up.enabled
        && known.marginal.mean >= limit
        && known.above_break_even >= rules.scale_up.probability;
    fires.then(|| {
        proposal(
            Action::ScaleUp,
            rules.scale_up,
            limit,
            facts,
            channel,
            known,
        )
    })
}

/// Less, where it is at most the limit and surely below break-even.
pub(super) fn down(rules: &Rules, facts: &Facts, channel: &Channel) -> Option<Proposal> {
    let known = channel.modelled.as_ref()?;
    let limit = rules.scale_down.marginal_roas * rules.break_even_roas;
    let fires = rules.scale_down.enabled
        && known.marginal.mean <= limit
        && 1.0 - known.above_break_even >= rules.scale_down.probability;
    fires.then(|| {
        proposal(
            Action::ScaleDown,
            rules.scale_down,
            limit,
            facts,
            channel,
            known,
        )
    })
}

fn proposal(
    action: Action,
    scale: Scale,
    limit: f64,
    facts: &Facts,
    channel: &Channel,
    known: &Modelled,
) -> Proposal {
    let (rule, verb, change): (_, _, &Change) = match action {
        Action::ScaleUp => ("scale_up.marginal_roas", "Raise", &known.up),
        _ => ("scale_down.marginal_roas", "Lower", &known.down),
    };
    let m = known.marginal;
    let unit = &facts.unit;
    let mut message = format!(
        "{verb} {} by {:.0} %, from {} to {} {unit}: the next {unit} brings {} ({} to {}).",
        channel.name,
        100.0 * scale.step,
        compact(known.spend),
        compact(change.spend),
        compact(m.mean),
        compact(m.q05),
        compact(m.q95),
    );
    if !change.inside_observed {
        message.push_str(" That is more than was ever spent: go in smaller steps and watch.");
    }
    Proposal {
        action,
        rule,
        channel: channel.name.clone(),
        to_channel: String::new(),
        spend: Some((known.spend, change.spend)),
        gain: Some(change.gain),
        probability: Some(change.probability),
        confidence: confidence::of(facts, &m),
        message,
        evidence: json!({
            "marginal_roas": { "mean": m.mean, "q05": m.q05, "q95": m.q95, "limit": limit },
            "probability_above_break_even": known.above_break_even,
            "inside_observed": change.inside_observed,
        }),
    }
}
