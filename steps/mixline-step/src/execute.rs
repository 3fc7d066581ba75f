//! One execution: find inputs, reuse if possible, else read, compute and commit.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mixline_artifact::{CommitOutcome, CommitRecord, Log, Store, StoreClass};
use mixline_schema::{
    Digest, FingerprintInputs, OutputResult, Provenance, StepStatus, WriteMode, fingerprint,
};
use tokio::task::JoinHandle;

use crate::code;
use crate::config;
use crate::context::Context;
use crate::error::StepError;
use crate::panics;
use crate::plain;
use crate::program::{Frames, Program};
use crate::read::{self, Found};
use crate::request::Request;

/// What an execution led to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) status: StepStatus,
    pub(crate) outputs: Vec<OutputResult>,
    pub(crate) fingerprint: Option<Digest>,
    pub(crate) error: Option<StepError>,
}

/// One call with everything it needs.
pub(crate) struct Execution {
    pub(crate) program: Program,
    pub(crate) request: Request,
    pub(crate) ctx: Context,
    /// Reads the clock, at the moment of a commit.
    pub(crate) now: fn() -> DateTime<Utc>,
}

impl Execution {
    /// Runs the step once.
    pub(crate) async fn run(&self) -> Result<Report, StepError> {
        let effective = (self.program.validate)(&self.request.context.config)?;
        let code = tokio::task::spawn_blocking(code::version);
        let store = self.open_store().await?;
        let found = read::find(&self.program, &self.request, store.as_ref()).await?;
        let (fingerprint, code) = self.fingerprint(&effective, &found, code).await?;
        if let (Some(store), None, false) =
            (&store, &self.request.out_dir, self.request.context.force)
            && let Some(outputs) = self.reusable(store, &fingerprint).await?
        {
            tracing::info!(%fingerprint, "an earlier result is reused");
            let fingerprint = Some(fingerprint);
            return Ok(Report {
                status: StepStatus::Reused,
                outputs,
                fingerprint,
                error: None,
            });
        }
        let frames = self.compute(&found).await?;
        let late = self.ctx.late_failure();
        let (outputs, all_adopted) = match (&self.request.out_dir, &store) {
            (Some(dir), _) => (self.write_plainly(frames, dir).await?, false),
            (None, Some(store)) => {
                let slot = match &late {
                    None => fingerprint.clone(),
                    Some(_) => Digest::of_bytes(format!("failed:{fingerprint}").as_bytes()),
                };
                let provenance = self.provenance(slot, code, &found).await?;
                self.commit(store, frames, provenance).await?
            }
            (None, None) if frames.is_empty() => (Vec::new(), false),
            (None, None) => return Err(self.no_store()),
        };
        let status = match (&late, all_adopted) {
            (Some(_), _) => StepStatus::Failed,
            (None, true) => StepStatus::Reused,
            (None, false) => StepStatus::Succeeded,
        };
        Ok(Report {
            status,
            outputs,
            fingerprint: Some(fingerprint),
            error: late,
        })
    }

