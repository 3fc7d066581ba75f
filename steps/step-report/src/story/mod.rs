//! What the report says, in sentences: subject, verdict, findings, what to do.

mod attribution;
mod findings;

use mixline_model_tables::Verdict;
use mixline_schema::catalog::{Briefing, PlanOutcomes};

use crate::Config;
use crate::data::Data;
use crate::format::{money, percent, range};

/// How loud a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A sentence and how loud it is.
pub(crate) type Sentence = (Level, String);

/// The sentences.
pub(crate) struct Story {
    pub(crate) subject: String,
    pub(crate) verdict: Sentence,
    pub(crate) findings: Vec<Sentence>,
    /// What attribution says, and how far it may be believed.
    pub(crate) attribution: Vec<Sentence>,
    /// What to do, one sentence each.
    pub(crate) decisions: Vec<Sentence>,
}

impl Story {
    pub(crate) fn tell(config: &Config, data: &Data) -> Self {
        let verdict = verdict(data);
        let findings = findings::all(config, data);
        let open = data.open_decisions();
        let acts = open.iter().filter(|row| row.action != "hold").take(5);
        Self {
            subject: subject(config, data),
            verdict,
            findings,
            attribution: data
                .attribution
                .as_ref()
                .map_or_else(Vec::new, attribution::all),
            decisions: acts.map(|row| (Level::Info, row.message.clone())).collect(),
        }
    }

    /// The sentences as rows.
    pub(crate) fn briefing(&self) -> Vec<Briefing> {
        let all = [("subject", (Level::Info, self.subject.clone()))]
            .into_iter()
            .chain([("verdict", self.verdict.clone())])
            .chain(
                self.findings
                    .iter()
                    .chain(&self.attribution)
                    .cloned()
                    .map(|sentence| ("finding", sentence)),
            )
            .chain(
                self.decisions
                    .iter()
                    .cloned()
                    .map(|sentence| ("decision", sentence)),
            );
        all.enumerate()
            .map(|(position, (kind, (level, text)))| Briefing {
                position: position as i64,
                kind: kind.to_owned(),
                level: level.name().to_owned(),
                text,
            })
            .collect()
    }
}

/// The line a mail is recognised by.
fn subject(config: &Config, data: &Data) -> String {
    let until = data.fitted.card.data_until;
    let what = match (data.no_plan, data.outcome_of("best")) {
        (Some(_), _) => "no budget plan".to_owned(),
        (None, Some(best)) if moves(best) => {
            format!("a plan worth {}", money(best.gain, &data.outcome.unit))
        }
        _ => "keep the budget as it is".to_owned(),
    };
    format!("{}, data to {until}: {what}", config.title)
}

/// The first sentence: may the numbers be trusted, and what do they ask for.
fn verdict(data: &Data) -> Sentence {
    if let Some(reason) = data.no_plan {
        let failed: Vec<&str> = data
            .checks
            .iter()
            .filter(|row| row.verdict == "fail" && row.check != "verdict")
            .map(|row| row.message.as_str())
            .take(2)
            .collect();
        let why = if failed.is_empty() {
            String::new()
        } else {
            format!(" {}.", failed.join("; "))
        };
        return (Level::Error, format!("{reason}{why}"));
    }
    let trust = match data.verdict {
        Verdict::Pass => "The model passed every check",
        Verdict::Review => "The model passed, with some checks to look at",
        Verdict::Fail => "The model failed its checks",
    };
    let level = if data.verdict == Verdict::Pass {
        Level::Info
    } else {
        Level::Warning
    };
    let Some(best) = data.outcome_of("best") else {
        return (level, format!("{trust}. There is no budget plan yet."));
    };
    let unit = &data.outcome.unit;
    if !moves(best) {
        return (level, format!("{trust}. {}", no_move(data)));
    }
    let moved: f64 = data
        .proposals("best")
        .iter()
        .map(|row| (row.proposed - row.current).max(0.0))
        .sum();
    let sentence = format!(
        "{trust}. Moving {} over the next {} periods is expected to bring {} more ({} to {}); \
         the probability of a gain is {}.",
        money(moved, &data.currency),
        best.periods,
        money(best.gain, unit),
        money(best.gain_q05, unit),
        money(best.gain_q95, unit),
        percent(best.probability_of_gain),
    );
    (level, sentence)
}

/// Whether a plan is worth speaking of.
fn moves(plan: &PlanOutcomes) -> bool {
    plan.gain > 1e-6 * plan.response.abs()
}

/// Why money stays where it is.
fn no_move(data: &Data) -> String {
    let unit = &data.outcome.unit;
    match data.outcome_of("highest_mean").filter(|plan| moves(plan)) {
        Some(bold) => format!(
            "No move gains surely enough, so keep the budget as it is; the boldest plan would gain {} \
             on average, but anything from {} to {}. Lift tests would make it surer.",
            money(bold.gain, unit),
            money(bold.gain_q05, unit),
            money(bold.gain_q95, unit),
        ),
        None => "No change of budget promises a gain: keep it as it is.".to_owned(),
    }
}

/// `2.1 (1.4 to 2.9)` of a row of results.
pub(crate) fn roas_words(row: &mixline_schema::catalog::MmmResults) -> Option<String> {
    Some(range(row.roas_q50?, row.roas_q05?, row.roas_q95?))
}
