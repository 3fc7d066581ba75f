//! Checks the data and writes down what it found.
//!
//! Each finding names a rule, what it is about, what was seen and what to do. Findings are kept in
//! `data_findings`; an error among them fails the step after they are written, so that nothing
//! downstream runs on bad data.
//!
//! Rules, their limits and their severities are those of the upload contract. Some of it is kept
//! elsewhere, and in a few places this step differs:
//!
//! - A typed table holds no null day, no null target and no two rows with one key: reading it
//!   would have failed. So `target.null` never fires here, `date.null` looks for days that stand
//!   for "no day" in spreadsheets (1970-01-01 and before), and `date.duplicate` for rows that
//!   differ only in letter case or spaces.
//! - `date.gap` and `date.mixed_frequency` are errors on `outcome` and `controls`, but warnings
//!   on `media_daily`: an ad export has no row for a day without delivery. Orders are events, so
//!   days without one are normal; more than `order_gap_days` in a row are a warning.
//! - `date.future` needs a reference: the end of the window, or the newest order or touch when
//!   that is later, so that a backfill of an old window does not take all that came after it for
//!   the future. Without a window it is skipped.
//! - `media.null`: a channel without any cost (a newsletter) is a warning, not an error.
//! - `var.low` needs 8 periods and `tail.partial` 3: below, neither limit means anything.
//! - `rows.few` is about the target. `parameters` is the number of channels and controls, unless
//!   the configuration says otherwise. For monthly data the contract names no limit.
//! - `currency.mixed` is an addition: money in two currencies cannot be added.

mod assertions;
mod checks;
mod columns;
mod config;
mod finding;
mod rules;
mod series;

pub use config::{Config, Level};
pub use finding::{Finding, Severity};

use mixline_schema::catalog::{Controls, DataFindings, MediaDaily, Orders, Outcome, Touchpoints};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

use crate::checks::Data;

inputs! {
    /// What the step reads: whatever there is.
    pub struct Inputs {
        /// Spend and delivery.
        media: Option<MediaDaily>,
        /// Orders.
        orders: Option<Orders>,
        /// Marketing touches.
        touchpoints: Option<Touchpoints>,
        /// What a model would explain.
        outcome: Option<Outcome>,
        /// Non-media drivers.
        controls: Option<Controls>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// What was found.
        findings: DataFindings => Replace,
    }
}

/// Errors named in the step's own error; the rest is in the findings.
const NAMED: usize = 3;

/// The step.
#[derive(Debug)]
pub struct Check;

impl Step for Check {
    const NAME: &'static str = "step-check";
    const ABOUT: &'static str = "Checks data quality; errors stop the run, findings are kept.";
    const WINDOWED: bool = true;
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let data = Data {
            media: rows(inputs.media),
            orders: rows(inputs.orders),
            touchpoints: rows(inputs.touchpoints),
            outcome: rows(inputs.outcome),
            controls: rows(inputs.controls),
            window: ctx.window(),
        };
        if data.is_empty() {
            return Err(StepError::nothing_to_do("there is no data to check yet")
                .hint("run the ingest step first"));
        }
        let findings = config.apply(checks::all(&data, config));
        for severity in Severity::ALL {
            let count = findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .count();
            ctx.note(format!("{}s", severity.word()), count);
        }
        ctx.note_assertions(&assertions::of(&data, config, &findings));
        if let Some(error) = failure(&findings) {
            ctx.fail_after_commit(error);
        }
        let rows = findings.into_iter().map(Finding::into_row).collect();
        Ok(Outputs {
            findings: Table::from_rows(rows)?,
        })
    }
}

fn rows<A: mixline_schema::Artifact>(table: Option<Table<A>>) -> Vec<A> {
    table.map_or_else(Vec::new, |table| table.rows())
}

/// The error of the step, if a finding is one.
fn failure(findings: &[Finding]) -> Option<StepError> {
    let errors: Vec<_> = findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .collect();
    let more = match errors.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("; and {more} more"),
        _ => String::new(),
    };
    let named: Vec<String> = errors
        .iter()
        .take(NAMED)
        .map(|finding| finding.summary())
        .collect();
    let count = match errors.len() {
        0 => return None,
        1 => "1 finding is an error".to_owned(),
        many => format!("{many} findings are errors"),
    };
    let error = StepError::data(format!("{count}: {}{more}", named.join("; ")));
    Some(error.hint(
        "all findings, with advice, are in `data_findings`; correct the source, or change what a \
         code means under `severity` in this task's configuration",
    ))
}

#[cfg(test)]
mod tests;
