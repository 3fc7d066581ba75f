//! Attempts as containers of a Docker engine.
//!
//! A container carries labels of its run, task and attempt and stays until its outcome is known, so
//! that a later orchestrator finds it, hears everything it said, and sees how it ended. Its result
//! is the last line of its standard output: nothing but the store is shared with it, and the engine
//! may be on another machine when the store has a URL.

mod error;
mod output;
mod settings;
mod spec;

use std::collections::HashMap;
use std::pin::pin;

use bollard::Docker;
use bollard::errors::Error as EngineError;
use bollard::models::{ContainerCreateBody, ContainerState};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptions, LogsOptions, RemoveContainerOptions,
    StartContainerOptions, StopContainerOptions,
};
use futures::TryStreamExt as _;
use mixline_schema::{ErrorClass, StepDescriptor, StepResult};
use tokio::sync::OnceCell;

pub use error::ContainerError;
pub use settings::ContainerSettings;

use self::output::{Capture, LastLine};
use self::spec::Around;
use super::judge::{self, End, Exit};
use super::{Executor, GRACE, Job, Outcome, Program, Stop, over, stopped};

/// An engine's answer for what does not exist.
const NOT_FOUND: u16 = 404;

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
        let id = create(docker, None, spec::describing(image)).await?;
        let said = listen(docker, &id, image).await;
        remove(docker, &id).await;
        said
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
        let body = spec::body(job, image, &around);
        let id = create(docker, spec::name(job), body).await?;
        let started = docker
            .start_container(&id, None::<StartContainerOptions>)
            .await;
        if let Err(source) = started {
            remove(docker, &id).await;
            return Err(ContainerError::refused("start a container")(source));
        }
        Ok(id)
    }

    /// The container of an attempt, running or not.
    async fn find(&self, job: &Job) -> Result<Option<String>, ContainerError> {
        let (docker, _) = self.engine().await?;
        let labels = spec::labels(job);
        let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
        let options = ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), labels.collect())])),
            ..ListContainersOptions::default()
        };
        let found = docker.list_containers(Some(options)).await;
        let found = found.map_err(ContainerError::refused("list containers"))?;
        Ok(found.into_iter().find_map(|container| container.id))
    }

    /// Hears a container out, or stops it when told to or when its time is over.
    async fn follow(&self, job: &Job, id: &str, mut stop: Stop) -> Result<Outcome, ContainerError> {
        let (docker, _) = self.engine().await?;
        let mut heard = pin!(capture(docker, id, job));
        let (end, result) = tokio::select! {
            result = &mut heard => (End::Exited, Some(result)),
            () = stopped(&mut stop) => (End::Stopped, None),
            () = over(job.timeout) => (End::TimedOut, None),
        };
        let result = match result {
            Some(result) => result?,
            None => {
                // SIGTERM, and SIGKILL when the grace is over. One that has just ended is fine.
                let options = StopContainerOptions {
                    t: i32::try_from(GRACE.as_secs()).ok(),
                    ..StopContainerOptions::default()
                };
                let _ = docker.stop_container(id, Some(options)).await;
                heard.await?
            }
        };
        let state = state(docker, id).await?;
        keep(job, result.as_ref());
        remove(docker, id).await;
        Ok(outcome(job, end, &state, result))
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
        match self.follow(job, &container, stop).await {
            Ok(outcome) => outcome,
            Err(error) => lost(job, &error),
        }
    }

    async fn reattach(&self, job: &Job, stop: Stop) -> Outcome {
        let outcome = match self.find(job).await {
            Ok(Some(container)) => self.follow(job, &container, stop).await,
            Ok(None) => return Outcome::Lost,
            Err(error) => Err(error),
        };
        outcome.unwrap_or_else(|error| lost(job, &error))
    }

    async fn leaves_trace(&self, job: &Job) -> bool {
        matches!(self.find(job).await, Ok(Some(_)))
    }
}

