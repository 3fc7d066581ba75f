//! The command line every step has. Each flag has an environment twin `MIXLINE_<FLAG>`.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use mixline_schema::{ExitCode, StepDescriptor};

use crate::step::Tool;

/// A step's command line.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What is asked of the step.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read, check, run, commit, report.
    Run(Box<RunArgs>),
    /// Print what the step reads, writes and can be told, as JSON.
    Describe,
    /// Check configuration, inputs and store; run nothing.
    Check(Box<RunArgs>),
}

/// Flags of `run` and `check`. Flags win over the context document.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RunArgs {
    /// The context document: a path, inline JSON, or `-` for standard input.
    #[arg(
        long,
        env = "MIXLINE_CONTEXT",
        value_name = "CONTEXT",
        hide_env_values = true
    )]
    pub(crate) context: Option<String>,
    /// The store: a folder, s3://…, gs://… or az://….
    #[arg(long, env = "MIXLINE_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
    /// What a port reads: `name`, `name@3`, `name@alias`, or a .parquet or .csv file.
    /// Repeatable; one entry per line in the environment.
    #[arg(
        long = "in",
        env = "MIXLINE_IN",
        value_name = "PORT=REF",
        value_delimiter = '\n'
    )]
    pub(crate) inputs: Vec<String>,
    /// Write only these ports when optional, or write a port under another artifact name.
    #[arg(
        long = "out",
        env = "MIXLINE_OUT",
        value_name = "PORT[=NAME]",
        value_delimiter = '\n'
    )]
    pub(crate) outputs: Vec<String>,
    /// Write plain `<artifact>.parquet` files into this folder and commit nothing.
    #[arg(long, env = "MIXLINE_OUT_DIR", value_name = "DIR")]
    pub(crate) out_dir: Option<PathBuf>,
    /// One configuration value; the value is read as TOML, or as text when it is not TOML.
    #[arg(
        long,
        env = "MIXLINE_SET",
        value_name = "KEY=VALUE",
        value_delimiter = '\n'
    )]
    pub(crate) set: Vec<String>,
    /// A configuration file, TOML or JSON.
    #[arg(long, env = "MIXLINE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// First instant of the window: a day or an RFC 3339 instant.
    #[arg(long, env = "MIXLINE_WINDOW_START", value_name = "INSTANT")]
    pub(crate) window_start: Option<String>,
    /// First instant after the window.
    #[arg(long, env = "MIXLINE_WINDOW_END", value_name = "INSTANT")]
    pub(crate) window_end: Option<String>,
    /// Accept a window whose start is its end.
    #[arg(long, env = "MIXLINE_ALLOW_EMPTY_WINDOW")]
    pub(crate) allow_empty_window: bool,
    /// Run although an earlier execution with the same fingerprint has committed its outputs.
    #[arg(long, env = "MIXLINE_FORCE")]
    pub(crate) force: bool,
    /// Random seed.
    #[arg(long, env = "MIXLINE_SEED", value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Write the result document here, too.
    #[arg(long, env = "MIXLINE_RESULT_FILE", value_name = "FILE")]
    pub(crate) result_file: Option<PathBuf>,
    /// Exit code when there is nothing to do; 0 for callers to whom any other code is a failure.
    #[arg(
        long,
        env = "MIXLINE_SKIP_EXIT_CODE",
        value_name = "CODE",
        default_value_t = ExitCode::NothingToDo.code()
    )]
    pub(crate) skip_exit_code: u8,
    /// How logs look; without it, `pretty` on a terminal and `json` elsewhere.
    #[arg(long, env = "MIXLINE_LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// Which logs are shown, for example `debug` or `mixline_artifact=debug,info`.
    #[arg(
        long,
        env = "MIXLINE_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub(crate) log: String,
    /// W3C trace context of the caller.
    #[arg(long, env = "TRACEPARENT", hide = true)]
    pub(crate) traceparent: Option<String>,
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// What the process was asked for: the contract's commands, or one of the step's own tools.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A command every step has.
    Contract(Command),
    /// A tool, with its arguments.
    Tool(Tool, clap::ArgMatches),
}

/// The command behind the process arguments.
pub(crate) fn parse<I, T>(
    name: &'static str,
    step: &StepDescriptor,
    tools: &[Tool],
    args: I,
) -> Result<Asked, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<std::ffi::OsString> + Clone,
{
    let command = Cli::command()
        .name(name)
        .about(step.about.clone())
        .version(env!("CARGO_PKG_VERSION"))
        .subcommands(tools.iter().map(|tool| (tool.command)()));
    let mut matches = command.try_get_matches_from(args)?;
    let named = |name: &str| {
        let mut tools = tools.iter();
        tools.find(|tool| (tool.command)().get_name() == name)
    };
    if let Some(tool) = matches.subcommand_name().and_then(named)
        && let Some((_, arguments)) = matches.remove_subcommand()
    {
        return Ok(Asked::Tool(*tool, arguments));
    }
    Cli::from_arg_matches(&matches).map(|cli| Asked::Contract(cli.command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Parser)]
    struct Run {
        #[command(flatten)]
        args: RunArgs,
    }

    fn skip_exit_code(words: &[&str]) -> Result<u8, clap::Error> {
        let words = std::iter::once("run").chain(words.iter().copied());
        Run::try_parse_from(words).map(|run| run.args.skip_exit_code)
    }

    #[test]
    fn nothing_to_do_is_99_unless_the_caller_says_otherwise() {
        assert_eq!(skip_exit_code(&[]).unwrap(), 99);
        assert_eq!(skip_exit_code(&["--skip-exit-code", "0"]).unwrap(), 0);
        assert!(skip_exit_code(&["--skip-exit-code", "256"]).is_err());
    }
}
