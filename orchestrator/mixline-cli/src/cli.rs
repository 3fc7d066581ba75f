//! The command line: global options, the list of commands, and who carries each out.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::commands::{
    artifact, attribution, backfill, dag, decisions, doctor, export, init, lineage, logs, model,
    plan, resume, run, runs, schedule, state, step, whatif, why,
};
use crate::failure::Outcome;
use crate::ui::style::Style;

/// Marketing measurement as a pipeline: plan it, run it, and see where every number came from.
#[derive(Debug, Parser)]
#[command(name = "mixline", version, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done, 1 a run failed, 2 wrong command line, 65 data, 74 storage, 78 configuration,
130 and 143 stopped by a signal.

Start here:  mixline init shop && cd shop && mixline step run step-synthesize
             mixline run daily_ingest")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Folder of the project; by default the nearest one upwards that holds a mixline.toml
    #[arg(long, global = true, value_name = "DIR", env = "MIXLINE_PROJECT")]
    #[arg(help_heading = "Global options")]
    pub(crate) project: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// What to log to standard error [default: warn, and info for `schedule run`]
    #[arg(long, global = true, value_name = "LEVEL", env = "MIXLINE_LOG")]
    #[arg(help_heading = "Global options", hide_env = true)]
    pub(crate) log: Option<LogLevel>,
    /// How to log [default: json for `schedule run` when nobody watches, else pretty]
    #[arg(long, global = true, value_name = "FORMAT", env = "MIXLINE_LOG_FORMAT")]
    #[arg(help_heading = "Global options", hide_env = true)]
    pub(crate) log_format: Option<LogFormat>,
    /// When to color; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(help_heading = "Global options")]
    pub(crate) color: ColorWhen,
}

/// How much to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Pretty,
    Json,
}

/// When to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Plan(plan::Args),
    Run(run::Args),
    Backfill(backfill::Args),
    Runs(runs::Args),
    Logs(logs::Args),
    Why(why::Args),
    Lineage(lineage::Args),
    Artifact(artifact::Args),
    Attribution(attribution::Args),
    Model(model::Args),
    Optimize(whatif::Optimize),
    Simulate(whatif::Simulate),
    Decisions(decisions::Args),
    Step(step::Args),
    Schedule(schedule::Args),
    Dag(dag::Args),
    Export(export::Args),
    Resume(resume::Args),
    State(state::Args),
    Doctor(doctor::Args),
}

/// Reads the command line and carries out the command.
pub(crate) fn run() -> Outcome<ExitCode> {
    let cli = Cli::parse();
    let format = cli.global.log_format.unwrap_or(cli.command.log_format());
    start_logging(cli.global.log.unwrap_or(cli.command.log_level()), format);
    let app = App::new(cli.global);
    // One thread is enough: the work is in the step processes, and it starts fastest.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(cli.command.execute(&app))
}

impl Command {
    /// What a command logs when nobody says: one that runs for weeks says what it does.
    fn log_level(&self) -> LogLevel {
        match self {
            Self::Schedule(args) if args.is_run() => LogLevel::Info,
            _ => LogLevel::Warn,
        }
    }

    /// How a command logs when nobody says: one that runs for weeks writes for machines.
    fn log_format(&self) -> LogFormat {
        match self {
            Self::Schedule(args) if args.is_run() && !std::io::stderr().is_terminal() => {
                LogFormat::Json
            }
            _ => LogFormat::Pretty,
        }
    }

    async fn execute(self, app: &App) -> Outcome<ExitCode> {
        match self {
            Self::Init(args) => init::execute(app, &args),
            Self::Plan(args) => plan::execute(app, &args).await,
            Self::Run(args) => run::execute(app, &args).await,
            Self::Backfill(args) => backfill::execute(app, &args).await,
            Self::Runs(args) => runs::execute(app, args).await,
            Self::Logs(args) => logs::execute(app, &args).await,
            Self::Why(args) => why::execute(app, &args).await,
            Self::Lineage(args) => lineage::execute(app, &args).await,
            Self::Artifact(args) => artifact::execute(app, args).await,
            Self::Attribution(args) => attribution::execute(app, &args).await,
            Self::Model(args) => model::execute(app, &args).await,
            Self::Optimize(args) => whatif::optimize(app, &args).await,
            Self::Simulate(args) => whatif::simulate(app, &args).await,
            Self::Decisions(args) => decisions::execute(app, &args).await,
            Self::Step(args) => step::execute(app, args).await,
            Self::Schedule(args) => schedule::execute(app, args).await,
            Self::Dag(args) => dag::execute(app, &args),
            Self::Export(args) => export::execute(app, &args).await,
            Self::Resume(args) => resume::execute(app, &args).await,
            Self::State(args) => state::execute(app, &args).await,
            Self::Doctor(args) => doctor::execute(app, &args).await,
        }
    }
}

/// Ours at the level asked for; other crates only when they warn.
fn start_logging(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Off => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let others = if matches!(level, "off" | "error") {
        level
    } else {
        "warn"
    };
    let ours = ["mixline", "mixline_run", "mixline_artifact"].map(|name| format!("{name}={level}"));
    let filter = EnvFilter::new(format!("{others},{}", ours.join(",")));
    let logs = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter);
    match format {
        LogFormat::Json => logs.json().flatten_event(true).init(),
        LogFormat::Pretty => {
            let colored = Style::for_stderr().is_colored();
            logs.with_ansi(colored).with_target(false).compact().init();
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_top_level_help_names_every_command() {
        let help = Cli::command().term_width(100).render_help().to_string();
        insta::assert_snapshot!(help);
    }
}
