//! The state of a run as a pure fold over its events, and with it the whole scheduling policy.
//!
//! [`RunState::apply`] takes what happened and answers with what to do about it. It reads no clock,
//! starts nothing and waits for nothing, so every order of events can be tried in a test. A task
//! moves only when an event says so: the policy's own decisions come back as
//! [`Command::Record`] and take effect when they have been recorded.

mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mixline_plan::{Plan, PlannedTask};
use mixline_schema::{Digest, ErrorClass, FingerprintInputs, OutputResult, StepResult, StepStatus};
use serde::{Deserialize, Serialize};

use crate::event::{Origin, RecordedEvent, ResolvedInput, RunEnd, RunEvent};
use crate::trace::Trace;

/// What the dispatcher is to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// Append this decision of the policy to the log.
    Record(RunEvent),
    /// Bind the inputs of the task and find out whether it must run.
    Settle {
        /// Task.
        task: String,
    },
    /// Start an attempt.
    Launch {
        /// Task.
        task: String,
        /// Try number, from 1.
        attempt: u32,
    },
    /// Record [`RunEvent::RetryDue`] at this instant.
    Wake {
        /// Task.
        task: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// Stop the running attempt.
    Kill {
        /// Task.
        task: String,
    },
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It waits for its inputs or for a slot.
    Queued,
    /// An attempt is under way.
    Running,
    /// It committed its outputs.
    Succeeded,
    /// Its outputs existed already.
    Reused,
    /// There was nothing to do.
    Skipped,
    /// It failed for good.
    Failed,
    /// A task it needs failed.
    UpstreamFailed,
    /// It failed and will be tried again.
    Retrying,
    /// Its process vanished and it will be tried again.
    Lost,
    /// It was stopped on request.
    Cancelled,
}

impl TaskState {
    /// The word used in the state database and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Reused => "reused",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::UpstreamFailed => "upstream_failed",
            Self::Retrying => "retrying",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to the task in this run.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Queued | Self::Running | Self::Retrying | Self::Lost
        )
    }
}

/// What the commands given so far have set in motion. Not part of the log: a restart forgets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pending {
    #[default]
    Nothing,
    Settle,
    Launch,
    Wake,
    Kill,
    Decision,
}

/// Everything known of one task of the run.
#[derive(Debug, Clone)]
pub struct TaskStatus {
    /// Where it stands.
    pub state: TaskState,
    /// Attempts made so far.
    pub attempt: u32,
    /// Input versions it was bound to.
    pub inputs: BTreeMap<String, ResolvedInput>,
    /// Outputs committed or reused.
    pub outputs: Vec<OutputResult>,
    /// What decides reuse, once its inputs are bound.
    pub fingerprint: Option<Digest>,
    /// The document behind the fingerprint.
    pub document: Option<FingerprintInputs>,
    /// Why it ran, for people.
    pub reasons: Vec<String>,
    /// What went wrong last, or why it was skipped.
    pub message: Option<String>,
    /// Exit code of the last attempt.
    pub exit_code: Option<i32>,
    /// What the step reported.
    pub result: Option<StepResult>,
    /// When the first attempt started.
    pub started: Option<DateTime<Utc>>,
    /// When the present attempt started.
    pub(crate) began: Option<DateTime<Utc>>,
    /// When it came to its end.
    pub ended: Option<DateTime<Utc>>,
    /// Failures charged to the task's own budget.
    failures: u32,
    /// Failures charged to the infrastructure budget.
    losses: u32,
    /// Earliest start of the next attempt.
    due: Option<DateTime<Utc>>,
    /// The next attempt has been granted in the log.
    granted: bool,
    /// Its inputs are bound and it waits for a slot.
    ready: bool,
    pending: Pending,
}

impl Default for TaskStatus {
    fn default() -> Self {
        Self {
            state: TaskState::Queued,
            attempt: 0,
            inputs: BTreeMap::new(),
            outputs: Vec::new(),
            fingerprint: None,
            document: None,
            reasons: Vec::new(),
            message: None,
            exit_code: None,
            result: None,
            started: None,
            began: None,
            ended: None,
            failures: 0,
            losses: 0,
            due: None,
            granted: false,
            ready: false,
            pending: Pending::Nothing,
        }
    }
}

