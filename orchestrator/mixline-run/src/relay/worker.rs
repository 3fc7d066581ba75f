//! One worker per consumer: claims a run, delivers its parcels in order, and backs off.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::{Consumer, Trouble};
use crate::Clock;
use crate::error::RunError;
use crate::event::{RecordedEvent, RunEvent};
use crate::store::{Claim, StateDb};

/// How often to look for what other processes left behind.
const LOOK: Duration = Duration::from_secs(10);
/// The first wait after a failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// See the module.
pub(super) struct Worker {
    db: StateDb,
    clock: Clock,
    consumer: Arc<dyn Consumer>,
    claimant: String,
    failures: u32,
}

/// Why a round ended.
enum Round {
    /// Everything that can be told has been told.
    Done,
    /// The consumer is away.
    Wait(Duration),
}

impl Worker {
    pub(super) fn new(
        db: StateDb,
        clock: Clock,
        consumer: Arc<dyn Consumer>,
        claimant: &str,
    ) -> Self {
        Self {
            db,
            clock,
            consumer,
            claimant: claimant.to_owned(),
            failures: 0,
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
                Ok(Round::Wait(wait)) => (Instant::now() + wait, true),
                Err(error) => {
                    tracing::warn!(consumer = self.consumer.name(), %error, "the outbox could not be read");
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
            now: (self.clock)(),
        }
    }

    /// Tells every run that may be told.
    async fn round(&mut self) -> Result<Round, RunError> {
        for run in self.db.undelivered(self.claim()).await? {
            let Some(next) = self.db.claim_delivery(self.claim(), &run.run_id).await? else {
                continue;
            };
            if let Err(trouble) = self.tell(&run.run_id, next).await? {
                return Ok(Round::Wait(self.back_off(&run.run_id, &trouble).await?));
            }
        }
        Ok(Round::Done)
    }

    /// Tells one run from an event on.
    async fn tell(&mut self, run_id: &str, next: u64) -> Result<Result<(), Trouble>, RunError> {
        let events = self.db.events(run_id, 0).await?;
        let parcels: Vec<_> = self
            .consumer
            .parcels(&events)
            .into_iter()
            .filter(|parcel| parcel.seq >= next)
            .collect();
        for (place, parcel) in parcels.iter().enumerate() {
            match self.consumer.deliver(parcel).await {
                Ok(()) => self.recover(),
                Err(Trouble::Never { why }) => self.give_up(run_id, parcel.seq, &why),
                Err(later) => return Ok(Err(later)),
            }
            let last_of_event = parcels.get(place + 1).is_none_or(|p| p.seq > parcel.seq);
            if last_of_event
                && !self
                    .db
                    .delivered(self.claim(), run_id, parcel.seq + 1)
                    .await?
            {
                return Ok(Ok(()));
            }
        }
        if events.iter().any(is_last) {
            self.db.delivered_all(self.claim(), run_id).await?;
        }
        Ok(Ok(()))
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

    /// How long to wait after a failure. Said once; what goes on is in the outbox.
    async fn back_off(&mut self, run_id: &str, trouble: &Trouble) -> Result<Duration, RunError> {
        if self.failures == 0 {
            let (consumer, why) = (self.consumer.name(), trouble.why());
            tracing::warn!(consumer, why, "events wait until they can be delivered");
        }
        self.db
            .delivery_failed(self.claim(), run_id, trouble.why())
            .await?;
        let doubled = FIRST_WAIT.saturating_mul(2u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        let asked = match trouble {
            Trouble::Later { wait, .. } => wait.unwrap_or_default(),
            Trouble::Never { .. } => Duration::ZERO,
        };
        Ok(doubled.max(asked).min(LONGEST_WAIT))
    }
}

fn is_last(recorded: &RecordedEvent) -> bool {
    matches!(recorded.event, RunEvent::RunFinished { .. })
}
