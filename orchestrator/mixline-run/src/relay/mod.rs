//! The relay: services outside are told what happened, in order, at least once.
//!
//! The event log is what is told, and the outbox in the state database says from where on, so a
//! service that is away loses nothing and a crash repeats at most what was on its way. A
//! [`Consumer`] turns the events of a run into parcels and delivers one at a time; the relay does
//! the rest: whose turn it is, how long to wait after a failure, what to give up. It never stands in
//! a run's way.
//!
//! | [`Trouble`] | what becomes of the run | and of the others |
//! |---|---|---|
//! | `Away` | is tried first, again and again | wait with it |
//! | `Stuck` | waits for another turn, as long again as it has waited, and stays in the outbox | go on |
//! | `Never` | goes on after the event, which is left out | go on |

mod http;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::Clock;
use crate::dispatcher::Subscriber;
use crate::error::chain;
use crate::event::RecordedEvent;
use crate::state::RunState;
use crate::store::{Backlog, StateDb};

pub use http::{Http, HttpSettings, SettingsError};
pub(crate) use http::{refused, send};

use worker::Worker;

/// How long a claim holds when nobody renews it.
const CLAIM: Duration = Duration::from_secs(120);

/// What a consumer is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// Position of the event it follows from.
    pub seq: u64,
    /// What is said.
    pub body: Value,
}

/// Why a parcel was not delivered. The words hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing can be delivered for now: the service is away or does not let us in.
    Away {
        /// What happened, for people.
        why: String,
        /// The wait that the service asked for.
        wait: Option<Duration>,
    },
    /// This parcel fails; others may be taken meanwhile. It may work later.
    Stuck {
        /// What happened, for people.
        why: String,
    },
    /// This parcel will never be taken; the next one may be.
    Never {
        /// What happened, for people.
        why: String,
    },
}

impl Trouble {
    /// A service that is away and asks for no wait.
    pub(crate) fn away(why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Away { why, wait: None }
    }

    /// What happened, for people.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Away { why, .. } | Self::Stuck { why } | Self::Never { why } => why,
        }
    }
}

/// A service that wants to know of runs.
#[async_trait::async_trait]
pub trait Consumer: std::fmt::Debug + Send + Sync {
    /// Its name in the outbox and in logs.
    fn name(&self) -> &str;

    /// Everything to tell of a run's events so far, in order of their positions. The same events
    /// always give the same parcels, and more events only add to them.
    fn parcels(&self, events: &[RecordedEvent]) -> Vec<Parcel>;

    /// Delivers one parcel. A parcel may come twice; telling it twice must do no harm.
    ///
    /// # Errors
    /// [`Trouble`], which says whether to try again.
    async fn deliver(&self, parcel: &Parcel) -> Result<(), Trouble>;
}

/// The workers that tell the consumers.
#[derive(Debug)]
pub struct Relay {
    db: StateDb,
    claimant: String,
    consumers: Vec<String>,
    bells: Arc<[Arc<Notify>]>,
    closing: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Starts to tell the consumers what they have not been told of: by this process's runs, and
    /// by those of processes that are gone. Says once what waits for consumers that are not among
    /// them. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(db: &StateDb, clock: Clock, consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self::claiming(db, clock, consumers, CLAIM)
    }

    /// Starts, with claims that end after `holds` unless they are renewed.
    fn claiming(
        db: &StateDb,
        clock: Clock,
        consumers: Vec<Arc<dyn Consumer>>,
        holds: Duration,
    ) -> Self {
        let (closing, closed) = watch::channel(false);
        let claimant = uuid::Uuid::now_v7().to_string();
        let names: Vec<String> = consumers.iter().map(|c| c.name().to_owned()).collect();
        let mut workers = vec![tokio::spawn(warn_of_strangers(db.clone(), names.clone()))];
        let mut bells = Vec::new();
        for consumer in consumers {
            let bell = Arc::new(Notify::new());
            bells.push(Arc::clone(&bell));
            let worker = Worker::new(db.clone(), clock, consumer, (&claimant, holds));
            workers.push(tokio::spawn(worker.work(bell, closed.clone())));
        }
        Self {
            db: db.clone(),
            claimant,
            consumers: names,
            bells: bells.into(),
            closing,
            workers,
        }
    }

    /// Rings for every event, so that the consumers know at once.
    #[must_use]
    pub fn subscriber(&self) -> Arc<dyn Subscriber> {
        Arc::new(Ring(Arc::clone(&self.bells)))
    }

    /// Tells what is left, for at most `patience`. Returns what could not be told: it stays in the
    /// outbox, and the next relay goes on with it.
    pub async fn finish(self, patience: Duration) -> Vec<Backlog> {
        self.closing.send_replace(true);
        let deadline = tokio::time::Instant::now() + patience;
        for mut worker in self.workers {
            if tokio::time::timeout_at(deadline, &mut worker)
                .await
                .is_err()
            {
                worker.abort();
            }
        }
        if self.consumers.is_empty() {
            return Vec::new();
        }
        let left = match self.db.release_deliveries(&self.claimant).await {
            Ok(()) => self.db.backlogs().await,
            Err(error) => Err(error),
        };
        let mut left = left.unwrap_or_else(|error| {
            tracing::warn!(error = %chain(&error), "could not look into the outbox");
            Vec::new()
        });
        left.retain(|backlog| self.consumers.contains(&backlog.consumer));
        left
    }
}

/// Says what waits for consumers that nobody tells: they were taken out of the configuration, or
/// their variables are not set here.
async fn warn_of_strangers(db: StateDb, known: Vec<String>) {
    let backlogs = db.backlogs().await.unwrap_or_else(|error| {
        tracing::warn!(error = %chain(&error), "could not look into the outbox");
        Vec::new()
    });
    for Backlog { consumer, runs, .. } in backlogs {
        if !known.contains(&consumer) {
            tracing::warn!(
                consumer,
                runs,
                "runs wait for a consumer that is not configured here; \
                 `mixline state forget-consumer` drops them"
            );
        }
    }
}

/// The subscriber: it only wakes the workers; what happened is in the event log.
struct Ring(Arc<[Arc<Notify>]>);

impl Subscriber for Ring {
    fn on_event(&self, _: &RecordedEvent, _: &RunState) {
        for bell in self.0.iter() {
            bell.notify_one();
        }
    }
}
