//! What a database said, as an error that says what to do.

use std::sync::Arc;

use super::Dialect;
use crate::error::RunError;

/// Makes the error of a failed `action`.
pub(super) fn of(
    dialect: Dialect,
    action: &'static str,
    place: &Arc<str>,
) -> impl FnOnce(sqlx::Error) -> RunError + use<> {
    let place = place.to_string();
    move |source| {
        let kind = kind(dialect, &source);
        let source = Box::new(source);
        match kind {
            Kind::Locked => RunError::Locked { place, source },
            Kind::Unreachable => RunError::Unreachable { place, source },
            Kind::Refused => RunError::Refused { place, source },
            Kind::Absent => RunError::NoDatabase { place, source },
            Kind::Other => RunError::State {
                action,
                place,
                source,
            },
        }
    }
}

enum Kind {
    Locked,
    Unreachable,
    Refused,
    Absent,
    Other,
}

fn kind(dialect: Dialect, error: &sqlx::Error) -> Kind {
    let code = match error {
        sqlx::Error::Database(database) => database.code(),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut
            if dialect == Dialect::Postgres =>
        {
            return Kind::Unreachable;
        }
        _ => return Kind::Other,
    };
    match (dialect, code.as_deref().unwrap_or_default()) {
        (Dialect::Sqlite, code) => match code.parse::<u32>().map(|code| code & 0xff) {
            // Busy and locked, with their extended forms.
            Ok(5 | 6) => Kind::Locked,
            _ => Kind::Other,
        },
        // Lock not available, deadlock, serialization failure: the same again may go well.
        (Dialect::Postgres, "55P03" | "40P01" | "40001") => Kind::Locked,
        (Dialect::Postgres, "28000" | "28P01") => Kind::Refused,
        (Dialect::Postgres, "3D000") => Kind::Absent,
        // It starts, stops, or takes no more connections.
        (Dialect::Postgres, "57P01" | "57P02" | "57P03" | "53300") => Kind::Unreachable,
        (Dialect::Postgres, _) => Kind::Other,
    }
}
