//! Stopping: a step that takes its time ends soon after SIGTERM, and one that is stopped at any moment
//! has either committed what it makes or left it to the next run.

use std::io;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use mixline_schema::ExitCode;

use crate::kit::{Call, Kit, entries};
use crate::{Finding, Subject, Verdict, finding, judge};

/// How long a step has to stop after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// When a run is stopped, in hundredths of the time that a whole one takes.
const MOMENTS: &[u32] = &[15, 35, 55, 70, 85];
/// The same for a container, whose start takes most of it.
const MOMENTS_OF_CONTAINERS: &[u32] = &[70, 85];
/// How often a container that may not run yet is sent the signal.
const PACE: Duration = Duration::from_millis(10);

/// A whole run, with which stopped ones are compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    pub(crate) took: Duration,
    pub(crate) commits: usize,
}

/// How a run ended that was sent SIGTERM.
enum Ended {
    /// It stopped, after so long.
    Stopped(Duration),
    /// It was quicker than the signal.
    Finished,
}

impl Kit<'_> {
    /// SIGTERM ends a run that has time, and harms none that hasn't.
    pub(crate) fn stops(&self, whole: Option<Whole>) -> Finding {
        let rule = "sigterm";
        match (&self.options.slow_args, whole) {
            (Some(slow), _) => judge(rule, self.stops_slow(slow)),
            (None, Some(whole)) => judge(rule, self.stops_at_any_moment(whole)),
            (None, None) => {
                let detail = "nothing was given that makes the step succeed, or take long";
                finding(rule, Verdict::NotApplicable, detail)
            }
        }
    }

    fn stops_slow(&self, slow: &[String]) -> Result<String, String> {
        let slow: Vec<&str> = slow.iter().map(String::as_str).collect();
        let store = self.store("sigterm");
        // A container needs a while to start.
        let moment = Duration::from_secs(match self.subject {
            Subject::Binary(_) => 1,
            Subject::Image(_) => 4,
        });
        match self.stop(&self.run_args(&store, &slow), "sigterm", moment)? {
            Ended::Stopped(took) => Ok(format!("exit 143 after {} ms", took.as_millis())),
            Ended::Finished => Err("it ended before it could be stopped".to_owned()),
        }
    }

    fn stops_at_any_moment(&self, whole: Whole) -> Result<String, String> {
        let moments = match self.subject {
            Subject::Binary(_) => MOMENTS,
            Subject::Image(_) => MOMENTS_OF_CONTAINERS,
        };
        let mut stopped = Vec::new();
        for moment in moments {
            let name = format!("sigterm-{moment}");
            let store = self.store(&name);
            let args = self.run_args(&store, &[]);
            if let Ended::Stopped(took) = self.stop(&args, &name, whole.took * *moment / 100)? {
                stopped.push(took);
            }
            self.goes_on(&args, &store, whole).map_err(|why| {
                format!("stopped at {moment} % of its time, then run again: {why}")
            })?;
        }
        let slowest = stopped.iter().max().copied().unwrap_or_default();
        Ok(format!(
            "{} of {} runs stopped, within {} ms; all were whole when run again",
            stopped.len(),
            moments.len(),
            slowest.as_millis()
        ))
    }

    /// After the next run the store holds what one whole run commits, and nothing twice.
    fn goes_on(&self, args: &[&str], store: &str, whole: Whole) -> Result<(), String> {
        let call = self.call(args, "again")?;
        if call.code() != Some(0) {
            return Err(format!("the step {}", call.story()));
        }
        match entries(Path::new(store)) {
            commits if commits == whole.commits => Ok(()),
            commits => Err(format!("{commits} commits instead of {}", whole.commits)),
        }
    }

    /// Starts a run and sends it SIGTERM at a moment of its life.
    fn stop(&self, args: &[&str], name: &str, moment: Duration) -> Result<Ended, String> {
        let child = self.spawn(args, name);
        let mut child = child.map_err(|error| format!("it cannot be started: {error}"))?;
        std::thread::sleep(moment);
        let sent = self.terminate(&mut child, name);
        sent.map_err(|error| format!("it cannot be sent SIGTERM: {error}"))?;
        let call = self.wait(child, name, Instant::now(), STOP_LIMIT)?;
        ended(&call)
    }

    /// Sends SIGTERM to the step as soon as there is one, unless it has ended.
    fn terminate(&self, child: &mut Child, name: &str) -> io::Result<()> {
        while child.try_wait()?.is_none() {
            if self.subject.terminate(child, &self.options.scratch, name)? {
                break;
            }
            std::thread::sleep(PACE);
        }
        Ok(())
    }
}

fn ended(call: &Call) -> Result<Ended, String> {
    match call.code() {
        Some(code) if code == i32::from(ExitCode::Stopped.code()) => Ok(Ended::Stopped(call.took)),
        // The signal came before the step listened for it.
        None if is_terminated(call.status) => Ok(Ended::Stopped(call.took)),
        Some(0) => Ok(Ended::Finished),
        _ => Err(format!(
            "exit 143 or 0 was expected; the step {}",
            call.story()
        )),
    }
}

#[cfg(unix)]
fn is_terminated(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(libc::SIGTERM)
}

#[cfg(not(unix))]
fn is_terminated(_: std::process::ExitStatus) -> bool {
    false
}
