//! One worker per consumer: claims a run, delivers its parcels in order, and backs off.
//!
//! A run that is stuck is set aside for as long again as its event has waited, from half a second
//! to five minutes: the wait doubles without a count, whichever process tries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::{Consumer, Parcel, Trouble};
use crate::Clock;
use crate::error::{RunError, chain};
use crate::event::{RecordedEvent, RunEvent};
use crate::store::{Claim, StateDb};

/// How often to look for what other processes left behind.
const LOOK: Duration = Duration::from_secs(10);
/// The first wait after a failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A turn has come for sure so long after the wait for it: the database counts in milliseconds.
const SLACK: Duration = Duration::from_millis(10);

/// See the module.
pub(super) struct Worker {
    db: StateDb,
    clock: Clock,
    consumer: Arc<dyn Consumer>,
    claimant: String,
    /// How long a claim holds.
    holds: Duration,
    failures: u32,
    /// Runs that were set aside here, and when they have their turn again.
    turns: BTreeMap<String, Instant>,
}

/// Why a round ended.
enum Round {
    /// Everything that can be told has been told.
    Done,
    /// Except for runs that were set aside; this is when the first has its turn.
    Later(Instant),
    /// The consumer is away.
    Wait(Duration),
}

/// A delivery that did not succeed, and when its event happened.
struct Failure {
    at: DateTime<Utc>,
    trouble: Trouble,
}

impl Worker {
    pub(super) fn new(
        db: StateDb,
        clock: Clock,
        consumer: Arc<dyn Consumer>,
        (claimant, holds): (&str, Duration),
    ) -> Self {
        Self {
            db,
            clock,
            consumer,
            claimant: claimant.to_owned(),
            holds,
            failures: 0,
            turns: BTreeMap::new(),
        }
    }

    /// Works until it is told to close, and then until nothing is left to tell.
    pub(super) async fn work(mut self, bell: Arc<Notify>, mut closing: watch::Receiver<bool>) {
        loop {
            // What happened before the closing is told by a round that begins after it.
            let last = *closing.borrow();
            let (until, patient) = match self.round().await {
                Ok(Round::Done) if last => break,
                Ok(Round::Done) if *closing.borrow() => continue,
                Ok(Round::Done) => (Instant::now() + LOOK, false),
                Ok(Round::Later(turn)) => (turn.min(Instant::now() + LOOK), false),
                Ok(Round::Wait(wait)) => (Instant::now() + wait, true),
                Err(error) => {
                    let (consumer, error) = (self.consumer.name(), chain(&error));
                    tracing::warn!(consumer, error, "the outbox could not be read");
                    (Instant::now() + LOOK, true)
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                // A consumer that is away is not called again for every event.
                () = bell.notified(), if !patient => {}
                changed = closing.changed(), if !*closing.borrow() => {
                    if changed.is_err() { break; }
                }
            }
        }
    }

    fn claim(&self) -> Claim<'_> {
        Claim {
            consumer: self.consumer.name(),
            claimant: &self.claimant,
            holds: self.holds,
        }
    }

    /// Tells every run that may be told.
    async fn round(&mut self) -> Result<Round, RunError> {
        let mut runs = self.db.undelivered(self.claim()).await?;
        // Runs that were set aside come last, or two of them would be all that is ever tried.
        runs.sort_by_key(|run| self.turns.contains_key(&run.run_id));
        let mut stuck_before = false;
        for run in runs {
            let Some(next) = self.db.claim_delivery(self.claim(), &run.run_id).await? else {
                continue;
            };
            let Some(Failure { at, trouble }) = self.tell(&run.run_id, next).await? else {
                self.turns.remove(&run.run_id);
                stuck_before = false;
                continue;
            };
            if !matches!(trouble, Trouble::Stuck { .. }) {
                let why = trouble.why();
                let failed = self.db.delivery_failed(self.claim(), &run.run_id, why);
                failed.await?;
                return Ok(Round::Wait(self.back_off(&trouble)));
            }
            self.set_aside(&run.run_id, at, trouble.why()).await?;
            // Two in a row, and nothing in between went well: it is not the events' fault.
            if stuck_before {
                return Ok(Round::Wait(self.back_off(&trouble)));
            }
            stuck_before = true;
        }
        // A turn that came and was not taken here is another process's.
        let now = Instant::now();
        self.turns.retain(|_, turn| *turn > now);
        let first = self.turns.values().min().copied();
        Ok(first.map_or(Round::Done, Round::Later))
    }

