//! Looks at the data before a model does.
//!
//! Findings come with a severity and advice; an *error* (a constant outcome, two series that are
//! one) stops the run, unless the configuration says otherwise. The numbers behind them are kept
//! in `explore_statistics`.
//!
//! - `names`: no two series share one;
//! - `alone`: each series by itself: variation, media without spend, outliers;
//! - `together`: correlation, variance inflation, collinearity with geos and periods;
//! - `amount`: enough data for so many parameters, spend concentration;
//! - `regression`: a ridge fit, to see what the data say without priors.

mod alone;
mod amount;
mod config;
mod names;
mod notes;
mod regression;
mod together;

pub use config::Config;

use mixline_model_tables::read_panel;
use mixline_schema::catalog::{DataFindings, Design, ExploreStatistics};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

use crate::notes::Notes;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The series to be fitted.
        design: Design,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// What was found.
        findings: DataFindings as "explore_findings" => Replace,
        /// The numbers behind it.
        statistics: ExploreStatistics => Replace,
    }
}

/// Measures of the values, and counts of series and regions beside them.
const NUMBER: &[&str] = &["design.geo", "design.variable", "design.value"];

/// The step.
#[derive(Debug)]
pub struct Explore;

impl Step for Explore {
    const NAME: &'static str = "step-explore";
    const ABOUT: &'static str = "Looks at the data before a model does.";
    const COLUMNS: &'static [Column] = &[
        Column::made("findings.code", &[]),
        Column::made("findings.severity", &["design.value"]),
        Column::made("findings.artifact", &[]),
        Column::same("findings.subject", &["design.variable"]),
        Column::made(
            "findings.at",
            &["design.date", "design.geo", "design.variable"],
        ),
        Column::made(
            "findings.message",
            &[
                "design.date",
                "design.geo",
                "design.variable",
                "design.value",
            ],
        ),
        Column::made("findings.advice", &[]),
        Column::made("findings.value", NUMBER),
        // Limits are configured, but what is an outlier follows from the quartiles.
        Column::made("findings.threshold", &["design.value"]),
        Column::made("statistics.statistic", &[]),
        Column::same("statistics.subject", &["design.variable"]),
        Column::same("statistics.other", &["design.variable"]),
        Column::made("statistics.value", NUMBER),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let (panel, _) = read_panel(&inputs.design.rows()).map_err(|error| {
            StepError::data("the design makes no panel")
                .because(error)
                .hint("run step-prepare again")
        })?;
        names::check(&panel)?;
        let mut notes = Notes::default();
        alone::look(config, &panel, &mut notes);
        ctx.progress(0.3, "comparing series");
        together::look(config, &panel, &mut notes);
        amount::look(config, &panel, &mut notes);
        ctx.progress(0.7, "a first regression");
        regression::look(&panel, &mut notes);
        let count = |severity: &str| {
            notes
                .findings
                .iter()
                .filter(|row| row.severity == severity)
                .count()
        };
        ctx.note("errors", count("error"));
        ctx.note("warnings", count("warning"));
        ctx.note("suggestions", count("suggestion"));
        let first = notes.findings.iter().find(|row| row.severity == "error");
        if let (Some(first), true) = (first, config.stop_on_error) {
            let text = format!(
                "{} errors in the data; the first: {}",
                count("error"),
                first.message
            );
            ctx.fail_after_commit(StepError::data(text).hint(first.advice.clone()));
        }
        Ok(Outputs {
            findings: Table::from_rows(notes.findings)?,
            statistics: Table::from_rows(notes.statistics)?,
        })
    }
}

#[cfg(test)]
mod tests;
