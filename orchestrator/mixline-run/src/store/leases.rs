//! The leader's lease: of several schedulers on one database, one fires and starts; the others
//! wait for its lease to end.
//!
//! A lease is one row. Whoever takes it raises its term, and whoever acts as leader locks the row
//! with the term it was given in the same transaction ([`hold`]): a leader that was stopped for a
//! while and has been replaced can do nothing any more, whatever it believes. Time is the
//! database's, so clocks of machines do not matter.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::{Owner, StateDb, signed, unsigned};
use crate::error::RunError;

/// How long a lease, and the ownership of a run, outlives the last sign of life of its holder.
pub const LEASE: Duration = Duration::from_secs(6);

/// The only lease so far.
const SCHEDULER: &str = "scheduler";

/// A leader's right to act: its number of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    token: Uuid,
    number: i64,
}

impl Term {
    /// How often the lease has been taken, including this time.
    #[must_use]
    pub fn number(self) -> i64 {
        self.number
    }
}

/// Who leads, or led last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Its machine's name.
    pub host: String,
    /// The process.
    pub owner: Owner,
    /// How often the lease has been taken.
    pub term: i64,
    /// Milliseconds until the lease ends; negative when it has.
    pub remaining_ms: i64,
}

impl StateDb {
    /// Takes the lease if it is free or has run out; `None` while somebody holds it. `token` names
    /// the scheduler, of which a process may have several.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn take_lease(
        &self,
        token: Uuid,
        owner: Owner,
        host: &str,
    ) -> Result<Option<Term>, RunError> {
        let now = self.dialect.now();
        let take = format!(
            "INSERT INTO leases (name, token, term, expires_at, host, machine, pid, started)
             VALUES ($1, $2, 1, {now} + $3, $4, $5, $6, $7)
             ON CONFLICT (name) DO UPDATE SET token = excluded.token, term = leases.term + 1,
               expires_at = excluded.expires_at, host = excluded.host,
               machine = excluded.machine, pid = excluded.pid, started = excluded.started
             WHERE leases.expires_at <= {now}
             RETURNING term"
        );
        let taken = sqlx::query(AssertSqlSafe(take))
            .bind(SCHEDULER)
            .bind(token.to_string())
            .bind(milliseconds())
            .bind(host)
            .bind(signed(owner.machine))
            .bind(i64::from(owner.pid))
            .bind(signed(owner.start))
            .fetch_all(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(taken.first().map(|row| Term {
            token,
            number: row.get("term"),
        }))
    }

    /// Prolongs the lease; `false` when somebody else has it by now.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn renew_lease(&self, term: Term) -> Result<bool, RunError> {
        self.set_expiry(term, milliseconds()).await
    }

    /// Gives the lease back, so that the next leader need not wait.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn release_lease(&self, term: Term) -> Result<(), RunError> {
        self.set_expiry(term, -1).await.map(drop)
    }

    async fn set_expiry(&self, term: Term, from_now: i64) -> Result<bool, RunError> {
        let now = self.dialect.now();
        let update = format!(
            "UPDATE leases SET expires_at = {now} + $1 WHERE name = $2 AND token = $3 AND term = $4"
        );
        let done = sqlx::query(AssertSqlSafe(update))
            .bind(from_now)
            .bind(SCHEDULER)
            .bind(term.token.to_string())
            .bind(term.number)
            .execute(&self.pool)
            .await
            .map_err(self.failed("write to"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Who leads, or led last; `None` when nobody ever did.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn leader(&self) -> Result<Option<Leader>, RunError> {
        let now = self.dialect.now();
        let select = format!(
            "SELECT host, machine, pid, started, term, expires_at - {now} AS remaining
             FROM leases WHERE name = $1"
        );
        let row = sqlx::query(AssertSqlSafe(select))
            .bind(SCHEDULER)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.failed("read"))?;
        Ok(row.as_ref().map(leader))
    }

    /// Ends the lease of a leader that is known to be gone before its time is over.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn end_lease_of(&self, gone: &Leader) -> Result<(), RunError> {
        sqlx::query("UPDATE leases SET expires_at = 0 WHERE name = $1 AND term = $2")
            .bind(SCHEDULER)
            .bind(gone.term)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(self.failed("write to"))
    }
}

fn leader(row: &AnyRow) -> Leader {
    Leader {
        host: row.get("host"),
        owner: Owner {
            machine: unsigned(row.get("machine")),
            pid: u32::try_from(row.get::<i64, _>("pid")).unwrap_or_default(),
            start: unsigned(row.get("started")),
        },
        term: row.get("term"),
        remaining_ms: row.get("remaining"),
    }
}

fn milliseconds() -> i64 {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}

/// Locks the lease for the rest of the transaction if the term still holds; without one (somebody
/// at a terminal) there is nothing to hold. `false`: somebody else leads.
pub(super) async fn hold(tx: &mut AnyConnection, term: Option<Term>) -> Result<bool, sqlx::Error> {
    let Some(term) = term else { return Ok(true) };
    let done =
        sqlx::query("UPDATE leases SET term = term WHERE name = $1 AND token = $2 AND term = $3")
            .bind(SCHEDULER)
            .bind(term.token.to_string())
            .bind(term.number)
            .execute(tx)
            .await?;
    Ok(done.rows_affected() == 1)
}
