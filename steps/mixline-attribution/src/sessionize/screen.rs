//! Touches that are none: wrong clocks, programs, tags that fire twice.

use std::collections::HashMap;

use super::rules::{DAY, Rules, Unit};
use super::{Kind, LeftOut, Met, Reason};

/// 2000-01-01T00:00:00Z, in microseconds: before the first click that anybody could report.
const EPOCH_2000: i64 = 946_684_800_000_000;

/// Whether an instant can be: after 2000 and not after `end`.
pub(super) fn plausible(at: i64, end: i64) -> bool {
    (EPOCH_2000..=end).contains(&at)
}

/// Keeps the touches of a customer that count as such, in the order of time, with the number of
/// their session, from 1.
pub(super) fn screen(
    rules: &Rules,
    end: i64,
    touches: &mut Vec<Met>,
    sessions: &mut Vec<u32>,
    left_out: &mut Vec<(LeftOut, Reason)>,
) {
    touches.sort_by_key(|touch| (touch.at, touch.source, touch.kind, touch.row));
    touches.retain(|touch| {
        let kept = plausible(touch.at, end);
        if !kept {
            left_out.push((LeftOut::Touch(touch.row), Reason::ClockSkew));
        }
        kept
    });
    if is_bot(rules, touches) {
        let all = touches.drain(..);
        left_out.extend(all.map(|touch| (LeftOut::Touch(touch.row), Reason::Bot)));
    }
    drop_duplicates(rules, touches, left_out);
    number_sessions(rules, touches, sessions);
    if rules.unit == Unit::Session {
        one_per_session(touches, sessions, left_out);
    }
}

/// Whether some day holds more touches than a person makes.
fn is_bot(rules: &Rules, touches: &[Met]) -> bool {
    let most = rules.bot_touches_per_day;
    touches.len() > most
        && (0..touches.len() - most)
            .any(|at| (touches[at + most].at - touches[at].at) as f64 <= DAY)
}

fn drop_duplicates(rules: &Rules, touches: &mut Vec<Met>, left_out: &mut Vec<(LeftOut, Reason)>) {
    if touches.len() < 2 {
        return;
    }
    let near = (rules.duplicate_seconds * 1e6) as i64;
    let mut kept: Vec<Met> = Vec::with_capacity(touches.len());
    for touch in touches.drain(..) {
        let recent = kept
            .iter()
            .rev()
            .take_while(|before| touch.at - before.at <= near);
        let mut same = recent.filter(|b| (b.source, b.kind) == (touch.source, touch.kind));
        if same.next().is_some() {
            left_out.push((LeftOut::Touch(touch.row), Reason::Duplicate));
        } else {
            kept.push(touch);
        }
    }
    *touches = kept;
}

fn number_sessions(rules: &Rules, touches: &[Met], sessions: &mut Vec<u32>) {
    let gap = (rules.session_minutes * 60.0 * 1e6) as i64;
    sessions.clear();
    let mut session = 1;
    for (at, touch) in touches.iter().enumerate() {
        if at > 0 && touch.at - touches[at - 1].at > gap {
            session += 1;
        }
        sessions.push(session);
    }
}

/// Keeps of each source its first click of a session, or else its first view.
fn one_per_session(
    touches: &mut Vec<Met>,
    sessions: &mut Vec<u32>,
    left_out: &mut Vec<(LeftOut, Reason)>,
) {
    let mut best: HashMap<(u32, u32), usize> = HashMap::new();
    for (at, touch) in touches.iter().enumerate() {
        let first = best.entry((sessions[at], touch.source)).or_insert(at);
        if touch.kind == Kind::Click && touches[*first].kind == Kind::View {
            *first = at;
        }
    }
    let mut at = 0;
    let mut kept_sessions = Vec::with_capacity(sessions.len());
    touches.retain(|touch| {
        let session = sessions[at];
        let kept = best[&(session, touch.source)] == at;
        at += 1;
        if kept {
            kept_sessions.push(session);
        } else {
            left_out.push((LeftOut::Touch(touch.row), Reason::SameSession));
        }
        kept
    });
    *sessions = kept_sessions;
}
