//! Which windows are due.
//!
//! A fire at time *t* runs the interval from the previous fire to *t*: a run starts when its data
//! is complete. Times are wall-clock times of the DAG's zone, by the Vixie rules: a fixed time in
//! the spring gap fires at the first valid instant, a fixed time in the autumn fold fires once,
//! and patterns with a wildcard or step in the hour or minute follow real time through both.
//!
//! [`due`] is a pure function of schedule, cursor and now, so it can be asked again after any
//! restart and never loses or doubles a fire.

use std::str::FromStr as _;

use chrono::{DateTime, Days, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use mixline_schema::Window;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PlanError;
use crate::suggest;

/// When a DAG runs by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schedule {
    /// Cron expression as written.
    pub cron: String,
    /// IANA zone whose clocks it means.
    pub zone: Tz,
    /// What happens to windows missed while nothing was running.
    pub catch_up: CatchUp,
    /// Most windows that wait for their turn at once; later ones follow as these have run.
    pub catch_up_cap: usize,
    /// What happens when the previous run is still going.
    pub overlap: Overlap,
}

/// What happens to windows missed while nothing was running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Missed windows are skipped, but one due now runs.
    None,
    /// Only the last missed window runs.
    #[default]
    Last,
    /// All missed windows run, oldest first.
    All,
}

/// What happens when the previous run is still going.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The new window is skipped.
    Skip,
    /// The new window waits.
    #[default]
    Queue,
    /// The previous run is cancelled.
    CancelOther,
}

/// The schedule as written in a DAG file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub(crate) struct ScheduleFile {
    /// Cron expression: minute hour day month weekday, for example `0 6 * * *`.
    cron: String,
    /// IANA zone, for example `Europe/Berlin`.
    zone: String,
    /// What happens to windows missed while nothing was running.
    #[serde(default)]
    catch_up: CatchUp,
    /// Most windows caught up at once.
    #[serde(default = "default_cap")]
    catch_up_cap: usize,
    /// What happens when the previous run is still going.
    #[serde(default)]
    overlap: Overlap,
}

fn default_cap() -> usize {
    100
}

/// A fire to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fire {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The same on the zone's clocks, RFC 3339.
    pub local: String,
    /// The window it runs.
    pub window: Window,
    /// What the zone's clocks do to it.
    pub odd: Option<Odd>,
}

/// What a change of clocks does to a fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Odd {
    /// The clocks go forward within the window before it, which is shorter than usual, or the
    /// asked time does not exist on that day.
    Gap,
    /// The clocks go back within the window before it, which is longer than usual.
    Fold,
}

/// How far ahead a next fire is looked for when a schedule is read.
const REFERENCE: i64 = 1_704_067_200; // 2024-01-01, a leap year: 29 February is found

impl Schedule {
    /// A schedule from its parts.
    ///
    /// # Errors
    /// What is wrong with the expression or the zone.
    pub fn new(
        cron: &str,
        zone: &str,
        catch_up: CatchUp,
        overlap: Overlap,
    ) -> Result<Self, Vec<PlanError>> {
        let file = ScheduleFile {
            cron: cron.into(),
            zone: zone.into(),
            catch_up,
            catch_up_cap: default_cap(),
            overlap,
        };
        Self::from_file(file, "schedule")
    }