/// What the policy needs to know of a task, taken from the plan once.
#[derive(Debug, Clone, Default)]
struct Rules {
    deps: Vec<String>,
    retries: u32,
    retry_delay: Duration,
    pool: Option<String>,
    tolerated: bool,
}

impl Rules {
    fn of(task: &PlannedTask) -> Self {
        Self {
            deps: task.deps.clone(),
            retries: task.retries,
            retry_delay: task.retry_delay,
            pool: task.pool.clone(),
            tolerated: task.tolerated,
        }
    }
}

/// The fold of a run's events.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    run_id: String,
    plan: Option<Plan>,
    trigger: String,
    order: Vec<String>,
    rules: BTreeMap<String, Rules>,
    tasks: BTreeMap<String, TaskStatus>,
    max_parallel: usize,
    pools: BTreeMap<String, usize>,
    cancelling: bool,
    finishing: bool,
    started: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
    end: Option<RunEnd>,
    next_seq: u64,
    origin: Origin,
}

impl RunState {
    /// The state after `events`, ready to go on: call [`RunState::resume`] for what to do now.
    #[must_use]
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RecordedEvent>) -> Self {
        let mut state = Self::default();
        for event in events {
            state.apply(event);
        }
        state
    }

    /// Takes one event and answers with what to do about it.
    pub fn apply(&mut self, recorded: &RecordedEvent) -> Vec<Command> {
        self.next_seq = recorded.seq + 1;
        self.note(recorded);
        self.advance(recorded.at)
    }

    /// What to do after a restart: forgets every command given before, and decides again.
    pub fn resume(&mut self, now: DateTime<Utc>) -> Vec<Command> {
        for status in self.tasks.values_mut() {
            status.pending = Pending::Nothing;
        }
        self.finishing = false;
        self.advance(now)
    }

    /// Run id.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// What is being done; `None` before the first event.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Who asked for the run.
    #[must_use]
    pub fn trigger(&self) -> &str {
        &self.trigger
    }

    /// Under which ids the run appears in logs and traces.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace::of(&self.run_id, &self.origin)
    }

    /// The tasks, in the plan's order.
    pub fn tasks(&self) -> impl Iterator<Item = (&str, &TaskStatus)> {
        self.order
            .iter()
            .filter_map(|name| Some((name.as_str(), self.tasks.get(name)?)))
    }

    /// One task.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<&TaskStatus> {
        self.tasks.get(name)
    }

    /// When the run was created.
    #[must_use]
    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.started
    }

    /// When the run finished.
    #[must_use]
    pub fn ended(&self) -> Option<DateTime<Utc>> {
        self.ended
    }

    /// How the run ended; `None` while it goes on.
    #[must_use]
    pub fn end(&self) -> Option<RunEnd> {
        self.end
    }

    /// Whether somebody asked to stop the run.
    #[must_use]
    pub fn is_cancelling(&self) -> bool {
        self.cancelling
    }

    /// Position of the next event.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    fn create(&mut self, recorded: &RecordedEvent) {
        let RunEvent::RunCreated {
            plan,
            trigger,
            max_parallel,
            pools,
            origin,
        } = &recorded.event
        else {
            return;
        };
        self.run_id.clone_from(&recorded.run_id);
        self.started = Some(recorded.at);
        self.trigger.clone_from(trigger);
        self.max_parallel = (*max_parallel).max(1);
        self.pools.clone_from(pools);
        self.origin.clone_from(origin);
        self.order = plan.tasks.iter().map(|task| task.name.clone()).collect();
        self.rules = plan
            .tasks
            .iter()
            .map(|task| (task.name.clone(), Rules::of(task)))
            .collect();
        self.tasks = self
            .order
            .iter()
            .map(|name| (name.clone(), TaskStatus::default()))
            .collect();
        self.plan = Some((**plan).clone());
    }

    /// The bookkeeping of one event; no decision is made here.
    fn note(&mut self, recorded: &RecordedEvent) {
        match &recorded.event {
            RunEvent::RunCreated { .. } => self.create(recorded),
            RunEvent::CancelRequested => self.cancelling = true,
            RunEvent::RunFinished { state } => {
                self.end = Some(*state);
                self.ended = Some(recorded.at);
            }
            event => {
                let rules = event.task().and_then(|name| self.rules.get(name)).cloned();
                let status = event.task().and_then(|name| self.tasks.get_mut(name));
                // An event about a task the plan does not have, or one that has ended, changes
                // nothing: late messages are harmless.
                if let (Some(rules), Some(status)) = (rules, status)
                    && status.expects(event)
                {
                    status.note(event, recorded.at, &rules, self.cancelling);
                }
            }
        }
    }
}

