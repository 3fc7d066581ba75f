//! What to plan: options that `plan`, `run` and `backfill` share.

use std::collections::BTreeSet;

use mixline_run::{Force, PlanOptions};
use mixline_schema::Window;

use crate::failure::{Failure, Outcome};

/// Options of a plan.
#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    /// Only these tasks, with what they need; may be given more than once
    #[arg(
        long = "select",
        short = 's',
        value_name = "TASK",
        value_delimiter = ','
    )]
    select: Vec<String>,
    /// Run every task, whatever exists
    #[arg(long)]
    force: bool,
    /// Run these tasks, whatever exists; may be given more than once
    #[arg(
        long,
        value_name = "TASK",
        value_delimiter = ',',
        conflicts_with = "force"
    )]
    force_task: Vec<String>,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl Request {
    /// The options for one window.
    pub(crate) fn options(&self, window: Option<Window>) -> PlanOptions {
        let force = match (self.force, self.force_task.is_empty()) {
            (true, _) => Force::All,
            (false, true) => Force::None,
            (false, false) => {
                Force::Tasks(self.force_task.iter().cloned().collect::<BTreeSet<_>>())
            }
        };
        PlanOptions {
            window,
            seed: self.seed,
            select: self.select.clone(),
            force,
        }
    }
}

/// A data interval on the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Interval {
    /// Data interval, end excluded: two days or instants (UTC) with `..` between them, or one day;
    /// without it, everything there is
    #[arg(long, short = 'w', value_name = "START..END")]
    window: Option<String>,
}

impl Interval {
    /// The interval, if one was given.
    pub(crate) fn window(&self) -> Outcome<Option<Window>> {
        self.window.as_deref().map(parse).transpose()
    }
}

fn parse(text: &str) -> Outcome<Window> {
    let (start, end) = match text.split_once("..") {
        Some((start, end)) => (Window::parse_bound(start)?, Window::parse_bound(end)?),
        None => {
            let start = Window::parse_bound(text)?;
            let end = start.checked_add_days(chrono::Days::new(1));
            (
                start,
                end.ok_or_else(|| Failure::usage(format!("{text} has no day after it")))?,
            )
        }
    };
    Ok(Window::new(start, end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_two_bounds_or_one_day() {
        assert_eq!(
            parse("2026-03-01..2026-03-08").unwrap().to_string(),
            "[2026-03-01, 2026-03-08)"
        );
        assert_eq!(
            parse("2026-03-01").unwrap().to_string(),
            "[2026-03-01, 2026-03-02)"
        );
        let instants = parse("2026-03-01T06:00:00Z..2026-03-02T06:00:00Z").unwrap();
        assert_eq!(
            instants.to_string(),
            "[2026-03-01T06:00:00Z, 2026-03-02T06:00:00Z)"
        );
    }

    #[test]
    fn an_empty_or_reversed_window_is_a_wrong_command_line() {
        for text in ["2026-03-02..2026-03-02", "2026-03-02..2026-03-01", "monday"] {
            assert_eq!(parse(text).unwrap_err().code(), 2, "{text}");
        }
    }
}
