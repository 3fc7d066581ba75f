//! A step that does nothing: it waits, writes a small file, and can be told to fail.
//!
//! It is the smallest example of a step and the one that tests and benches run. Its input is
//! optional and its output may be renamed, so tasks can be chained without any data.

use std::time::Duration;

use mixline_schema::catalog::File;
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Anything; only its size is looked at.
        input: Option<File> as "noop_in",
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Rows that depend on nothing but configuration, input and seed.
        out: File as "noop" => Replace,
    }
}

/// How the step behaves.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long to wait, in milliseconds.
    pub sleep_ms: u64,
    /// Fail with this kind of error: `data`, `config`, `storage`, `temporary`, `credentials`,
    /// `bug`, `panic`, `nothing_to_do`, or `after_commit` (a data error after the commit).
    pub fail: Option<String>,
    /// Rows to write.
    pub rows: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sleep_ms: 0,
            fail: None,
            rows: 1,
        }
    }
}

/// How often the step looks whether it should stop while it waits.
const TICK: Duration = Duration::from_millis(20);

/// The step.
#[derive(Debug)]
pub struct Noop;

impl Step for Noop {
    const NAME: &'static str = "step-noop";
    const ABOUT: &'static str = "Waits, writes a small file, and can be told to fail.";
    const COLUMNS: &'static [Column] = &[
        Column::made("out.name", &[]),
        Column::made("out.media_type", &[]),
        // It tells how many rows were read.
        Column::summed("out.bytes", &["input.name"]),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        match config.fail.as_deref() {
            None | Some("panic" | "after_commit") => Ok(()),
            Some(kind) => failure(kind).map(drop).ok_or_else(|| {
                StepError::config(format!("`fail`: `{kind}` is no kind of error"))
                    .hint("the schema of `fail` lists the kinds")
            }),
        }
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        wait(Duration::from_millis(config.sleep_ms), ctx);
        match config.fail.as_deref() {
            None => {}
            Some("after_commit") => ctx.fail_after_commit(StepError::data("told to fail")),
            Some(kind) => return Err(failure(kind).unwrap_or_else(|| panic!("told to panic"))),
        }
        let read = inputs.input.map_or(0, |input| input.len());
        ctx.note("rows_read", read);
        let rows = (0..config.rows)
            .map(|row| File {
                name: format!("noop-{row}.txt"),
                media_type: "text/plain".to_owned(),
                bytes: format!("row {row}, seed {}, {read} rows read", ctx.seed()).into_bytes(),
            })
            .collect();
        Ok(Outputs {
            out: Table::from_rows(rows)?,
        })
    }
}

/// Sleeps in short ticks, so that a signal is noticed.
fn wait(total: Duration, ctx: &Context) {
    let mut waited = Duration::ZERO;
    while waited < total && !ctx.stopping() {
        ctx.progress(waited.as_secs_f64() / total.as_secs_f64(), "waiting");
        let tick = TICK.min(total - waited);
        std::thread::sleep(tick);
        waited += tick;
    }
}

/// The error of a kind; `None` for a kind there is not.
fn failure(kind: &str) -> Option<StepError> {
    let message = "told to fail";
    Some(match kind {
        "data" => StepError::data(message),
        "config" => StepError::config(message),
        "storage" => StepError::storage(message),
        "temporary" => StepError::temporary(message),
        "credentials" => StepError::credentials(message),
        "bug" => StepError::bug(message),
        "nothing_to_do" => StepError::nothing_to_do(message),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixline_schema::ExitCode;

    fn run(config: &Config) -> Result<Outputs, StepError> {
        Noop::run(config, Inputs { input: None }, &Context::for_test())
    }

    #[test]
    fn it_writes_as_many_rows_as_it_is_told() {
        let outputs = run(&Config {
            rows: 3,
            ..Config::default()
        })
        .unwrap();
        assert_eq!(outputs.out.len(), 3);
    }

    #[test]
    fn it_fails_as_it_is_told() {
        let config = Config {
            fail: Some("temporary".into()),
            ..Config::default()
        };
        Noop::validate(&config).unwrap();
        assert_eq!(run(&config).unwrap_err().exit_code(), ExitCode::Temporary);
        let config = Config {
            fail: Some("maybe".into()),
            ..Config::default()
        };
        assert_eq!(
            Noop::validate(&config).unwrap_err().exit_code(),
            ExitCode::Config
        );
    }
}
