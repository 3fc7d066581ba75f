//! Going on after a crash. The event log says what was started, the artifact log what was
//! committed, and the machine what is still alive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mixline_schema::{OutputResult, StepResult, StepStatus};

use super::{Engine, RunSummary};
use crate::dispatcher::{Cancel, Dispatcher, Subscriber, job};
use crate::driven::{self, Driving};
use crate::error::RunError;
use crate::event::RunEvent;
use crate::history;
use crate::procfs;
use crate::state::{RunState, TaskState};
use crate::store::{LEASE, Owner, RunRow};

impl Engine {
    /// Takes over every open run whose orchestrator is gone, and brings it to its end.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn resume(
        &self,
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Result<Vec<RunSummary>, RunError> {
        let mut summaries = Vec::new();
        for row in self.db.open_runs().await? {
            let (subscribers, cancel) = (subscribers.clone(), cancel.clone());
            summaries.extend(self.take_over(&row, subscribers, cancel).await?);
        }
        if !summaries.is_empty() {
            self.forget_old_runs().await;
        }
        Ok(summaries)
    }

    /// Takes over one run if its orchestrator is gone and nobody else is faster, and brings it to
    /// its end.
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
        if !self.db.claim(row, self.owner).await? {
            return Ok(None);
        }
        self.db.forget_claims(&row.run_id).await?;
        let summary = self.resume_run(driving, subscribers, cancel).await?;
        Ok(Some(summary))
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
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Result<RunSummary, RunError> {
        let run_id = driving.run_id();
        let before = self.db.events(run_id, 0).await?;
        let state = RunState::fold(&before);
        let Some(plan) = state.plan().cloned() else {
            return Err(RunError::NoRun {
                run_id: run_id.to_owned(),
            });
        };
        let outputs = plan.tasks.iter().flat_map(|task| &task.outputs);
        let inputs = plan.tasks.iter().flat_map(|task| task.inputs.values());
        let artifacts: BTreeSet<String> = outputs
            .map(|output| output.artifact.clone())
            .chain(inputs.map(|input| input.artifact.clone()))
            .collect();
        history::sync(&self.db, &self.store, &artifacts).await?;
        let tools = self.tools(&plan)?;
        let (mut known, mut alive) = (Vec::new(), Vec::new());
        let running = state
            .tasks()
            .filter(|(_, status)| status.state == TaskState::Running);
        for (task, status) in running {
            let attempt = status.attempt;
            let traces = match job(&tools, &state, task) {
                Some(job) => self.executor.leaves_trace(&job).await,
                None => false,
            };
            if let Some(result) = self.committed(&state, task).await? {
                let (task, result) = (task.to_owned(), Box::new(result));
                known.push(RunEvent::AttemptSucceeded {
                    task,
                    attempt,
                    result,
                });
            } else if traces {
                // Alive, or gone and perhaps with a result: the executor finds out.
                alive.push(task.to_owned());
            } else {
                known.push(RunEvent::AttemptLost {
                    task: task.to_owned(),
                    attempt,
                });
            }
        }
        let history = self.history_of(&plan).await?;
        let dispatcher = Dispatcher::new(tools, driving, state, history, subscribers, cancel);
        let state = dispatcher.resume(known, alive).await?;
        Ok(RunSummary::of(&state))
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
