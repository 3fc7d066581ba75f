//! What to do next: retries by error class, upstream failures, slots, cancellation, the end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mixline_schema::ErrorClass;

use super::{Command, Pending, Rules, RunState, TaskState, TaskStatus};
use crate::event::{RunEnd, RunEvent};

/// Attempts that may be lost to the machine before the task fails. Apart from the task's own
/// retries: a task that allows none still survives a reboot.
const INFRASTRUCTURE_BUDGET: u32 = 3;

/// No wait between attempts is longer.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

impl TaskStatus {
    /// Charges a failure to its budget: another attempt, or the end.
    pub(super) fn fail(
        &mut self,
        class: ErrorClass,
        at: DateTime<Utc>,
        rules: &Rules,
        cancelling: bool,
    ) {
        if cancelling {
            self.close(TaskState::Cancelled, at);
            return;
        }
        let (charged, again) = match class {
            ErrorClass::Transient => {
                self.failures += 1;
                (
                    self.failures,
                    (self.failures <= rules.retries).then_some(TaskState::Retrying),
                )
            }
            // Nobody here asked it to stop, so whoever did was the machine.
            ErrorClass::Infrastructure | ErrorClass::Stopped => {
                self.losses += 1;
                (
                    self.losses,
                    (self.losses <= INFRASTRUCTURE_BUDGET).then_some(TaskState::Lost),
                )
            }
            ErrorClass::Data | ErrorClass::Config | ErrorClass::Bug => (0, None),
        };
        match again {
            Some(state) => {
                self.state = state;
                self.pending = Pending::Nothing;
                self.due = Some(at + back_off(rules.retry_delay, charged));
            }
            None => self.close(TaskState::Failed, at),
        }
    }
}

/// The delay doubles with every failure charged to the same budget.
fn back_off(delay: Duration, failures: u32) -> TimeDelta {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
    let delay = delay.saturating_mul(factor).min(LONGEST_DELAY);
    TimeDelta::from_std(delay).unwrap_or(TimeDelta::MAX)
}

impl RunState {
    /// Everything that can be done now and has not been asked for yet.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) -> Vec<Command> {
        if self.end.is_some() || self.plan.is_none() {
            return Vec::new();
        }
        let mut commands = Vec::new();
        for index in 0..self.order.len() {
            let name = self.order[index].clone();
            if let Some(command) = self.next_for(&name, now) {
                commands.push(command);
            }
        }
        if !self.finishing && self.tasks.values().all(|task| task.state.is_final()) {
            self.finishing = true;
            commands.push(Command::Record(RunEvent::RunFinished {
                state: self.outcome(),
            }));
        }
        commands
    }

    fn next_for(&mut self, name: &str, now: DateTime<Utc>) -> Option<Command> {
        let status = self.tasks.get(name)?;
        let (state, pending, ready) = (status.state, status.pending, status.ready);
        let task = name.to_owned();
        let (next, command) = match (state, pending) {
            (TaskState::Running, pending) if self.cancelling && pending != Pending::Kill => {
                (Pending::Kill, Command::Kill { task })
            }
            (TaskState::Running, _) => return None,
            (state, Pending::Decision) if !state.is_final() => return None,
            // A launch under way becomes a running attempt first and is stopped then.
            (TaskState::Queued, Pending::Launch) => return None,
            (state, _) if self.cancelling && !state.is_final() => (
                Pending::Decision,
                Command::Record(RunEvent::TaskCancelled { task }),
            ),
            (TaskState::Retrying | TaskState::Lost, Pending::Nothing) => self.wait(name, now)?,
            (TaskState::Queued, Pending::Nothing) if ready => {
                if !self.has_slot(name) {
                    return None;
                }
                (
                    Pending::Launch,
                    Command::Launch {
                        task,
                        attempt: self.tasks[name].attempt + 1,
                    },
                )
            }
            (TaskState::Queued, Pending::Nothing) => self.start(name)?,
            _ => return None,
        };
        self.tasks.get_mut(name)?.pending = next;
        Some(command)
    }

    /// A failed attempt: first the grant is recorded, then the clock is set.
    fn wait(&self, name: &str, now: DateTime<Utc>) -> Option<(Pending, Command)> {
        let status = self.tasks.get(name)?;
        let due = status.due.unwrap_or(now);
        let task = name.to_owned();
        Some(if status.granted {
            (Pending::Wake, Command::Wake { task, at: due })
        } else {
            let attempt = status.attempt + 1;
            (
                Pending::Decision,
                Command::Record(RunEvent::TaskRetrying { task, attempt, due }),
            )
        })
    }

    /// A task that has not been bound: fails with its upstream, or binds when all of it is done.
    fn start(&self, name: &str) -> Option<(Pending, Command)> {
        let rules = self.rules.get(name)?;
        let task = name.to_owned();
        if let Some(upstream) = rules.deps.iter().find(|dep| self.blocks(dep)) {
            let upstream = upstream.clone();
            let event = RunEvent::TaskUpstreamFailed { task, upstream };
            return Some((Pending::Decision, Command::Record(event)));
        }
        let done = |dep: &String| self.tasks.get(dep).is_none_or(|dep| dep.state.is_final());
        rules
            .deps
            .iter()
            .all(done)
            .then_some((Pending::Settle, Command::Settle { task }))
    }

    /// Whether a task that needs `dep` cannot run any more. The failure of a tolerated task does
    /// not block: what needs it goes on with what the store has.
    fn blocks(&self, dep: &str) -> bool {
        let tolerated = self.rules.get(dep).is_some_and(|rules| rules.tolerated);
        self.tasks
            .get(dep)
            .is_some_and(|status| match status.state {
                TaskState::UpstreamFailed => true,
                TaskState::Failed => !tolerated,
                _ => false,
            })
    }

    fn has_slot(&self, name: &str) -> bool {
        let busy: Vec<&String> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.state == TaskState::Running || task.pending == Pending::Launch)
            .map(|(name, _)| name)
            .collect();
        if busy.len() >= self.max_parallel {
            return false;
        }
        let pool_of = |name: &str| self.rules.get(name).and_then(|rules| rules.pool.as_ref());
        let Some(pool) = pool_of(name) else {
            return true;
        };
        let used = busy
            .iter()
            .filter(|other| pool_of(other) == Some(pool))
            .count();
        self.pools.get(pool).is_none_or(|slots| used < *slots)
    }

    fn outcome(&self) -> RunEnd {
        let bad = self.tasks.iter().any(|(name, task)| {
            matches!(task.state, TaskState::Failed | TaskState::UpstreamFailed)
                && !self.rules.get(name).is_some_and(|rules| rules.tolerated)
        });
        let stopped = self
            .tasks
            .values()
            .any(|task| task.state == TaskState::Cancelled);
        match (stopped, bad) {
            (true, _) => RunEnd::Cancelled,
            (false, true) => RunEnd::Failed,
            (false, false) => RunEnd::Succeeded,
        }
    }
}