async fn create(
    docker: &Docker,
    name: Option<String>,
    body: ContainerCreateBody,
) -> Result<String, ContainerError> {
    let image = body.image.clone().unwrap_or_default();
    let options = CreateContainerOptions {
        name,
        ..CreateContainerOptions::default()
    };
    match docker.create_container(Some(options), body).await {
        Ok(created) => Ok(created.id),
        Err(error) if has_status(&error, NOT_FOUND) => Err(ContainerError::NoImage { image }),
        Err(source) => Err(ContainerError::refused("make a container")(source)),
    }
}

/// Whoever is gone already needs no removing.
async fn remove(docker: &Docker, id: &str) {
    let options = RemoveContainerOptions {
        force: true,
        v: true,
        ..RemoveContainerOptions::default()
    };
    if let Err(error) = docker.remove_container(id, Some(options)).await {
        tracing::warn!(container = id, %error, "a container could not be removed");
    }
}

/// Everything a container says until it ends.
fn logs() -> LogsOptions {
    LogsOptions {
        follow: true,
        stdout: true,
        stderr: true,
        tail: "all".to_owned(),
        ..LogsOptions::default()
    }
}

/// Hears a container to its end; the result on its last line.
async fn capture(
    docker: &Docker,
    id: &str,
    job: &Job,
) -> Result<Option<StepResult>, ContainerError> {
    let path = job.log_file.clone();
    let capture = Capture::begin(&path);
    let mut capture = capture.map_err(|source| ContainerError::File { path, source })?;
    let mut said = pin!(docker.logs(id, Some(logs())));
    while let Some(part) = said
        .try_next()
        .await
        .map_err(ContainerError::refused("read a log"))?
    {
        capture.push(&part);
    }
    Ok(capture.result())
}

/// Keeps a result beside the log, where a process leaves its own.
fn keep(job: &Job, result: Option<&StepResult>) {
    let bytes = result.and_then(|result| serde_json::to_vec(result).ok());
    let Some(bytes) = bytes else { return };
    if let Err(error) = std::fs::write(job.result_file(), bytes) {
        tracing::warn!(%error, "a result could not be kept beside its log");
    }
}

async fn state(docker: &Docker, id: &str) -> Result<ContainerState, ContainerError> {
    let mut ended = pin!(docker.wait_container(id, None));
    // An exit code that is not 0 comes as an error; the state says it better.
    let _ = ended.try_next().await;
    let found = docker.inspect_container(id, None).await;
    let found = found.map_err(ContainerError::refused("look at a container"))?;
    Ok(found.state.unwrap_or_default())
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

/// Starts a describing container and reads the descriptor it prints.
async fn listen(docker: &Docker, id: &str, image: &str) -> Result<StepDescriptor, ContainerError> {
    let wrong = |problem: String| ContainerError::Describe {
        image: image.to_owned(),
        problem,
    };
    let started = docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    started.map_err(ContainerError::refused("start a container"))?;
    let (mut out, mut last) = (Vec::new(), LastLine::default());
    let mut said = pin!(docker.logs(id, Some(logs())));
    while let Some(part) = said
        .try_next()
        .await
        .map_err(ContainerError::refused("read a log"))?
    {
        match &part {
            bollard::container::LogOutput::StdOut { message } => out.extend_from_slice(message),
            other => last.push(other.as_ref()),
        }
    }
    let state = state(docker, id).await?;
    match state.exit_code {
        Some(0) => serde_json::from_slice(&out)
            .map_err(|error| wrong(format!("printed no descriptor: {error}"))),
        code => Err(wrong(format!(
            "ended with {}: {}",
            code.unwrap_or_default(),
            last.text()
        ))),
    }
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

/// Whether the engine answered with this HTTP status.
fn has_status(error: &EngineError, status: u16) -> bool {
    matches!(
        error,
        EngineError::DockerResponseServerError { status_code, .. } if *status_code == status
    )
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

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
