//! The only owner of a run: appends events, folds them, carries out the commands.
//!
//! What one message sets off is decided in memory first (a failure, its retry, the next task bound
//! and about to start) and then appended in one transaction. Only after that are processes
//! started and subscribers told: nothing happens that the log does not know.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::SubsecRound as _;
use mixline_artifact::Store;
use mixline_plan::History;
use mixline_schema::{ArtifactRef, Assertion, ErrorClass, RunRef, StepContext, StepResult};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::Clock;
use crate::driven::Driving;
use crate::error::{RunError, chain};
use crate::event::{RecordedEvent, ResolvedInput, RunEvent};
use crate::executor::{Executor, Job, Outcome, Program};
use crate::project::{Project, log_object};
use crate::settle;
use crate::state::{Command, RunState};
use crate::store::{Owner, StateDb, Term};

/// How often the state database gets a sign of life of the run's owner, and is asked whether
/// another process wants the run stopped.
const POLL: Duration = Duration::from_secs(1);

/// Told of every event after it has been recorded.
pub trait Subscriber: Send + Sync {
    /// One event. `state` is the fold up to the end of the batch the event was recorded in, so it
    /// may be a little ahead. A subscriber that panics is a warning, never a failed run.
    fn on_event(&self, recorded: &RecordedEvent, state: &RunState);
}

/// A switch that stops a run. Clones are the same switch.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Default for Cancel {
    fn default() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }
}

impl Cancel {
    /// Stops the run.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Waits until somebody stops the run.
    pub async fn cancelled(&self) {
        asked(&mut self.0.subscribe()).await;
    }
}

/// Waits for the switch; for ever when nobody holds it any more.
async fn asked(switch: &mut watch::Receiver<bool>) {
    if switch.wait_for(|on| *on).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What a dispatcher works with.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) project: Arc<Project>,
    pub(crate) db: StateDb,
    pub(crate) store: Store,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) programs: BTreeMap<String, std::path::PathBuf>,
    pub(crate) owner: Owner,
    pub(crate) term: Option<Term>,
    pub(crate) clock: Clock,
}

/// An attempt of an earlier orchestrator that has left a trace.
pub(crate) struct Traced {
    pub(crate) task: String,
    /// Its result as its commits tell it, when it has committed everything.
    pub(crate) committed: Option<Box<StepResult>>,
}

enum Message {
    Ended {
        task: String,
        attempt: u32,
        outcome: Outcome,
    },
    Due {
        task: String,
    },
}

/// What is to be done once the batch is on disk.
enum Action {
    Launch { task: String },
    Wake { task: String, wait: Duration },
    Kill { task: String },
}

pub(crate) struct Dispatcher {
    tools: Tools,
    driving: Driving,
    state: RunState,
    history: History,
    subscribers: Vec<Arc<dyn Subscriber>>,
    cancel: Cancel,
    sender: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
    stops: BTreeMap<String, watch::Sender<bool>>,
    uploads: JoinSet<()>,
}

