//! The outbox: which runs somebody outside still has to be told of, and from which event on.
//!
//! The event log already holds what happened, so the outbox holds positions only. A run enters it
//! in the transaction that creates the run and leaves it when its last event has been delivered:
//! whatever dies when, nothing is lost, and at most the event that was on its way is sent again.
//!
//! A claim keeps two processes from telling the same run at the same time. It ends by the
//! database's clock, because machines disagree about the time. A run that cannot be told for now
//! is claimed by nobody until its next turn, so it stands in no other run's way.

use std::time::Duration;

use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Dialect, StateDb, signed, unsigned, words};
use crate::error::RunError;

/// A run that a consumer is still to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// Run id.
    pub run_id: String,
    /// Position of the first event that has not been delivered.
    pub next: u64,
}

/// What waits for one consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// The consumer.
    pub consumer: String,
    /// Runs it has not been told of in full.
    pub runs: u64,
    /// What went wrong last, if anything did since the last delivery.
    pub error: Option<String>,
}

/// Who claims a run for which consumer, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) consumer: &'a str,
    pub(crate) claimant: &'a str,
    pub(crate) holds: Duration,
}

impl StateDb {
    /// The same database; runs created from now on enter the outbox of each consumer.
    #[must_use]
    pub fn with_consumers(self, consumers: Vec<String>) -> Self {
        Self {
            consumers: consumers.into(),
            ..self
        }
    }

    /// Runs that may be told to the consumer by this claimant, oldest first.
    pub(crate) async fn undelivered(&self, claim: Claim<'_>) -> Result<Vec<Undelivered>, RunError> {
        let now = self.instant_in("0");
        let select = format!(
            "SELECT run_id, next_seq FROM outbox
             WHERE consumer = $1 AND (claimant = $2 OR claimed_until < {now}) ORDER BY run_id"
        );
        let rows = sqlx::query(AssertSqlSafe(select))
            .bind(claim.consumer)
            .bind(claim.claimant)
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        let undelivered = rows.iter().map(|row| Undelivered {
            run_id: row.get("run_id"),
            next: unsigned(row.get("next_seq")),
        });
        Ok(undelivered.collect())
    }

