//! The outbox: which targets have this message, which still need it, and what became of it.

use std::collections::BTreeMap;

use mixline_schema::catalog::Deliveries;
use mixline_step::{Context, Table};

use crate::compose::Letter;
use crate::config::{Config, Target};
use crate::failure::Failure;
use crate::message::Message;

const SENT: &str = "sent";
const FAILED: &str = "failed";
const SKIPPED: &str = "skipped";
const DRY_RUN: &str = "dry_run";

/// How the tries of one run ended for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Tries of this run.
    pub(crate) attempts: u32,
    /// What the receiver said.
    pub(crate) detail: String,
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
}

/// One message and its targets.
#[derive(Debug)]
pub(crate) struct Outbox<'a> {
    message: &'a Message,
    /// Earlier rows of this message, by target.
    before: BTreeMap<String, Deliveries>,
    /// Rows of this run, by target.
    now: BTreeMap<String, Deliveries>,
    /// Targets that failed in this run.
    pub(crate) failed: Vec<(String, Failure, String)>,
    /// Targets that had the message before this run.
    kept: usize,
}

impl<'a> Outbox<'a> {
    /// What earlier runs wrote about this message.
    pub(crate) fn open(deliveries: Option<&Table<Deliveries>>, message: &'a Message) -> Self {
        let rows = deliveries.map(Table::rows).unwrap_or_default();
        let ours = rows.into_iter().filter(|row| row.message_id == message.id);
        Self {
            message,
            before: ours.map(|row| (row.target.clone(), row)).collect(),
            now: BTreeMap::new(),
            failed: Vec::new(),
            kept: 0,
        }
    }

    /// Targets that do not have the message yet. The rows of the others are kept as they are.
    pub(crate) fn due<'c>(&mut self, config: &'c Config) -> Vec<(&'c str, &'c Target)> {
        let mut due = Vec::new();
        for (name, target) in &config.targets {
            match self.before.get(name).filter(|row| row.status == SENT) {
                Some(row) => {
                    self.kept += 1;
                    self.now.insert(name.clone(), row.clone());
                }
                None => due.push((name.as_str(), target)),
            }
        }
        due
    }

    /// The message is not urgent enough for anyone.
    pub(crate) fn skip(&mut self, config: &Config) {
        let (level, least) = (self.message.level.word(), config.min_level.word());
        for (name, target) in self.due(config) {
            let detail = format!("its level `{level}` is below `min_level`, `{least}`");
            self.put(name, target.kind(), SKIPPED, 0, detail);
        }
    }

    /// What would have been sent.
    pub(crate) fn rehearse(&mut self, letters: &[Letter<'_>]) {
        for letter in letters {
            // Nothing is sent, so nothing secret is needed: what is missing is told, not fatal.
            let detail = match letter.access() {
                Ok(_) => "composed, not sent".to_owned(),
                Err(error) => format!("composed, not sent; {error}"),
            };
            self.put(letter.name, letter.target.kind(), DRY_RUN, 0, detail);
        }
    }

    /// What became of a letter.
    pub(crate) fn record(&mut self, letter: &Letter<'_>, outcome: Outcome) {
        let Outcome {
            attempts,
            detail,
            failure,
        } = outcome;
        let status = if failure.is_some() { FAILED } else { SENT };
        if let Some(failure) = failure {
            let failed = (letter.name.to_owned(), failure, detail.clone());
            self.failed.push(failed);
        }
        self.put(letter.name, letter.target.kind(), status, attempts, detail);
    }

    fn put(&mut self, name: &str, kind: &str, status: &str, attempts: u32, detail: String) {
        let earlier = self.before.get(name).map_or(0, |row| row.attempts);
        let row = Deliveries {
            message_id: self.message.id.clone(),
            target: name.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            attempts: earlier.saturating_add(attempts.into()),
            subject: self.message.subject.clone(),
            detail,
        };
        self.now.insert(name.to_owned(), row);
    }

    /// Counts for the result document.
    pub(crate) fn note(&self, ctx: &Context) {
        let count = |status: &str| self.now.values().filter(|row| row.status == status).count();
        ctx.note("message_id", self.message.id.clone());
        ctx.note("sent", count(SENT) - self.kept);
        ctx.note("sent_before", self.kept);
        ctx.note("failed", count(FAILED));
        ctx.note("skipped", count(SKIPPED));
        ctx.note("dry_run", count(DRY_RUN));
    }

    /// The rows to commit: this message, every target.
    pub(crate) fn into_rows(self) -> Vec<Deliveries> {
        self.now.into_values().collect()
    }
}
