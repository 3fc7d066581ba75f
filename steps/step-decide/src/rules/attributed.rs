//! Channels the model does not know: attributed ROAS against its target, with little confidence.

use mixline_chart::number::compact;
use serde_json::json;

use crate::confidence::Confidence;
use crate::config::Rules;
use crate::facts::{Channel, Facts};
use crate::proposal::{Action, Proposal};

/// More above the target, less below it, beyond the tolerance.
pub(super) fn rule(rules: &Rules, facts: &Facts, channel: &Channel) -> Option<Proposal> {
    let target = rules.attributed.target_roas?;
    let roas = channel
        .attributed_roas
        .filter(|_| channel.modelled.is_none())?;
    let (action, verb) = if roas >= target * (1.0 + rules.attributed.tolerance) {
        (Action::ScaleUp, "Raise")
    } else if roas <= target * (1.0 - rules.attributed.tolerance) {
        (Action::ScaleDown, "Lower")
    } else {
        return None;
    };
    let days = rules.attributed.days;
    Some(Proposal {
        action,
        rule: "attributed.target_roas",
        channel: channel.name.clone(),
        to_channel: String::new(),
        spend: None,
        gain: None,
        probability: None,
        confidence: Confidence {
            value: rules.attributed.most_confidence,
            reason: "attribution alone; no model knows the channel".to_owned(),
        },
        message: format!(
            "{verb} {}: its attributed ROAS of the last {days} days is {}, the target {}.",
            channel.name,
            compact(roas),
            compact(target)
        ),
        evidence: json!({
            "attributed_roas": roas, "target": target, "days": days, "as_of": facts.as_of,
        }),
    })
}
