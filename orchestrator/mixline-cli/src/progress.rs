//! A run as it goes: a line for each running task on a terminal, a line for each change elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mixline_plan::Plan;
use mixline_run::{RecordedEvent, RunEvent, RunState, Subscriber};

use crate::app::App;
use crate::ui::style::Style;
use crate::ui::words;

/// Shows the events of one run on standard error.
pub(crate) struct Progress {
    screen: Option<MultiProgress>,
    silent: bool,
    style: Style,
    width: usize,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    /// A view that fits the terminal, or none when only results are asked for.
    pub(crate) fn new(app: &App, plan: &Plan) -> Arc<Self> {
        let silent = app.quiet() || app.json();
        let terminal = !silent && std::io::stderr().is_terminal();
        Arc::new(Self {
            screen: terminal.then(MultiProgress::new),
            silent,
            style: Style::for_stderr(),
            width: plan
                .tasks
                .iter()
                .map(|task| task.name.len())
                .max()
                .unwrap_or(0),
            bars: Mutex::default(),
        })
    }

    /// Clears what is left on the screen.
    pub(crate) fn finish(&self) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, bar) in std::mem::take(&mut *bars) {
            bar.finish_and_clear();
        }
    }

    fn started(&self, task: &str, attempt: u32) {
        let again = if attempt > 1 {
            format!(" (attempt {attempt})")
        } else {
            String::new()
        };
        let Some(screen) = &self.screen else {
            return self.say(task, &format!("started{again}"));
        };
        let template = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}");
        let bar = screen.add(ProgressBar::new_spinner());
        bar.set_style(template.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(format!("{task:width$}  running{again}", width = self.width));
        bar.enable_steady_tick(Duration::from_millis(100));
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = bars.insert(task.to_owned(), bar) {
            old.finish_and_clear();
        }
    }

    fn ended(&self, task: &str, word: &str, note: &str) {
        let bar = self
            .bars
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(task);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        // The final table has what succeeded; only what needs attention scrolls by.
        if self.screen.is_none() || !matches!(word, "succeeded" | "skipped") {
            self.say(task, &format!("{}{note}", self.style.state(word, word)));
        }
    }

    fn say(&self, task: &str, text: &str) {
        let line = format!("  {task:width$}  {text}", width = self.width);
        match &self.screen {
            Some(screen) => drop(screen.println(line)),
            None => eprintln!("{line}"),
        }
    }
}

impl Subscriber for Progress {
    fn on_event(&self, recorded: &RecordedEvent, state: &RunState) {
        if self.silent {
            return;
        }
        match &recorded.event {
            RunEvent::AttemptStarted { task, attempt } => self.started(task, *attempt),
            RunEvent::AttemptSucceeded { task, result, .. } => {
                self.ended(
                    task,
                    "succeeded",
                    &format!(" in {}", words::duration(result.seconds)),
                );
            }
            RunEvent::TaskSkipped { task, reason } => {
                self.ended(task, "skipped", &format!(": {reason}"));
            }
            RunEvent::AttemptFailed { task, error, .. } => {
                let first = error.lines().next().unwrap_or_default();
                self.ended(task, "failed", &format!(": {first}"));
            }
            RunEvent::AttemptLost { task, .. } => {
                self.ended(task, "lost", ": its process vanished");
            }
            RunEvent::TaskRetrying { task, attempt, due } => {
                let wait = (*due - recorded.at).as_seconds_f64();
                let text = format!("attempt {attempt} follows in {}", words::duration(wait));
                self.say(task, &self.style.yellow(&text));
            }
            RunEvent::TaskCancelled { task }
                if state.task(task).is_some_and(|status| status.attempt > 0) =>
            {
                self.ended(task, "cancelled", "");
            }
            _ => {}
        }
    }
}
