//! Attempts as containers of a Docker engine.
//!
//! A container carries labels of its run, task and attempt and stays until its outcome is known, so
//! that a later orchestrator finds it, hears everything it said, and sees how it ended. Its result
//! is the last line of its standard output: nothing but the store is shared with it, and the engine
//! may be on another machine when the store has a URL.

mod engine;
mod error;
mod output;
mod settings;
mod spec;

use std::pin::pin;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as EngineError;
use bollard::models::ContainerState;
use bollard::query_parameters::StartContainerOptions;
use mixline_schema::{ErrorClass, StepDescriptor, StepResult};
use tokio::sync::OnceCell;
use tokio::time::Instant;

pub use error::ContainerError;
pub use settings::ContainerSettings;

use self::engine::{NOT_FOUND, has_status};
use self::spec::Around;
use super::judge::{self, End, Exit};
use super::{DESCRIBE, Executor, Job, Outcome, Program, Stop, over, stopped};
use crate::error::chain;

/// How long an engine may be away (restarted, upgraded) before its containers are given up.
const LONGEST_AWAY: Duration = Duration::from_secs(300);
/// An attempt that was followed for so long had an engine that was there.
const SETTLED: Duration = Duration::from_secs(30);
/// How often one that is away is asked.
const AGAIN: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub struct ContainerExecutor {
    settings: ContainerSettings,
    engine: OnceCell<(Docker, f64)>,
}

impl ContainerExecutor {
    /// An executor that looks for its engine (`DOCKER_HOST`, else the usual socket) when the first
    /// image is asked for.
    #[must_use]
    pub fn new(settings: ContainerSettings) -> Self {
        Self {
            settings,
            engine: OnceCell::new(),
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ContainerSettings {
        &self.settings
    }

    /// The engine, and how many processors it has.
    async fn engine(&self) -> Result<&(Docker, f64), ContainerError> {
        let connect = || async {
            let docker = Docker::connect_with_defaults()?.negotiate_version().await?;
            let processors = docker.info().await?.ncpu.unwrap_or(1);
            Ok((docker, f64::from(i32::try_from(processors).unwrap_or(1))))
        };
        let engine = self.engine.get_or_try_init(connect).await;
        engine.map_err(|source: EngineError| ContainerError::Unreachable {
            source: Box::new(source),
        })
    }

    /// The digest of an image as the engine has it now.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn image_id(&self, image: &str) -> Result<String, ContainerError> {
        let (docker, _) = self.engine().await?;
        match docker.inspect_image(image).await {
            Ok(found) => found.id.ok_or_else(|| ContainerError::NoImage {
                image: image.to_owned(),
            }),
            Err(error) if has_status(&error, NOT_FOUND) => Err(ContainerError::NoImage {
                image: image.to_owned(),
            }),
            Err(source) => Err(ContainerError::refused("look at an image")(source)),
        }
    }

    /// What the step in an image says of itself.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn describe(&self, image: &str) -> Result<StepDescriptor, ContainerError> {
        let (docker, _) = self.engine().await?;
        let id = engine::create(docker, None, spec::describing(image)).await?;
        let said = tokio::time::timeout(DESCRIBE, engine::listen(docker, &id, image)).await;
        engine::remove(docker, &id).await;
        said.unwrap_or_else(|_| {
            Err(ContainerError::Describe {
                image: image.to_owned(),
                problem: format!("did not answer within {} s", DESCRIBE.as_secs()),
            })
        })
    }

    async fn start(&self, job: &Job, image: &str) -> Result<String, ContainerError> {
        let (docker, processors) = self.engine().await?;
        let prepare = |path: &std::path::Path| {
            let path = path.to_owned();
            move |source| ContainerError::File { path, source }
        };
        if let Some(store) = spec::local(&job.context.store) {
            std::fs::create_dir_all(store).map_err(prepare(store))?;
        }
        if let Some(folder) = job.log_file.parent() {
            std::fs::create_dir_all(folder).map_err(prepare(folder))?;
        }
        let around = Around {
            settings: &self.settings,
            context: job.context_variable().map_err(prepare(&job.log_file))?,
            environment: environment(),
            processors: *processors,
        };
        if job.is_repeated() {
            self.clear(job).await?;
        }
        let body = spec::body(job, image, &around);
        let id = engine::create(docker, spec::name(job), body).await?;
        let started = docker
            .start_container(&id, None::<StartContainerOptions>)
            .await;
        if let Err(source) = started {
            engine::remove(docker, &id).await;
            return Err(ContainerError::refused("start a container")(source));
        }
        Ok(id)
    }

    /// The container of an attempt, running or not.
    async fn find(&self, job: &Job) -> Result<Option<String>, ContainerError> {
        let (docker, _) = self.engine().await?;
        let found = engine::list(docker, &spec::labels(job)).await?;
        Ok(found.into_iter().next())
    }

    /// Removes what earlier attempts have left: given up for lost, they may still be there.
    async fn clear(&self, job: &Job) -> Result<(), ContainerError> {
        let (docker, _) = self.engine().await?;
        let mut labels = spec::labels(job);
        labels.remove(spec::ATTEMPT);
        for id in engine::list(docker, &labels).await? {
            tracing::warn!(container = id, "an earlier attempt is still there; removed");
            engine::remove(docker, &id).await;
        }
        Ok(())
    }