impl Dispatcher {
    pub(crate) fn new(
        tools: Tools,
        driving: Driving,
        state: RunState,
        history: History,
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Self {
        let (sender, inbox) = mpsc::unbounded_channel();
        Self {
            tools,
            driving,
            state,
            history,
            subscribers,
            cancel,
            sender,
            inbox,
            stops: BTreeMap::new(),
            uploads: JoinSet::new(),
        }
    }

    /// Begins with `first` and goes on until the run is finished.
    pub(crate) async fn run(mut self, first: RunEvent) -> Result<RunState, RunError> {
        self.record(VecDeque::from([first]), Vec::new()).await?;
        self.drive().await
    }

    /// Goes on with a run of which `known` was found out and the attempts in `alive` may still go on.
    pub(crate) async fn resume(
        mut self,
        known: Vec<RunEvent>,
        alive: Vec<Traced>,
    ) -> Result<RunState, RunError> {
        for traced in alive {
            self.start(&traced.task, Some(traced.committed));
        }
        let commands = self.state.resume((self.tools.clock)());
        self.record(known.into(), commands).await?;
        self.drive().await
    }

    async fn drive(mut self) -> Result<RunState, RunError> {
        let mut cancel = self.cancel.0.subscribe();
        let mut poll = tokio::time::interval_at(tokio::time::Instant::now() + POLL, POLL);
        while self.state.end().is_none() {
            let cancelling = self.state.is_cancelling();
            let event = tokio::select! {
                Some(message) = self.inbox.recv() => self.event_of(message),
                () = asked(&mut cancel), if !cancelling => RunEvent::CancelRequested,
                _ = poll.tick() => match self.is_asked_to_stop().await? {
                    true if !cancelling => RunEvent::CancelRequested,
                    _ => continue,
                },
            };
            let mut events = VecDeque::from([event]);
            while let Ok(message) = self.inbox.try_recv() {
                let event = self.event_of(message);
                events.push_back(event);
            }
            self.record(events, Vec::new()).await?;
        }
        while self.uploads.join_next().await.is_some() {}
        Ok(self.state)
    }

    /// Gives a sign of life and looks for a request to stop. That the database does not answer is
    /// a warning: what must be written will say so again.
    async fn is_asked_to_stop(&self) -> Result<bool, RunError> {
        let run_id = self.driving.run_id();
        match self.tools.db.pulse(run_id, self.tools.owner).await {
            Ok(pulse) if pulse.mine => Ok(pulse.cancel),
            Ok(_) => {
                let run_id = run_id.to_owned();
                Err(RunError::Superseded { run_id })
            }
            Err(error) => {
                tracing::warn!(
                    run = run_id,
                    error = chain(&error),
                    "no sign of life could be given"
                );
                Ok(false)
            }
        }
    }

    fn event_of(&mut self, message: Message) -> RunEvent {
        let (task, attempt, outcome) = match message {
            Message::Due { task } => return RunEvent::RetryDue { task },
            Message::Ended {
                task,
                attempt,
                outcome,
            } => (task, attempt, outcome),
        };
        self.stops.remove(&task);
        self.keep_log(&task, attempt);
        match outcome {
            Outcome::Succeeded(result) => RunEvent::AttemptSucceeded {
                task,
                attempt,
                result,
            },
            Outcome::Skipped(reason) => RunEvent::TaskSkipped { task, reason },
            Outcome::Lost => RunEvent::AttemptLost { task, attempt },
            Outcome::Failed {
                class,
                exit_code,
                error,
            } => RunEvent::AttemptFailed {
                assertions: self.assertions(&task, attempt),
                task,
                attempt,
                class,
                exit_code,
                error,
            },
        }
    }

    /// Applies events and what follows from them at once, appends the lot, then acts.
    async fn record(
        &mut self,
        mut events: VecDeque<RunEvent>,
        mut commands: Vec<Command>,
    ) -> Result<(), RunError> {
        let mut batch = Vec::new();
        let mut actions = Vec::new();
        loop {
            for command in commands.drain(..) {
                self.take(command, &mut events, &mut actions);
            }
            let Some(event) = events.pop_front() else {
                break;
            };
            let recorded = RecordedEvent {
                run_id: self.driving.run_id().to_owned(),
                seq: self.state.next_seq(),
                // As precise as it will be read back, so that a restart folds the same state.
                at: (self.tools.clock)().trunc_subsecs(6),
                event,
            };
            commands = self.state.apply(&recorded);
            batch.push(recorded);
        }
        if !batch.is_empty() {
            self.tools
                .db
                .append(&batch, &self.state, self.tools.owner, self.tools.term)
                .await?;
        }
        self.tell(&batch);
        for action in actions {
            self.act(action);
        }
        Ok(())
    }

    fn take(&self, command: Command, events: &mut VecDeque<RunEvent>, actions: &mut Vec<Action>) {
        match command {
            Command::Record(event) => events.push_back(event),
            Command::Settle { task } => {
                events.push_back(settle::settle(&task, &self.state, &self.history));
            }
            Command::Launch { task, attempt } => {
                actions.push(Action::Launch { task: task.clone() });
                events.push_back(RunEvent::AttemptStarted { task, attempt });
            }
            Command::Wake { task, at } => {
                let wait = (at - (self.tools.clock)()).to_std().unwrap_or_default();
                actions.push(Action::Wake { task, wait });
            }
            Command::Kill { task } => actions.push(Action::Kill { task }),
        }
    }

    fn tell(&self, batch: &[RecordedEvent]) {
        for recorded in batch {
            self.each_subscriber(|subscriber| subscriber.on_event(recorded, &self.state));
        }
    }

    fn each_subscriber(&self, told: impl Fn(&dyn Subscriber)) {
        for subscriber in &self.subscribers {
            if catch_unwind(AssertUnwindSafe(|| told(subscriber.as_ref()))).is_err() {
                tracing::warn!(run = self.driving.run_id(), "a subscriber failed");
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Launch { task } => self.start(&task, None),
            Action::Kill { task } => {
                if let Some(stop) = self.stops.get(&task) {
                    stop.send_replace(true);
                }
            }
            Action::Wake { task, wait } => {
                let sender = self.sender.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    // Nobody listens any more when the run was cancelled meanwhile.
                    let _ = sender.send(Message::Due { task });
                });
            }
        }
    }

