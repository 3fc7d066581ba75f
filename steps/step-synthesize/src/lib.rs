//! Makes a synthetic world: the export files of a shop whose truth is known.
//!
//! The files go to a folder, as platforms would deliver them; the truth (what each channel really
//! brought in) goes to the store as `truth_daily`. A world with more days begins like one with
//! fewer, so a second call with `days` raised is the next delivery.
//!
//! Like every source, this step does I/O of its own: it writes below `out`, each file whole. The
//! folder is observed, so a file that was changed or deleted is written again.

mod config;

pub use config::Config;

use std::path::Path;

use mixline_schema::catalog::TruthDaily;
use mixline_step::{Context, Step, StepError, Table, inputs, outputs};
use mixline_testkit::{World, exports};

inputs! {
    /// Nothing is read.
    pub struct Inputs {}
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Spend and true contribution by day and channel.
        truth: TruthDaily => Replace,
    }
}

/// The step.
#[derive(Debug)]
pub struct Synthesize;

impl Step for Synthesize {
    const NAME: &'static str = "step-synthesize";
    const ABOUT: &'static str = "Makes a synthetic world: export files, and the truth behind them.";
    const OBSERVES: &'static [&'static str] = &["out"];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, _: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        ctx.progress(0.0, "making the world");
        let world = World::generate(&config.spec(ctx.seed()));
        ctx.progress(0.6, "writing the exports");
        let out = Path::new(&config.out);
        let files = exports::write(&world, out).map_err(|error| {
            StepError::storage(format!(
                "the exports cannot be written to `{}`",
                out.display()
            ))
            .because(error)
            .hint("check that the folder may be written, or set `out` to another one")
        })?;
        ctx.note("days", world.days.len());
        ctx.note("orders", world.orders.len());
        ctx.note("touches", world.touches.len());
        ctx.note("files", files.len());
        Ok(Outputs {
            truth: Table::from_rows(world.truth_daily())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_six_exports_and_the_truth() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("raw").display().to_string();
        let config = Config {
            days: 30,
            out: out.clone(),
            ..Config::default()
        };
        let ctx = Context::for_test().with_seed(3);
        let outputs = Synthesize::run(&config, Inputs {}, &ctx).unwrap();
        assert_eq!(
            outputs.truth.len(),
            30 * 5,
            "four channels and the baseline"
        );
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 6);
        assert_eq!(ctx.notes()["days"], 30);
    }

    #[test]
    fn the_seed_is_the_runs_unless_the_config_sets_one() {
        let rows = |config_seed, run_seed| {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().display().to_string();
            let config = Config {
                days: 5,
                seed: config_seed,
                out,
                ..Config::default()
            };
            let ctx = Context::for_test().with_seed(run_seed);
            Synthesize::run(&config, Inputs {}, &ctx)
                .unwrap()
                .truth
                .rows()
        };
        assert_eq!(rows(None, 4), rows(Some(4), 9));
        assert_ne!(rows(None, 4), rows(None, 9));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_storage_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let config = Config {
            days: 2,
            out: file.display().to_string(),
            ..Config::default()
        };
        let error = Synthesize::run(&config, Inputs {}, &Context::for_test()).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