    /// [`Self::find`], for as long as the engine may be away.
    async fn look_for(&self, job: &Job) -> Result<Option<String>, ContainerError> {
        let mut patience = Patience::default();
        loop {
            match self.find(job).await {
                Err(error) => patience.after(error).await?,
                found => return found,
            }
        }
    }

    /// [`Self::follow`], again for as long as the engine may be away: the attempt goes on without us.
    async fn hear_out(&self, job: &Job, id: &str, stop: &Stop) -> Result<Outcome, ContainerError> {
        let (mut patience, began) = (Patience::default(), Instant::now());
        loop {
            let (mut job, tried) = (job.clone(), Instant::now());
            job.waited += began.elapsed();
            match self.follow(&job, id, stop.clone()).await {
                Err(error) => {
                    // It was there meanwhile.
                    if tried.elapsed() > SETTLED {
                        patience = Patience::default();
                    }
                    patience.after(error).await?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Hears a container to its end, or stops it when told to or when its time is over.
    async fn follow(&self, job: &Job, id: &str, mut stop: Stop) -> Result<Outcome, ContainerError> {
        let (docker, _) = self.engine().await?;
        engine::answers(docker).await?;
        let mut heard = pin!(engine::capture(docker, id, job));
        let (end, result) = tokio::select! {
            result = &mut heard => (End::Exited, Some(result)),
            () = stopped(&mut stop) => (End::Stopped, None),
            () = over(job.rest()) => (End::TimedOut, None),
        };
        let result = match result {
            Some(result) => result?,
            None => {
                engine::stop(docker, id).await;
                heard.await?
            }
        };
        let state = engine::state(docker, id).await?;
        keep(job, result.as_ref());
        engine::remove(docker, id).await;
        Ok(outcome(job, end, &state, result))
    }
}

/// Waiting for an engine that is away, for so long and no longer.
#[derive(Debug, Default)]
struct Patience(Option<Instant>);

impl Patience {
    /// Waits a while after an error.
    ///
    /// # Errors
    /// The same error, when waiting is of no use any more.
    async fn after(&mut self, error: ContainerError) -> Result<(), ContainerError> {
        let first = self.0.is_none();
        let since = *self.0.get_or_insert_with(Instant::now);
        if error.is_final() || since.elapsed() > LONGEST_AWAY {
            return Err(error);
        }
        if first {
            let error = chain(&error);
            tracing::warn!(error, "the container engine does not answer; asking again");
        }
        tokio::time::sleep(AGAIN).await;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Executor for ContainerExecutor {
    async fn run(&self, job: &Job, stop: Stop) -> Outcome {
        let Program::Image { id, .. } = &job.program else {
            return not_started(job, "a program is not an image", ErrorClass::Config);
        };
        let container = match self.start(job, id).await {
            Ok(container) => container,
            Err(error) => return not_started(job, &chain(&error), class_of(&error)),
        };
        let outcome = self.hear_out(job, &container, &stop).await;
        outcome.unwrap_or_else(|error| lost(job, &error))
    }

    async fn reattach(&self, job: &Job, stop: Stop) -> Outcome {
        let outcome = match self.look_for(job).await {
            Ok(Some(container)) => self.hear_out(job, &container, &stop).await,
            Ok(None) => return Outcome::Lost,
            Err(error) => Err(error),
        };
        outcome.unwrap_or_else(|error| lost(job, &error))
    }

    async fn leaves_trace(&self, job: &Job) -> bool {
        !matches!(self.find(job).await, Ok(None))
    }
}

/// Keeps a result beside the log, where a process leaves its own.
fn keep(job: &Job, result: Option<&StepResult>) {
    let bytes = result.and_then(|result| serde_json::to_vec(result).ok());
    let Some(bytes) = bytes else { return };
    if let Err(error) = std::fs::write(job.result_file(), bytes) {
        tracing::warn!(%error, "a result could not be kept beside its log");
    }
}

fn outcome(job: &Job, end: End, state: &ContainerState, result: Option<StepResult>) -> Outcome {
    let code = state.exit_code.and_then(|code| i32::try_from(code).ok());
    let Some(code) = code.filter(|_| state.running != Some(true)) else {
        return Outcome::Lost;
    };
    if state.oom_killed == Some(true) && end == End::Exited && code != 0 {
        let error = format!(
            "killed: it needs more memory than {} MiB; raise `memory_mib` of the task",
            job.resources.memory_mib
        );
        return Outcome::Failed {
            class: ErrorClass::Config,
            exit_code: Some(code),
            error,
        };
    }
    judge::judge(job, end, Exit::Code(code), result)
}

/// The orchestrator's environment, as far as it is text.
fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

fn class_of(error: &ContainerError) -> ErrorClass {
    match error {
        ContainerError::NoImage { .. } | ContainerError::Describe { .. } => ErrorClass::Config,
        // The engine understood, and what it was asked for makes no sense.
        ContainerError::Refused { source, .. } if has_status(source, 400) => ErrorClass::Config,
        _ => ErrorClass::Infrastructure,
    }
}

fn not_started(job: &Job, error: &str, class: ErrorClass) -> Outcome {
    Outcome::Failed {
        class,
        exit_code: None,
        error: format!("could not start {}: {error}", job.program),
    }
}

/// The engine went away in the middle: whether the attempt ended well, its commits say.
fn lost(job: &Job, error: &ContainerError) -> Outcome {
    tracing::warn!(step = job.step, error = chain(error), "an attempt is lost");
    Outcome::Lost
}
