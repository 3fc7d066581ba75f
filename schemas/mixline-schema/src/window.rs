//! The half-open data interval a run covers.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A half-open interval `[start, end)` of UTC instants.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First instant inside.
    pub start: DateTime<Utc>,
    /// First instant after.
    pub end: DateTime<Utc>,
}

/// A window that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// `start == end`.
    #[error(
        "the window is empty: start and end are both {0}. Airflow 3 turns a bare cron string into \
         zero-length intervals; use CronDataIntervalTimetable, or pass --allow-empty-window if you mean it"
    )]
    Empty(DateTime<Utc>),
    /// `start > end`.
    #[error("the window ends ({end}) before it starts ({start})")]
    Reversed {
        /// Given start.
        start: DateTime<Utc>,
        /// Given end.
        end: DateTime<Utc>,
    },
    /// A bound that is neither a day nor an instant.
    #[error("`{0}` is not a day (2026-11-20) or an instant (2026-11-20T06:00:00Z)")]
    Bound(String),
}

impl Window {
    /// A window that is not empty and not reversed.
    ///
    /// # Errors
    /// [`WindowError`] otherwise.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, WindowError> {
        match start.cmp(&end) {
            std::cmp::Ordering::Less => Ok(Self { start, end }),
            std::cmp::Ordering::Equal => Err(WindowError::Empty(start)),
            std::cmp::Ordering::Greater => Err(WindowError::Reversed { start, end }),
        }
    }

    /// Reads one bound: a day (its first instant, UTC) or an RFC 3339 instant.
    ///
    /// # Errors
    /// [`WindowError::Bound`] when it is neither.
    pub fn parse_bound(text: &str) -> Result<DateTime<Utc>, WindowError> {
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(day.and_time(NaiveTime::MIN).and_utc());
        }
        DateTime::parse_from_rfc3339(text)
            .map(|instant| instant.with_timezone(&Utc))
            .map_err(|_| WindowError::Bound(text.to_owned()))
    }

    /// Whether `start == end`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether the instant lies inside.
    #[must_use]
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether the day's first instant (UTC) lies inside.
    #[must_use]
    pub fn contains_day(&self, day: NaiveDate) -> bool {
        self.contains(day.and_time(NaiveTime::MIN).and_utc())
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |t: DateTime<Utc>| {
            if t.time() == NaiveTime::MIN {
                t.date_naive().to_string()
            } else {
                t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
            }
        };
        write!(f, "[{}, {})", text(self.start), text(self.end))
    }
}
