//! The command `mixline`: plans, runs and explains pipelines, and looks into the store.

mod app;
mod cli;
mod commands;
mod diff;
mod failure;
mod outside;
mod progress;
mod signals;
mod summary;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