    /// Checks configuration, inputs and store, and gives every problem at once.
    pub(crate) async fn check(&self) -> Result<(), Vec<StepError>> {
        let mut problems: Vec<StepError> = (self.program.validate)(&self.request.context.config)
            .err()
            .into_iter()
            .collect();
        let store = match self.open_store().await {
            Ok(store) => store,
            Err(error) => {
                problems.push(error);
                return Err(problems);
            }
        };
        if let Some(store) = &store
            && let Err(error) = store.probe().await
        {
            problems.push(StepError::from(error).context("the store fails its probe"));
        }
        if let Err(error) = self.check_inputs(store.as_ref()).await {
            problems.push(error);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    async fn check_inputs(&self, store: Option<&Store>) -> Result<(), StepError> {
        let found = read::find(&self.program, &self.request, store).await?;
        let mut frames = read::read_all(&found).await?;
        for input in &found {
            self.ctx.note(
                format!("input.{}", input.spec.port.name),
                input.digest.to_string(),
            );
        }
        (self.program.parse)(&mut frames)
    }

    /// The store, when one was given. Without one, plain files must do.
    async fn open_store(&self) -> Result<Option<Store>, StepError> {
        let needs_store = !self.program.outputs.is_empty() && self.request.out_dir.is_none();
        let url = match self.request.store() {
            Ok(url) => url,
            Err(error) if needs_store => return Err(error),
            Err(_) => return Ok(None),
        };
        let store = Store::open(url).await.map_err(|error| {
            StepError::from(error).context(format!("the store `{url}` cannot be opened"))
        })?;
        Ok(Some(store))
    }

    fn no_store(&self) -> StepError {
        self.request
            .store()
            .err()
            .unwrap_or_else(|| StepError::bug("the store was not opened"))
    }

    /// The fingerprint, and the task that knows the code version when it was not needed for it.
    async fn fingerprint(
        &self,
        effective: &serde_json::Value,
        found: &[Found],
        code: JoinHandle<std::io::Result<Digest>>,
    ) -> Result<(Digest, Code), StepError> {
        if let Some(given) = &self.request.context.fingerprint {
            return Ok((given.clone(), Code::Later(code)));
        }
        let code_version = settle(code).await?;
        let descriptor = &self.program.descriptor;
        let paths = config::observed_paths(effective, &descriptor.observes);
        let observed = mixline_artifact::observe::observe(std::path::Path::new("."), &paths)
            .map_err(|error| {
                StepError::data(format!(
                    "an observed file cannot be read ({})",
                    paths.join(", ")
                ))
                .because(error)
            })?;
        let outputs: Vec<&String> = self
            .program
            .outputs
            .iter()
            .filter_map(|spec| self.request.artifacts.get(&spec.port.name))
            .collect();
        // What the step reads of its own output is its memory, not a reason to run again.
        let is_memory = |input: &&Found| {
            let reference = input.reference();
            reference.is_some_and(|reference| outputs.contains(&&reference.artifact))
        };
        let inputs = found
            .iter()
            .filter(|input| !is_memory(input))
            .map(|input| (input.spec.port.name.clone(), input.digest.clone()))
            .collect();
        let inputs = FingerprintInputs {
            step: descriptor.name.clone(),
            code_version: code_version.to_string(),
            config: config::normal(&self.request.context.config),
            inputs,
            observed,
            window: self.request.context.window,
            seed: self.request.context.seed,
        };
        Ok((fingerprint(&inputs), Code::Known(code_version)))
    }

    /// The outputs of an earlier execution with this fingerprint: the newest commit of our slot
    /// in each output's log, if all that must match do and at least one does.
    async fn reusable(
        &self,
        store: &Store,
        fingerprint: &Digest,
    ) -> Result<Option<Vec<OutputResult>>, StepError> {
        let slot = self.request.context.slot(&self.program.descriptor.name);
        let mut outputs = Vec::new();
        for spec in &self.program.outputs {
            let port = &spec.port;
            let artifact = &self.request.artifacts[&port.name];
            let log = store.log(artifact)?;
            let newest = newest_of_slot(&log, &slot).await?;
            let same = newest.filter(|commit| {
                commit
                    .provenance
                    .as_ref()
                    .is_some_and(|p| p.fingerprint == *fingerprint)
            });
            match same {
                Some(commit) => outputs.push(OutputResult {
                    port: port.name.clone(),
                    artifact: artifact.clone(),
                    version: commit.version,
                    rows: commit.rows,
                    digest: commit.digest,
                }),
                None if port.optional => {}
                None => return Ok(None),
            }
        }
        Ok((!outputs.is_empty()).then_some(outputs))
    }

    /// Reads the inputs and runs the step function on a thread of its own.
    async fn compute(&self, found: &[Found]) -> Result<Frames, StepError> {
        let mut inputs = read::give(found).await?;
        self.ctx
            .read(found.iter().filter_map(Found::reference).collect());
        let (compute, ctx) = (self.program.compute, self.ctx.clone());
        let raw = self.request.context.config.clone();
        let span = tracing::Span::current();
        let work = tokio::task::spawn_blocking(move || {
            let _entered = span.enter();
            compute(&raw, &mut inputs, &ctx)
        });
        let frames = work
            .await
            .unwrap_or_else(|error| Err(panics::of_task(error)))?;
        if self.ctx.stopping() {
            return Err(StepError::stopped());
        }
        let wanted = |port: &str| {
            let spec = self
                .program
                .outputs
                .iter()
                .find(|spec| spec.port.name == port);
            let optional = spec.is_some_and(|spec| spec.port.optional);
            !optional
                || self
                    .request
                    .only
                    .as_ref()
                    .is_none_or(|only| only.contains(port))
        };
        Ok(frames
            .into_iter()
            .filter(|(port, _)| wanted(port))
            .collect())
    }

    async fn provenance(
        &self,
        fingerprint: Digest,
        code: Code,
        found: &[Found],
    ) -> Result<Provenance, StepError> {
        let context = &self.request.context;
        Ok(Provenance {
            step: self.program.descriptor.name.clone(),
            code_version: code.settle().await?.to_string(),
            run: context.run.clone(),
            slot: context.slot(&self.program.descriptor.name),
            fingerprint,
            inputs: found.iter().filter_map(Found::reference).collect(),
            window: context.window,
            seed: context.seed,
            forced: context.force,
            committed_at: (self.now)(),
        })
    }

    /// Commits the outputs in port order; also says whether all of them were there already.
    async fn commit(
        &self,
        store: &Store,
        frames: Frames,
        provenance: Provenance,
    ) -> Result<(Vec<OutputResult>, bool), StepError> {
        let modes: BTreeMap<&str, WriteMode> = self
            .program
            .outputs
            .iter()
            .map(|spec| {
                (
                    spec.port.name.as_str(),
                    spec.port.mode.unwrap_or(WriteMode::Replace),
                )
            })
            .collect();
        let mut outputs = Vec::new();
        let mut adopted = !frames.is_empty();
        for output in self.named(frames) {
            if self.ctx.stopping() {
                return Err(StepError::stopped());
            }
            let artifact = output.artifact;
            let log = store.log(&artifact)?;
            let mode = modes[output.port];
            let committed = log
                .commit(output.rows, mode, provenance.clone())
                .await
                .map_err(|error| {
                    StepError::from(error).context(format!("`{artifact}` cannot be committed"))
                })?;
            adopted &= matches!(committed.outcome, CommitOutcome::Adopted);
            tracing::info!(%artifact, version = committed.version, rows = committed.rows, "output committed");
            outputs.push(OutputResult {
                port: output.port.to_owned(),
                artifact,
                version: committed.version,
                rows: committed.rows,
                digest: committed.digest,
            });
        }
        Ok((outputs, adopted))
    }

    /// Writes files, on a thread of its own: rows may still have to be made.
    async fn write_plainly(
        &self,
        frames: Frames,
        dir: &std::path::Path,
    ) -> Result<Vec<OutputResult>, StepError> {
        let (outputs, dir) = (self.named(frames), dir.to_path_buf());
        let writing = tokio::task::spawn_blocking(move || plain::write(outputs, &dir));
        writing
            .await
            .unwrap_or_else(|error| Err(panics::of_task(error)))
    }

    /// Output tables with the artifact each belongs to.
    fn named(&self, frames: Frames) -> Vec<plain::Output> {
        frames
            .into_iter()
            .map(|(port, rows)| plain::Output {
                port,
                artifact: self.request.artifacts[port].clone(),
                rows,
            })
            .collect()
    }
}

/// The newest commit of a slot. Most often that is the head; the walk ends where history does.
async fn newest_of_slot(log: &Log, slot: &str) -> Result<Option<CommitRecord>, StepError> {
    let mut next = log.head().await?;
    while let Some(version) = next {
        let commit = match log.commit_info(version).await {
            Ok(commit) => commit,
            Err(error) if error.class() == StoreClass::Missing => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if commit
            .provenance
            .as_ref()
            .is_some_and(|provenance| provenance.slot == slot)
        {
            return Ok(Some(commit));
        }
        next = version.checked_sub(1);
    }
    Ok(None)
}

/// The code version, known or still being computed.
enum Code {
    Known(Digest),
    Later(JoinHandle<std::io::Result<Digest>>),
}

impl Code {
    async fn settle(self) -> Result<Digest, StepError> {
        match self {
            Self::Known(digest) => Ok(digest),
            Self::Later(task) => settle(task).await,
        }
    }
}

async fn settle(task: JoinHandle<std::io::Result<Digest>>) -> Result<Digest, StepError> {
    let digest = task.await.map_err(panics::of_task)?;
    digest.map_err(|error| StepError::bug("the running binary cannot be read").because(error))
}
