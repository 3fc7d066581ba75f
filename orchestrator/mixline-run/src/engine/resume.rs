//! Going on after a crash. The event log says what was started, the artifact log what was
//! committed, and the machine what is still alive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mixline_plan::Plan;
use mixline_schema::{OutputResult, StepResult, StepStatus};

use super::{Engine, RunSummary};
use crate::dispatcher::{Cancel, Dispatcher, Subscriber, Tools, Traced, job};
use crate::driven::{self, Driving};
use crate::error::RunError;
use crate::event::RunEvent;
use crate::history;
use crate::procfs;
use crate::state::{RunState, TaskState};
use crate::store::{LEASE, Owner, RunRow};

/// A run that was left open by an orchestrator that is gone.
#[derive(Debug)]
pub struct Resumed {
    /// The run as it was left.
    pub row: RunRow,
    /// How it ended, or why it could not be taken over.
    pub ended: Result<RunSummary, RunError>,
}

/// What an orchestrator that is gone has left of its attempts.
#[derive(Default)]
struct Left {
    /// What became of those that are over.
    known: Vec<RunEvent>,
    /// Those of which something is left to look at.
    traced: Vec<Traced>,
}

impl Engine {
    /// Takes over every open run whose orchestrator is gone, and brings it to its end. A run that
    /// cannot be taken over holds up no other.
    ///
    /// # Errors
    /// What the state database said.
    pub async fn resume(
        &self,
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Result<Vec<Resumed>, RunError> {
        let mut resumed = Vec::new();
        for row in self.db.open_runs().await? {
            let (subscribers, cancel) = (subscribers.clone(), cancel.clone());
            let ended = self.take_over(&row, subscribers, cancel).await;
            if let Some(ended) = ended.transpose() {
                resumed.push(Resumed { row, ended });
            }
        }
        if !resumed.is_empty() {
            self.forget_old_runs().await;
        }
        Ok(resumed)
    }

    /// Takes over one run if its orchestrator is gone and nobody else is faster, and brings it to
    /// its end. A run that cannot go on here (a step is missing, say) is left to others.
    pub(crate) async fn take_over(
        &self,
        row: &RunRow,
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Result<Option<RunSummary>, RunError> {
        if !self.is_orphan(row) {
            return Ok(None);
        }
        let Some(driving) = Driving::start(&row.run_id) else {
            return Ok(None);
        };
        let plan = self.plan_of(&row.run_id).await?;
        let tools = match self.tools(&plan) {
            // Nothing will be started any more.
            Err(RunError::NoStep { .. }) if row.cancel_requested => self.no_tools(),
            tools => tools?,
        };
        if !self.db.claim(row, self.owner).await? {
            return Ok(None);
        }
        self.db.forget_claims(&row.run_id).await?;
        let stopping = row.cancel_requested;
        let summary = self.resume_run(driving, tools, stopping, subscribers, cancel);
        summary.await.map(Some)
    }

    async fn plan_of(&self, run_id: &str) -> Result<Plan, RunError> {
        let state = self.db.run_state(run_id).await?;
        state.plan().cloned().ok_or_else(|| RunError::NoRun {
            run_id: run_id.to_owned(),
        })
    }

    /// Whether nobody runs the run any more. Of a process on this machine it is known whether it
    /// lives; of one elsewhere, when it last gave a sign of life.
    #[must_use]
    pub fn is_orphan(&self, row: &RunRow) -> bool {
        if row.ended_at.is_some() {
            return false;
        }
        match row.owner {
            None => true,
            Some(owner) if owner == self.owner => !driven::is_driven(&row.run_id),
            Some(owner) => match self.lives(owner) {
                Some(lives) => !lives,
                None => row.silent.is_none_or(|silent| silent > LEASE),
            },
        }
    }

    /// Whether a process lives; `None` when that cannot be seen from here.
    pub(crate) fn lives(&self, owner: Owner) -> Option<bool> {
        let here = owner.machine == self.owner.machine || owner.machine == 0;
        (here && owner.start != 0).then(|| procfs::is_alive(owner.pid, owner.start))
    }

    async fn resume_run(
        &self,
        driving: Driving,
        tools: Tools,
        stopping: bool,
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Result<RunSummary, RunError> {
        // What was written up to the claim: nobody else writes from now on.
        let state = self.db.run_state(driving.run_id()).await?;
        let plan = self.plan_of(driving.run_id()).await?;
        history::sync(&self.db, &self.store, &artifacts_of(&plan)).await?;
        let mut left = self.left_of(&tools, &state).await?;
        if stopping && !state.is_cancelling() {
            left.known.insert(0, RunEvent::CancelRequested);
        }
        let history = self.history_of(&plan).await?;
        let dispatcher = Dispatcher::new(tools, driving, state, history, subscribers, cancel);
        let state = dispatcher.resume(left.known, left.traced).await?;
        Ok(RunSummary::of(&state))
    }

    /// What is left of the attempts that were running.
    async fn left_of(&self, tools: &Tools, state: &RunState) -> Result<Left, RunError> {
        let mut left = Left::default();
        let running = state
            .tasks()
            .filter(|(_, status)| status.state == TaskState::Running);
        for (task, status) in running {
            let (name, attempt) = (task.to_owned(), status.attempt);
            let committed = self.committed(state, task).await?.map(Box::new);
            let traces = match job(tools, state, task) {
                Some(job) => self.executor.leaves_trace(&job).await,
                None => false,
            };
            match (traces, committed) {
                // Alive, or gone and perhaps with a result: the executor finds out.
                (true, committed) => left.traced.push(Traced {
                    task: name,
                    committed,
                }),
                (false, Some(result)) => left.known.push(RunEvent::AttemptSucceeded {
                    task: name,
                    attempt,
                    result,
                }),
                (false, None) => left.known.push(RunEvent::AttemptLost {
                    task: name,
                    attempt,
                }),
            }
        }
        Ok(left)
    }

    /// The result of an attempt whose process is gone but whose outputs are all in the store.
    async fn committed(
        &self,
        state: &RunState,
        task: &str,
    ) -> Result<Option<StepResult>, RunError> {
        let planned = state
            .plan()
            .and_then(|plan| plan.tasks.iter().find(|planned| planned.name == task));
        let status = state.task(task);
        let Some((planned, fingerprint)) =
            planned.zip(status.and_then(|status| status.fingerprint.clone()))
        else {
            return Ok(None);
        };
        let mut outputs = Vec::new();
        for output in &planned.outputs {
            let found = self
                .db
                .slot_commit_of(
                    &planned.slot,
                    &output.artifact,
                    &fingerprint,
                    state.run_id(),
                )
                .await?;
            match found {
                Some(commit) => outputs.push(OutputResult {
                    port: output.port.clone(),
                    artifact: output.artifact.clone(),
                    version: commit.version,
                    rows: commit.rows,
                    digest: commit.digest,
                }),
                // Whether an optional output was meant to be written, only the step knows.
                None => return Ok(None),
            }
        }
        Ok((!outputs.is_empty()).then(|| StepResult {
            status: StepStatus::Succeeded,
            step: planned.step.clone(),
            outputs,
            fingerprint: Some(fingerprint),
            seconds: 0.0,
            peak_rss_mib: 0.0,
            checks: BTreeMap::new(),
            error: None,
        }))
    }
}

/// The artifacts that a plan reads or writes.
fn artifacts_of(plan: &Plan) -> BTreeSet<String> {
    let outputs = plan.tasks.iter().flat_map(|task| &task.outputs);
    let inputs = plan.tasks.iter().flat_map(|task| task.inputs.values());
    outputs
        .map(|output| output.artifact.clone())
        .chain(inputs.map(|input| input.artifact.clone()))
        .collect()
}
