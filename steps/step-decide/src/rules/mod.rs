//! The rules: each looks at the facts and recommends, or stays silent.
//!
//! - [`scale`]: one channel up or down, by its marginal return;
//! - [`reallocate`]: moves the budget plan asks for;
//! - [`test`]: experiments where nobody knows enough;
//! - [`attributed`]: channels without a model, by attributed ROAS;
//! - a channel of which nothing else is said is held.

mod attributed;
mod hold;
mod reallocate;
mod scale;
mod test;

use crate::config::Rules;
use crate::facts::Facts;
use crate::proposal::{Action, Proposal};

/// Every recommendation, channel by channel, then moves.
pub(crate) fn apply(rules: &Rules, facts: &Facts) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for channel in &facts.channels {
        let own = [
            scale::up(rules, facts, channel),
            scale::down(rules, facts, channel),
            attributed::rule(rules, facts, channel),
        ];
        let action = own.into_iter().flatten().next();
        let held = action.map(|action| hold::unless_sure(rules, action));
        proposals.push(held.or_else(|| hold::rule(facts, channel)));
        proposals.push(test::rule(rules, facts, channel));
    }
    let moves = reallocate::rule(rules, facts);
    let sure = moves
        .into_iter()
        .filter(|p| p.confidence.value >= rules.min_confidence);
    let mut proposals: Vec<Proposal> = proposals.into_iter().flatten().collect();
    proposals.extend(sure);
    proposals.sort_by(|a, b| {
        let key = |p: &Proposal| (p.action == Action::Hold, p.channel.clone());
        key(a).cmp(&key(b))
    });
    proposals
}

#[cfg(test)]
mod tests;
