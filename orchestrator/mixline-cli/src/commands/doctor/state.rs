//! The state database and the clock.

use chrono::TimeDelta;
use mixline_run::Engine;
use mixline_run::store::RunFilter;

use super::Check;
use crate::app;
use crate::failure::Outcome;
use crate::ui::words;

/// A clock may be this much behind the newest run before it is called wrong.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// Whether it is sound.
pub(super) async fn database(engine: &Engine) -> Outcome<Check> {
    let health = engine.state().health().await?;
    let place = engine.state().place();
    let seen = format!(
        "{place}, {}, version {}",
        words::bytes(health.bytes),
        health.migration
    );
    if health.damage.is_empty() {
        return Ok(Check::ok("state", seen));
    }
    let seen = format!("{place} is damaged: {}", health.damage.join("; "));
    let advice = "stop every orchestrator and put a backup back: `mixline state restore`";
    Ok(Check::fail("state", seen, advice))
}

/// Whether time has gone backwards since the newest run: schedules would wait for it to catch up.
pub(super) async fn clock(engine: &Engine) -> Outcome<Check> {
    let now = app::now();
    let newest = RunFilter {
        limit: 1,
        ..RunFilter::default()
    };
    let newest = engine.state().runs(&newest).await?;
    let ahead = newest
        .first()
        .map(|run| run.created_at - now)
        .filter(|ahead| *ahead > SKEW);
    let seen = words::instant(now);
    Ok(match ahead {
        None => Check::ok("clock", format!("{seen} UTC")),
        Some(ahead) => Check::fail(
            "clock",
            format!(
                "{seen} UTC, {} s before the newest run began",
                ahead.num_seconds()
            ),
            "set the clock (or the time zone it was set in) right; until then schedules wait",
        ),
    })
}
