//! What became of recommendations: new ones are kept, old ones stand, give way, or expire.

use chrono::{Days, NaiveDate};
use mixline_schema::catalog::DecisionStore;

use crate::config::Rules;
use crate::facts::Facts;
use crate::proposal::{Action, Proposal};

/// Waiting for somebody.
pub(crate) const PROPOSED: &str = "proposed";
const ACCEPTED: &str = "accepted";
const REJECTED: &str = "rejected";
const SUPERSEDED: &str = "superseded";
const EXPIRED: &str = "expired";

/// The decisions so far with what the new proposals change.
pub(crate) fn merged(
    rules: &Rules,
    facts: &Facts,
    mut known: Vec<DecisionStore>,
    proposals: Vec<Proposal>,
) -> Vec<DecisionStore> {
    for row in known.iter_mut().filter(|row| row.status == PROPOSED) {
        if row.expires_on < facts.as_of {
            EXPIRED.clone_into(&mut row.status);
        }
    }
    for proposal in proposals {
        if !is_news(rules, facts.as_of, &known, &proposal) {
            continue;
        }
        let row = row(rules, facts, proposal);
        for older in known.iter_mut().filter(|older| gives_way(older, &row)) {
            SUPERSEDED.clone_into(&mut older.status);
        }
        known.retain(|older| older.decision_id != row.decision_id);
        known.push(row);
    }
    known
}

/// Whether an open recommendation is replaced by a new one: they are about one channel, and both
/// say what to spend on it.
fn gives_way(older: &DecisionStore, new: &DecisionStore) -> bool {
    let test = Action::Test.name();
    older.status == PROPOSED
        && older.channel == new.channel
        && older.to_channel == new.to_channel
        && (older.action == test) == (new.action == test)
}

/// Whether a proposal says something that does not stand already, was not refused lately, and does
/// not turn around what was said lately.
fn is_news(rules: &Rules, as_of: NaiveDate, known: &[DecisionStore], new: &Proposal) -> bool {
    let cooled = as_of - Days::new(u64::from(rules.cool_down_days));
    !known.iter().any(|old| {
        let recent = old.made_on > cooled;
        let lives = old.status == PROPOSED || (old.status == ACCEPTED && old.expires_on >= as_of);
        let spoken = matches!(old.status.as_str(), PROPOSED | ACCEPTED | REJECTED);
        let same = says_the_same(old, new);
        (same && lives)
            || (same && recent && old.status == REJECTED)
            || (recent && spoken && old.status != REJECTED && turns_around(old, new))
    })
}

fn says_the_same(old: &DecisionStore, new: &Proposal) -> bool {
    old.action == new.action.name()
        && old.channel == new.channel
        && old.to_channel == new.to_channel
}

/// Whether a proposal is the opposite of an earlier one, or calls it off.
fn turns_around(old: &DecisionStore, new: &Proposal) -> bool {
    let old_action = old.action.as_str();
    let same_channel = old.channel == new.channel;
    match new.action {
        Action::ScaleUp => {
            let given = old_action == Action::Reallocate.name() && same_channel;
            given || (same_channel && old_action == Action::ScaleDown.name())
        }
        Action::ScaleDown => {
            let received = old_action == Action::Reallocate.name() && old.to_channel == new.channel;
            received || (same_channel && old_action == Action::ScaleUp.name())
        }
        Action::Reallocate => {
            let back = old_action == Action::Reallocate.name()
                && (old.channel == new.to_channel || old.to_channel == new.channel);
            let up = old_action == Action::ScaleUp.name() && same_channel;
            let down = old_action == Action::ScaleDown.name() && old.channel == new.to_channel;
            back || up || down
        }
        Action::Hold => {
            let acts = [Action::ScaleUp, Action::ScaleDown].map(Action::name);
            same_channel && acts.contains(&old_action)
        }
        Action::Test => false,
    }
}

fn row(rules: &Rules, facts: &Facts, new: Proposal) -> DecisionStore {
    let expires_on = facts.as_of + Days::new(u64::from(rules.expires_after_days));
    DecisionStore {
        decision_id: identity(facts.as_of, &new),
        status: PROPOSED.to_owned(),
        action: new.action.name().to_owned(),
        rule: new.rule.to_owned(),
        channel: new.channel,
        to_channel: new.to_channel,
        unit: facts.unit.clone(),
        current_spend: new.spend.map(|(now, _)| now),
        proposed_spend: new.spend.map(|(_, next)| next.max(0.0)),
        expected_gain: new.gain.map(|gain| gain.mean),
        expected_gain_q05: new.gain.map(|gain| gain.q05),
        expected_gain_q95: new.gain.map(|gain| gain.q95),
        probability_of_gain: new.probability,
        confidence: new.confidence.value,
        confidence_reason: new.confidence.reason,
        message: new.message,
        evidence: new.evidence.to_string(),
        model_id: facts.model_id.clone(),
        data_until: facts.data_until,
        made_on: facts.as_of,
        expires_on,
        decided_by: "mixline".to_owned(),
        decided_at: None,
        measured_gain: None,
    }
}

/// Twelve figures of a digest of day, action and channels.
fn identity(as_of: NaiveDate, new: &Proposal) -> String {
    let text = format!(
        "{as_of}|{}|{}|{}",
        new.action.name(),
        new.channel,
        new.to_channel
    );
    let digest = blake3::hash(text.as_bytes()).to_hex();
    digest.as_str()[..12].to_owned()
}

#[cfg(test)]
mod tests;