impl TaskStatus {
    /// Whether the event can happen to a task in this state.
    fn expects(&self, event: &RunEvent) -> bool {
        let waiting = matches!(self.state, TaskState::Retrying | TaskState::Lost);
        match event {
            RunEvent::AttemptSucceeded { attempt, .. }
            | RunEvent::AttemptFailed { attempt, .. }
            | RunEvent::AttemptLost { attempt, .. } => {
                self.state == TaskState::Running && self.attempt == *attempt
            }
            RunEvent::TaskRetrying { .. } | RunEvent::RetryDue { .. } => waiting,
            RunEvent::TaskQueued { .. } | RunEvent::AttemptStarted { .. } => {
                self.state == TaskState::Queued
            }
            _ => !self.state.is_final(),
        }
    }

    fn note(&mut self, event: &RunEvent, at: DateTime<Utc>, rules: &Rules, cancelling: bool) {
        match event {
            RunEvent::TaskQueued {
                inputs,
                fingerprint,
                document,
                reasons,
                ..
            } => {
                self.ready = true;
                self.pending = Pending::Nothing;
                self.inputs.clone_from(inputs);
                self.fingerprint = Some(fingerprint.clone());
                self.document = Some((**document).clone());
                self.reasons.clone_from(reasons);
            }
            RunEvent::AttemptStarted { attempt, .. } => {
                self.state = TaskState::Running;
                self.pending = Pending::Nothing;
                self.attempt = *attempt;
                self.started.get_or_insert(at);
                self.began = Some(at);
            }
            RunEvent::TaskReused {
                outputs,
                fingerprint,
                ..
            } => {
                self.outputs.clone_from(outputs);
                self.fingerprint = Some(fingerprint.clone());
                self.close(TaskState::Reused, at);
            }
            RunEvent::AttemptSucceeded { result, .. } => self.succeed(result, at),
            RunEvent::AttemptFailed {
                class,
                exit_code,
                error,
                ..
            } => {
                self.exit_code = *exit_code;
                self.message = Some(error.clone());
                self.fail(*class, at, rules, cancelling);
            }
            RunEvent::AttemptLost { .. } => {
                self.message = Some("its process vanished without a result".to_owned());
                self.fail(ErrorClass::Infrastructure, at, rules, cancelling);
            }
            RunEvent::TaskRetrying { due, .. } => {
                self.due = Some(*due);
                self.granted = true;
                self.pending = Pending::Nothing;
            }
            RunEvent::RetryDue { .. } => {
                self.state = TaskState::Queued;
                self.due = None;
                self.granted = false;
                self.pending = Pending::Nothing;
            }
            RunEvent::TaskSkipped { reason, .. } => {
                self.message = Some(reason.clone());
                self.close(TaskState::Skipped, at);
            }
            RunEvent::TaskFailed { error, .. } => {
                self.message = Some(error.clone());
                self.close(TaskState::Failed, at);
            }
            RunEvent::TaskUpstreamFailed { upstream, .. } => {
                self.message = Some(format!("`{upstream}` failed"));
                self.close(TaskState::UpstreamFailed, at);
            }
            RunEvent::TaskCancelled { .. } => self.close(TaskState::Cancelled, at),
            RunEvent::RunCreated { .. }
            | RunEvent::CancelRequested
            | RunEvent::RunFinished { .. } => {}
        }
    }

    fn succeed(&mut self, result: &StepResult, at: DateTime<Utc>) {
        self.outputs.clone_from(&result.outputs);
        self.exit_code = Some(0);
        self.result = Some(result.clone());
        self.message = None;
        // A step may find by itself that it has nothing to do and still exit with success.
        let state = match result.status {
            StepStatus::Skipped => TaskState::Skipped,
            StepStatus::Reused => TaskState::Reused,
            StepStatus::Succeeded | StepStatus::Failed => TaskState::Succeeded,
        };
        self.close(state, at);
    }

    fn close(&mut self, state: TaskState, at: DateTime<Utc>) {
        self.state = state;
        self.pending = Pending::Nothing;
        self.due = None;
        self.ended = Some(at);
    }
}