    /// Starts an attempt; or, given what it has committed, waits for one that was started before.
    fn start(&mut self, task: &str, again: Option<Option<Box<StepResult>>>) {
        let attempt = self.state.task(task).map_or(1, |status| status.attempt);
        let (stop, stopping) = watch::channel(false);
        self.stops.insert(task.to_owned(), stop);
        let job = job(&self.tools, &self.state, task);
        let (executor, sender) = (Arc::clone(&self.tools.executor), self.sender.clone());
        let task = task.to_owned();
        tokio::spawn(async move {
            let outcome = match (&job, again) {
                (None, _) => no_program(),
                (Some(job), None) => executor.run(job, stopping).await,
                (Some(job), Some(committed)) => {
                    let outcome = executor.reattach(job, stopping).await;
                    outcome.or_committed(committed)
                }
            };
            let _ = sender.send(Message::Ended {
                task,
                attempt,
                outcome,
            });
        });
    }

    /// What a step that failed had checked, if it left a result that says so.
    fn assertions(&self, task: &str, attempt: u32) -> Vec<Assertion> {
        let log = self
            .tools
            .project
            .log_file(self.driving.run_id(), task, attempt);
        let result = std::fs::read(Job::result_beside(&log)).ok();
        let result = result.and_then(|bytes| serde_json::from_slice::<StepResult>(&bytes).ok());
        result.map_or_else(Vec::new, |result| Assertion::among(&result.checks))
    }

    /// Copies the captured output into the store. A log that cannot be kept is a warning.
    fn keep_log(&mut self, task: &str, attempt: u32) {
        let run_id = self.driving.run_id();
        let file = self.tools.project.log_file(run_id, task, attempt);
        let object = log_object(run_id, task, attempt);
        let store = self.tools.store.clone();
        self.uploads.spawn(async move {
            let Ok(bytes) = tokio::fs::read(&file).await else {
                return;
            };
            if let Err(error) = store.put_object(&object, Bytes::from(bytes)).await {
                tracing::warn!(
                    object,
                    error = chain(&error),
                    "could not keep a task log in the store"
                );
            }
        });
    }
}

fn no_program() -> Outcome {
    let error = "the step binary is gone; plan again".to_owned();
    Outcome::Failed {
        class: ErrorClass::Config,
        exit_code: None,
        error,
    }
}

/// The attempt of a task as the executor needs it.
pub(crate) fn job(tools: &Tools, state: &RunState, task: &str) -> Option<Job> {
    let plan = state.plan()?;
    let planned = plan.tasks.iter().find(|planned| planned.name == task)?;
    let status = state.task(task)?;
    let run = RunRef {
        run_id: state.run_id().to_owned(),
        dag: plan.dag.clone(),
        task: task.to_owned(),
        attempt: status.attempt,
    };
    let bound = |(port, input): (&String, &ResolvedInput)| {
        let reference = if status.attempt > 1 && planned.remembers(port) {
            // An attempt may have committed before it failed, and must find what it has done.
            ArtifactRef::head(&input.artifact)
        } else {
            ArtifactRef::at(&input.artifact, input.version)
        };
        (port.clone(), reference)
    };
    let context = StepContext {
        store: tools.store.url().to_owned(),
        inputs: status.inputs.iter().map(bound).collect(),
        outputs: planned
            .outputs
            .iter()
            .map(|o| (o.port.clone(), o.artifact.clone()))
            .collect(),
        config: planned.config.clone(),
        window: planned.window,
        seed: planned.seed,
        fingerprint: status.fingerprint.clone(),
        force: planned.verdict.is_forced(),
        run: Some(run),
    };
    let program = match &planned.image {
        Some(name) => Program::Image {
            name: name.clone(),
            id: planned.code.clone(),
        },
        None => Program::Binary(tools.programs.get(&planned.step)?.clone()),
    };
    let waited = status.began.map(|began| (tools.clock)() - began);
    let waited = waited.and_then(|waited| waited.to_std().ok());
    Some(Job {
        program,
        resources: planned.resources,
        folder: tools.project.root.clone(),
        context,
        step: planned.step.clone(),
        traceparent: state.trace().traceparent(task, status.attempt),
        log_file: tools.project.log_file(state.run_id(), task, status.attempt),
        timeout: planned.timeout,
        waited: waited.unwrap_or_default(),
    })
}