    /// Tells one run from an event on, as far as it goes.
    async fn tell(&mut self, run_id: &str, next: u64) -> Result<Option<Failure>, RunError> {
        let events = self.db.events(run_id, 0).await?;
        let parcels: Vec<_> = self
            .consumer
            .parcels(&events)
            .into_iter()
            .filter(|parcel| parcel.seq >= next)
            .collect();
        for (place, parcel) in parcels.iter().enumerate() {
            match self.deliver(run_id, parcel).await {
                None => return Ok(None),
                Some(Ok(())) => self.recover(),
                Some(Err(Trouble::Never { why })) => self.give_up(run_id, parcel.seq, &why),
                Some(Err(trouble)) => {
                    let told = events.iter().find(|event| event.seq == parcel.seq);
                    let at = told.map_or_else(self.clock, |event| event.at);
                    return Ok(Some(Failure { at, trouble }));
                }
            }
            let last_of_event = parcels.get(place + 1).is_none_or(|p| p.seq > parcel.seq);
            if last_of_event
                && !self
                    .db
                    .delivered(self.claim(), run_id, parcel.seq + 1)
                    .await?
            {
                return Ok(None);
            }
        }
        if events.iter().any(is_last) {
            self.db.delivered_all(self.claim(), run_id).await?;
        }
        Ok(None)
    }

    /// Delivers one parcel, and keeps the claim on its run meanwhile. `None`: the claim was lost,
    /// and whoever has it now delivers.
    async fn deliver(&self, run_id: &str, parcel: &Parcel) -> Option<Result<(), Trouble>> {
        let mut delivery = self.consumer.deliver(parcel);
        loop {
            tokio::select! {
                delivered = &mut delivery => return Some(delivered),
                () = tokio::time::sleep(self.holds / 3) => {
                    if !self.renew(run_id).await {
                        return None;
                    }
                }
            }
        }
    }

    /// Whether the claim holds on, as far as is known: a database that does not answer for a moment
    /// ends no delivery.
    async fn renew(&self, run_id: &str) -> bool {
        let renewed = self.db.renew_delivery(self.claim(), run_id).await;
        renewed.unwrap_or_else(|error| {
            let (consumer, error) = (self.consumer.name(), chain(&error));
            tracing::warn!(consumer, error, "a claim could not be renewed");
            true
        })
    }

    /// Puts off a run that is stuck, so that others go on. Said once for each.
    async fn set_aside(
        &mut self,
        run_id: &str,
        at: DateTime<Utc>,
        why: &str,
    ) -> Result<(), RunError> {
        let waited = ((self.clock)() - at).to_std().unwrap_or_default();
        let wait = waited.clamp(FIRST_WAIT, LONGEST_WAIT);
        self.db
            .postpone_delivery(self.claim(), run_id, (wait, why))
            .await?;
        let turn = Instant::now() + wait + SLACK;
        if self.turns.insert(run_id.to_owned(), turn).is_none() {
            let consumer = self.consumer.name();
            tracing::warn!(
                consumer,
                run = run_id,
                why,
                "an event cannot be delivered for now; its run waits, and others go on"
            );
        }
        Ok(())
    }

    fn recover(&mut self) {
        if self.failures > 0 {
            tracing::info!(consumer = self.consumer.name(), "it takes deliveries again");
        }
        self.failures = 0;
    }

    fn give_up(&self, run_id: &str, seq: u64, why: &str) {
        let consumer = self.consumer.name();
        tracing::warn!(
            consumer,
            run = run_id,
            seq,
            why,
            "an event was refused and is left out"
        );
    }

    /// How long to wait for a consumer that takes nothing. Said once; what goes on is in the outbox.
    fn back_off(&mut self, trouble: &Trouble) -> Duration {
        if self.failures == 0 {
            let (consumer, why) = (self.consumer.name(), trouble.why());
            tracing::warn!(consumer, why, "events wait until they can be delivered");
        }
        let doubled = FIRST_WAIT.saturating_mul(2u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        let asked = match trouble {
            Trouble::Away { wait, .. } => wait.unwrap_or_default(),
            Trouble::Stuck { .. } | Trouble::Never { .. } => Duration::ZERO,
        };
        doubled.max(asked).min(LONGEST_WAIT)
    }
}

fn is_last(recorded: &RecordedEvent) -> bool {
    matches!(recorded.event, RunEvent::RunFinished { .. })
}