    pub(crate) fn from_file(read: ScheduleFile, file: &str) -> Result<Self, Vec<PlanError>> {
        let mut errors = Vec::new();
        let zone = Tz::from_str(&read.zone).map_err(|_| {
            let hint = suggest::hint(
                &read.zone,
                chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()),
            );
            let message = format!("`{}` is not an IANA time zone", read.zone);
            errors.push(
                PlanError::new(file, "schedule.zone", "schedule.zone", message).maybe_hint(hint),
            );
        });
        if let Err(message) = usable(&read.cron) {
            errors.push(PlanError::new(
                file,
                "schedule.cron",
                "schedule.cron",
                message,
            ));
        }
        let zone = zone.unwrap_or(Tz::UTC);
        let ScheduleFile {
            cron,
            catch_up,
            catch_up_cap,
            overlap,
            ..
        } = read;
        if errors.is_empty() {
            Ok(Self {
                cron,
                zone,
                catch_up,
                catch_up_cap,
                overlap,
            })
        } else {
            Err(errors)
        }
    }

    /// The first fire strictly after an instant; `None` past the end of the calendar.
    #[must_use]
    pub fn next_after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = instant.with_timezone(&self.zone);
        let next = parse(&self.cron)
            .ok()?
            .find_next_occurrence(&local, false)
            .ok()?;
        Some(next.with_timezone(&Utc))
    }

    /// The last fire at or before an instant.
    #[must_use]
    pub fn last_until(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = instant.with_timezone(&self.zone);
        let last = parse(&self.cron)
            .ok()?
            .find_previous_occurrence(&local, true)
            .ok()?;
        Some(last.with_timezone(&Utc))
    }

    /// Every window whose fire lies in `(after, until]`, oldest first.
    pub fn windows(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> impl Iterator<Item = Window> + '_ {
        let mut start = self.last_until(after);
        let mut fire = self.next_after(after);
        std::iter::from_fn(move || {
            let end = fire.filter(|end| *end <= until)?;
            let window = Window {
                start: start.unwrap_or(after),
                end,
            };
            start = Some(end);
            fire = self.next_after(end);
            Some(window)
        })
    }
}

fn parse(cron: &str) -> Result<Cron, croner::errors::CronError> {
    CronParser::builder()
        .seconds(Seconds::Optional)
        .build()
        .parse(cron)
}

/// Whether an expression can be read and ever fires.
fn usable(cron: &str) -> Result<(), String> {
    let parsed = parse(cron).map_err(|e| format!("`{cron}` is not a cron expression: {e}"))?;
    let from = DateTime::from_timestamp(REFERENCE, 0).unwrap_or_default();
    match parsed.find_next_occurrence(&from, false) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{cron}` never fires")),
    }
}

/// The windows that are due: those whose fires lie in `(cursor, now]`, by the catch-up policy.
///
/// The caller moves the cursor to the end of the last window that it takes of them.
#[must_use]
pub fn due(schedule: &Schedule, cursor: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Window> {
    match schedule.catch_up {
        CatchUp::All => schedule
            .windows(cursor, now)
            .take(schedule.catch_up_cap)
            .collect(),
        CatchUp::Last => last(schedule, cursor, now).into_iter().collect(),
        CatchUp::None => {
            let fresh = |w: &Window| {
                schedule
                    .next_after(w.end)
                    .is_none_or(|next| now - w.end < (next - w.end) / 2)
            };
            last(schedule, cursor, now)
                .filter(fresh)
                .into_iter()
                .collect()
        }
    }
}

/// The newest window in `(cursor, now]`, without walking over all of them.
fn last(schedule: &Schedule, cursor: DateTime<Utc>, now: DateTime<Utc>) -> Option<Window> {
    let end = schedule.last_until(now).filter(|end| *end > cursor)?;
    let start = schedule.last_until(end - TimeDelta::milliseconds(1))?;
    Some(Window { start, end })
}

/// The next fires after an instant, with what the clocks do to them.
#[must_use]
pub fn preview(schedule: &Schedule, from: DateTime<Utc>, count: usize) -> Vec<Fire> {
    let far = from.checked_add_days(Days::new(366 * 100)).unwrap_or(from);
    schedule
        .windows(from, far)
        .take(count)
        .map(|window| fire(schedule, window))
        .collect()
}

fn fire(schedule: &Schedule, window: Window) -> Fire {
    let offset = |t: DateTime<Utc>| {
        schedule
            .zone
            .offset_from_utc_datetime(&t.naive_utc())
            .fix()
            .local_minus_utc()
    };
    let odd = match offset(window.start).cmp(&offset(window.end)) {
        std::cmp::Ordering::Less => Some(Odd::Gap),
        std::cmp::Ordering::Greater => Some(Odd::Fold),
        std::cmp::Ordering::Equal => None,
    };
    Fire {
        at: window.end,
        local: window.end.with_timezone(&schedule.zone).to_rfc3339(),
        window,
        odd,
    }
}
