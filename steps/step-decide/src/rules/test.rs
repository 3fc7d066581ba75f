//! An experiment, where the model is unsure or contradicted and the money is worth it.

use mixline_chart::number::compact;
use serde_json::json;

use crate::confidence;
use crate::config::Rules;
use crate::facts::{Channel, Facts};
use crate::proposal::{Action, Proposal};

/// Recommends a lift test.
pub(super) fn rule(rules: &Rules, facts: &Facts, channel: &Channel) -> Option<Proposal> {
    let known = channel.modelled.as_ref()?;
    let m = known.marginal;
    let width = (m.q95 - m.q05) / m.mean.abs();
    let unsure = width.is_nan() || width >= rules.test.width;
    let worth = channel.spend_share >= rules.test.least_spend_share;
    if !(rules.test.enabled && worth && (unsure || channel.disputed)) {
        return None;
    }
    let why = if channel.disputed {
        "attribution and the model contradict each other".to_owned()
    } else {
        let range = format!("{} to {}", compact(m.q05), compact(m.q95));
        format!("its next {} may bring anything from {range}", facts.unit)
    };
    let share = 100.0 * channel.spend_share;
    Some(Proposal {
        action: Action::Test,
        rule: "test.width",
        channel: channel.name.clone(),
        to_channel: String::new(),
        spend: None,
        gain: None,
        probability: None,
        confidence: confidence::of(facts, &m),
        message: format!(
            "Run a lift test on {}: {why}, and it takes {share:.0} % of spend.",
            channel.name
        ),
        evidence: json!({
            "marginal_roas": { "mean": m.mean, "q05": m.q05, "q95": m.q95 },
            "relative_width": width.is_finite().then_some(width),
            "limit": rules.test.width,
            "disputed": channel.disputed,
        }),
    })
}
