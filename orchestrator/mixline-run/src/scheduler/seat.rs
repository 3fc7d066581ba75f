//! The seat of the leader: keeps the lease while it has it, waits for it while it has not.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::{RunError, chain};
use crate::procfs;
use crate::store::{LEASE, Term};

/// How often the lease is renewed, a third of its time.
const RENEW: Duration = Duration::from_secs(2);
/// How often a standby looks whether the lease is free.
const LOOK: Duration = Duration::from_secs(1);

/// Where a scheduler sits, or waits to.
pub(super) struct Seat {
    term: watch::Receiver<Option<Term>>,
    keeper: JoinHandle<()>,
    engine: Engine,
}

impl Seat {
    /// Begins to seek the seat.
    pub(super) fn seek(engine: Engine) -> Self {
        let (told, term) = watch::channel(None);
        let keeper = tokio::spawn(keep(engine.clone(), told));
        Self {
            term,
            keeper,
            engine,
        }
    }

    /// The right to act, while there is one.
    pub(super) fn term(&mut self) -> Option<Term> {
        *self.term.borrow_and_update()
    }

    /// Waits until leadership is won or lost.
    pub(super) async fn changed(&mut self) {
        if self.term.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Leaves the seat, so that the next leader need not wait.
    pub(super) async fn leave(mut self) {
        self.keeper.abort();
        if let Some(term) = self.term()
            && let Err(error) = self.engine.state().release_lease(term).await
        {
            tracing::warn!(
                error = chain(&error),
                "the lease could not be given back; it ends by itself"
            );
        }
    }
}

/// Takes the lease when it is free and renews it while it holds, for as long as anybody listens.
async fn keep(engine: Engine, told: watch::Sender<Option<Term>>) {
    let token = Uuid::new_v4();
    let host = procfs::host();
    let (mut complained, mut stands_by) = (false, false);
    while !told.is_closed() {
        match take(&engine, token, &host).await {
            Ok(Some(term)) => {
                (complained, stands_by) = (false, false);
                tracing::info!(term = term.number(), "this scheduler leads");
                told.send_replace(Some(term));
                hold(&engine, term).await;
                told.send_replace(None);
                tracing::warn!(term = term.number(), "this scheduler leads no more");
            }
            Ok(None) => {
                if !stands_by {
                    tracing::info!("another scheduler leads; this one stands by");
                }
                (complained, stands_by) = (false, true);
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => {
                if !complained {
                    tracing::warn!(
                        error = chain(&error),
                        "the lease cannot be asked for; trying again"
                    );
                }
                complained = true;
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// The lease, if it is free, has run out, or its holder is seen to be gone.
async fn take(engine: &Engine, token: Uuid, host: &str) -> Result<Option<Term>, RunError> {
    let db = engine.state();
    if let Some(leader) = db.leader().await?
        && leader.remaining_ms > 0
    {
        if engine.lives(leader.owner) != Some(false) {
            return Ok(None);
        }
        db.end_lease_of(&leader).await?;
    }
    db.take_lease(token, engine.owner(), host).await
}

/// Renews until the lease is lost: taken by somebody else, or not renewed for its whole time,
/// because then somebody else may have it.
async fn hold(engine: &Engine, term: Term) {
    let mut until = Instant::now() + LEASE;
    while Instant::now() < until {
        tokio::time::sleep(RENEW).await;
        let asked = Instant::now();
        let renewed = tokio::time::timeout_at(until, engine.state().renew_lease(term)).await;
        match renewed {
            Ok(Ok(true)) => until = asked + LEASE,
            Ok(Ok(false)) => return,
            Ok(Err(error)) => {
                tracing::warn!(error = chain(&error), "the lease could not be renewed")
            }
            Err(_) => return,
        }
    }
}
