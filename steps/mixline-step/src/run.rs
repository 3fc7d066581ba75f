//! The edge: process arguments in, exit code out. Only here are clock, signals and terminal read.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode as ProcessExit;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mixline_schema::{ExitCode, StepResult, StepStatus};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Instrument as _;

use crate::cli::{self, Asked, Command, RunArgs};
use crate::context::Context;
use crate::error::StepError;
use crate::execute::{Execution, Report};
use crate::program::Program;
use crate::step::{Step, Tool};
use crate::{logging, panics, report, request};

/// How long a step may go on after the first signal. Callers kill after ten seconds at the
/// earliest, and the result must still be written.
const GRACE: Duration = Duration::from_secs(3);

/// The `main` of a step binary.
///
/// Parses the command line, runs the step, and turns whatever happens into an exit code of
/// [`mixline_schema::ExitCode`].
#[must_use]
pub fn main<S: Step>() -> ProcessExit {
    let program = Program::of::<S>();
    match cli::parse(S::NAME, &program.descriptor, S::TOOLS, std::env::args_os()) {
        Err(error) => {
            // Help and version are errors to clap, but not to us.
            let _ = error.print();
            let usage = error.use_stderr();
            ProcessExit::from(
                if usage {
                    ExitCode::Usage
                } else {
                    ExitCode::Done
                }
                .code(),
            )
        }
        Ok(Asked::Contract(Command::Describe)) => describe(&program),
        Ok(Asked::Contract(Command::Run(args))) => work(program, &args, Mode::Run),
        Ok(Asked::Contract(Command::Check(args))) => work(program, &args, Mode::Check),
        Ok(Asked::Tool(tool, arguments)) => inspect(tool, &arguments),
    }
}

/// Runs a tool and prints what it found.
fn inspect(tool: Tool, arguments: &clap::ArgMatches) -> ProcessExit {
    let guarded = AssertUnwindSafe(|| (tool.run)(arguments));
    let ended =
        panic::catch_unwind(guarded).unwrap_or_else(|payload| Err(panics::as_error(&*payload)));
    match ended {
        Ok(found) => print(&found),
        Err(error) => {
            report::error(&error, cli::LogFormat::Pretty);
            ProcessExit::from(error.exit_code().code())
        }
    }
}

fn print(document: &impl serde::Serialize) -> ProcessExit {
    use std::io::Write as _;
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    // A reader that closed the pipe early has what it wanted.
    let _ = writeln!(std::io::stdout(), "{text}");
    ProcessExit::SUCCESS
}

#[derive(Clone, Copy)]
enum Mode {
    Run,
    Check,
}

fn describe(program: &Program) -> ProcessExit {
    print(&program.descriptor)
}

/// Runs or checks, then reports and leaves the process.
fn work(program: Program, args: &RunArgs, mode: Mode) -> ProcessExit {
    let started = Instant::now();
    let step = program.descriptor.name.clone();
    let ctx = Context::new(None, 0, logging::progress(logging::format(args)));
    let guarded = AssertUnwindSafe(|| execute(program, args, mode, ctx.clone()));
    let ended = logging::start(args).and_then(|()| {
        panic::catch_unwind(guarded).unwrap_or_else(|payload| Err(panics::as_error(&*payload)))
    });
    ctx.finish_progress();
    let (report, failure) = match ended {
        Ok(mut report) => {
            let failure = report.error.take();
            (Some(report), failure)
        }
        Err(error) => (None, Some(error)),
    };
    let code = failure
        .as_ref()
        .map_or(ExitCode::Done, StepError::exit_code);
    if let Some(error) = &failure {
        tell(error, args);
    }
    let (outputs, fingerprint) = report
        .as_ref()
        .map(|r| (r.outputs.clone(), r.fingerprint.clone()))
        .unwrap_or_default();
    let result = StepResult {
        status: match (&report, code) {
            (_, ExitCode::NothingToDo) => StepStatus::Skipped,
            (Some(report), _) => report.status,
            (None, _) => StepStatus::Failed,
        },
        step,
        outputs,
        fingerprint,
        seconds: started.elapsed().as_secs_f64(),
        peak_rss_mib: report::peak_rss_mib(),
        checks: ctx.notes(),
        error: failure.as_ref().map(StepError::chain),
    };
    report::result(&result, args.result_file.as_deref());
    // A step function that ignores the signal may still be running on its thread: returning
    // would wait for it.
    std::process::exit(i32::from(number(code, args)));
}

/// The number given to the operating system: callers may have one of their own for nothing to do.
fn number(code: ExitCode, args: &RunArgs) -> u8 {
    match code {
        ExitCode::NothingToDo => args.skip_exit_code,
        other => other.code(),
    }
}

/// Says why the step did not succeed; nothing to do is news, not an error.
fn tell(error: &StepError, args: &RunArgs) {
    if error.exit_code() == ExitCode::NothingToDo {
        tracing::info!(reason = %error.chain(), "nothing to do");
    } else {
        report::error(error, logging::format(args));
    }
}

fn execute(
    program: Program,
    args: &RunArgs,
    mode: Mode,
    ctx: Context,
) -> Result<Report, StepError> {
    let request = request::build(&program, args)?;
    let run = request.context.run.as_ref();
    let span = tracing::info_span!(
        "step",
        step = program.descriptor.name,
        trace_id = args.traceparent.as_deref().and_then(logging::trace_id),
        run_id = run.map(|run| run.run_id.as_str()),
        task = run.map(|run| run.task.as_str()),
        attempt = run.map(|run| run.attempt),
    );
    panics::remember_places();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| StepError::temporary("threads cannot be started").because(error))?;
    let ctx = ctx.for_request(request.context.window, request.context.seed);
    let execution = Execution {
        program,
        request,
        ctx: ctx.clone(),
        now,
    };
    let ended = runtime.block_on(async {
        let signals = Signals::new()?;
        let work = async {
            match mode {
                Mode::Run => execution.run().await,
                Mode::Check => check(&execution).await,
            }
        };
        until_stopped(work.instrument(span), signals, &ctx).await
    });
    runtime.shutdown_background();
    ended
}

/// Waits for the work, or for a signal and what follows it.
async fn until_stopped(
    work: impl Future<Output = Result<Report, StepError>>,
    mut signals: Signals,
    ctx: &Context,
) -> Result<Report, StepError> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        ended = &mut work => return ended,
        () = signals.next() => {}
    }
    ctx.stop();
    tracing::warn!("stopping on a signal");
    tokio::select! {
        // Everything was committed before the step noticed: that is a success, not a stop.
        ended = work => if let Ok(report) = ended { return Ok(report) },
        () = tokio::time::sleep(GRACE) => {}
        () = signals.next() => {}
    }
    Err(StepError::stopped())
}

async fn check(execution: &Execution) -> Result<Report, StepError> {
    match execution.check().await {
        Ok(()) => Ok(Report {
            status: StepStatus::Succeeded,
            outputs: Vec::new(),
            fingerprint: None,
            error: None,
        }),
        Err(mut problems) if problems.len() == 1 => Err(problems.remove(0)),
        Err(problems) => Err(StepError::several(&problems)),
    }
}

/// The two signals that ask a process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, StepError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| StepError::temporary("signals cannot be heard").because(error))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that reads the clock"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