    /// Makes the claimant the one who tells the run. `None`: another is, it is not the run's turn,
    /// or nothing is left to tell; else the position to go on from.
    pub(crate) async fn claim_delivery(
        &self,
        claim: Claim<'_>,
        run_id: &str,
    ) -> Result<Option<u64>, RunError> {
        let (now, until) = (self.instant_in("0"), self.instant_in("$2"));
        let update = format!(
            "UPDATE outbox SET claimant = $1, claimed_until = {until}
             WHERE consumer = $3 AND run_id = $4 AND (claimant = $1 OR claimed_until < {now})
             RETURNING next_seq"
        );
        let next: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(update))
            .bind(claim.claimant)
            .bind(milliseconds(claim.holds))
            .bind(claim.consumer)
            .bind(run_id)
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(next.first().copied().map(unsigned))
    }

    /// Prolongs the claim of a delivery that goes on. `false`: the claim was lost meanwhile.
    pub(crate) async fn renew_delivery(
        &self,
        claim: Claim<'_>,
        run_id: &str,
    ) -> Result<bool, RunError> {
        let until = self.instant_in("$1");
        let update = format!(
            "UPDATE outbox SET claimed_until = {until}
             WHERE consumer = $2 AND run_id = $3 AND claimant = $4"
        );
        let done = sqlx::query(AssertSqlSafe(update))
            .bind(milliseconds(claim.holds))
            .bind(claim.consumer)
            .bind(run_id)
            .bind(claim.claimant)
            .execute(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Events before `next` have been delivered. `false`: the claim was lost meanwhile.
    pub(crate) async fn delivered(
        &self,
        claim: Claim<'_>,
        run_id: &str,
        next: u64,
    ) -> Result<bool, RunError> {
        let until = self.instant_in("$1");
        let update = format!(
            "UPDATE outbox SET claimed_until = {until}, next_seq = $5, error = NULL
             WHERE consumer = $2 AND run_id = $3 AND claimant = $4"
        );
        let done = sqlx::query(AssertSqlSafe(update))
            .bind(milliseconds(claim.holds))
            .bind(claim.consumer)
            .bind(run_id)
            .bind(claim.claimant)
            .bind(signed(next))
            .execute(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(done.rows_affected() == 1)
    }

    /// The whole run has been delivered.
    pub(crate) async fn delivered_all(
        &self,
        claim: Claim<'_>,
        run_id: &str,
    ) -> Result<(), RunError> {
        sqlx::query("DELETE FROM outbox WHERE consumer = $1 AND run_id = $2 AND claimant = $3")
            .bind(claim.consumer)
            .bind(run_id)
            .bind(claim.claimant)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("write to"))
    }

    /// Remembers why a delivery failed, for people who look.
    pub(crate) async fn delivery_failed(
        &self,
        claim: Claim<'_>,
        run_id: &str,
        error: &str,
    ) -> Result<(), RunError> {
        sqlx::query("UPDATE outbox SET error = $1 WHERE consumer = $2 AND run_id = $3")
            .bind(words(error))
            .bind(claim.consumer)
            .bind(run_id)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("write to"))
    }

    /// Gives up the claim on a run that cannot be told for now: it is nobody's until the wait is
    /// over.
    pub(crate) async fn postpone_delivery(
        &self,
        claim: Claim<'_>,
        run_id: &str,
        (wait, error): (Duration, &str),
    ) -> Result<(), RunError> {
        let until = self.instant_in("$1");
        let update = format!(
            "UPDATE outbox SET claimant = '', claimed_until = {until}, error = $2
             WHERE consumer = $3 AND run_id = $4 AND claimant = $5"
        );
        sqlx::query(AssertSqlSafe(update))
            .bind(milliseconds(wait))
            .bind(words(error))
            .bind(claim.consumer)
            .bind(run_id)
            .bind(claim.claimant)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("write to"))
    }

    /// Gives up the claims of a claimant that stops, so that the next one need not wait.
    pub(crate) async fn release_deliveries(&self, claimant: &str) -> Result<(), RunError> {
        sqlx::query("UPDATE outbox SET claimant = '', claimed_until = '' WHERE claimant = $1")
            .bind(claimant)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("write to"))
    }

    /// Lets go of the claims on a run whose orchestrator is gone.
    pub(crate) async fn forget_claims(&self, run_id: &str) -> Result<(), RunError> {
        sqlx::query("UPDATE outbox SET claimant = '', claimed_until = '' WHERE run_id = $1")
            .bind(run_id)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("write to"))
    }

    /// What waits, by consumer; consumers that know everything are absent.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn backlogs(&self) -> Result<Vec<Backlog>, RunError> {
        let rows = sqlx::query(
            "SELECT consumer, COUNT(*) AS runs, MAX(error) AS error FROM outbox
             GROUP BY consumer ORDER BY consumer",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(self.failed("read"))?;
        let backlog = rows.iter().map(|row| Backlog {
            consumer: row.get("consumer"),
            runs: unsigned(row.get("runs")),
            error: row.get("error"),
        });
        Ok(backlog.collect())
    }

    /// Drops what waits for a consumer that is not to be told any more. Returns the number of runs
    /// that waited.
    ///
    /// # Errors
    /// [`RunError::State`].
    pub async fn forget_consumer(&self, consumer: &str) -> Result<u64, RunError> {
        let done = sqlx::query("DELETE FROM outbox WHERE consumer = $1")
            .bind(consumer)
            .execute(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(done.rows_affected())
    }

    /// SQL for an instant so many milliseconds from now, by the database's clock, as text whose
    /// order is time order.
    fn instant_in(&self, milliseconds: &str) -> String {
        let seconds = format!("(({} + {milliseconds}) / 1000.0)", self.dialect.now());
        match self.dialect {
            Dialect::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%fZ', {seconds}, 'unixepoch')"),
            Dialect::Postgres => format!(
                "to_char(to_timestamp({seconds}) AT TIME ZONE 'UTC', \
                 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
            ),
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Puts a run that has just been created into the outbox of each consumer.
pub(super) async fn enlist(
    tx: &mut AnyConnection,
    consumers: &[String],
    run_id: &str,
) -> Result<(), sqlx::Error> {
    for consumer in consumers {
        sqlx::query(
            "INSERT INTO outbox (consumer, run_id) VALUES ($1, $2)
             ON CONFLICT (consumer, run_id) DO NOTHING",
        )
        .bind(consumer)
        .bind(run_id)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
