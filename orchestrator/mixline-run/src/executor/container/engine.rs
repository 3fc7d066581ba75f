//! What is asked of a Docker engine, in its own words.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as EngineError;
use bollard::models::{ContainerCreateBody, ContainerState};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptions, LogsOptions, RemoveContainerOptions,
    StartContainerOptions, StopContainerOptions,
};
use futures::TryStreamExt as _;
use mixline_schema::{StepDescriptor, StepResult};

use super::error::ContainerError;
use super::output::{Capture, Listener, Words};
use crate::error::chain;
use crate::executor::{GRACE, Job};

/// An engine's answer for what does not exist.
pub(super) const NOT_FOUND: u16 = 404;
/// An engine that has not answered by then is away.
const ANSWER: Duration = Duration::from_secs(10);
/// The log of a container that has ended is told to its end by then.
const LINGER: Duration = Duration::from_secs(2);

/// Whether the engine is there.
pub(super) async fn answers(docker: &Docker) -> Result<(), ContainerError> {
    let answer = tokio::time::timeout(ANSWER, docker.ping()).await;
    let answer = answer.unwrap_or(Err(EngineError::RequestTimeoutError));
    answer.map(drop).map_err(ContainerError::refused("answer"))
}

pub(super) async fn create(
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
pub(super) async fn remove(docker: &Docker, id: &str) {
    let options = RemoveContainerOptions {
        force: true,
        v: true,
        ..RemoveContainerOptions::default()
    };
    if let Err(error) = docker.remove_container(id, Some(options)).await {
        tracing::warn!(
            container = id,
            error = chain(&error),
            "a container could not be removed"
        );
    }
}

/// Everything a container has said; when it is to be followed, until it ends.
fn logs(follow: bool) -> LogsOptions {
    LogsOptions {
        follow,
        stdout: true,
        stderr: true,
        tail: "all".to_owned(),
        ..LogsOptions::default()
    }
}

/// The containers that carry all of the labels, running or not.
pub(super) async fn list(
    docker: &Docker,
    labels: &HashMap<String, String>,
) -> Result<Vec<String>, ContainerError> {
    let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([("label".to_owned(), labels.collect())])),
        ..ListContainersOptions::default()
    };
    let found = docker.list_containers(Some(options)).await;
    let found = found.map_err(ContainerError::refused("list containers"))?;
    Ok(found
        .into_iter()
        .filter_map(|container| container.id)
        .collect())
}

/// SIGTERM, and SIGKILL when the grace is over. One that has just ended is fine.
pub(super) async fn stop(docker: &Docker, id: &str) {
    let options = StopContainerOptions {
        t: i32::try_from(GRACE.as_secs()).ok(),
        ..StopContainerOptions::default()
    };
    let _ = docker.stop_container(id, Some(options)).await;
}

/// Hears a container to its end.
///
/// An engine may forget who follows a log when the container ends in that very moment
/// (moby/moby#16463 tells how). So the end is waited for as well, and a log that does not end with its
/// container is read once more.
async fn hear<L: Listener>(
    docker: &Docker,
    id: &str,
    begin: impl Fn() -> Result<L, ContainerError>,
) -> Result<L, ContainerError> {
    let mut listener = begin()?;
    tokio::select! {
        told = tell(docker, id, true, &mut listener) => return told.map(|()| listener),
        () = outlived(docker, id) => {}
    }
    tracing::debug!(container = id, "its log did not end with it; read again");
    let mut listener = begin()?;
    tell(docker, id, false, &mut listener).await?;
    Ok(listener)
}

/// Tells a listener what a container says.
async fn tell(
    docker: &Docker,
    id: &str,
    follow: bool,
    listener: &mut impl Listener,
) -> Result<(), ContainerError> {
    let mut said = pin!(docker.logs(id, Some(logs(follow))));
    while let Some(part) = said
        .try_next()
        .await
        .map_err(ContainerError::refused("read a log"))?
    {
        listener.hear(&part);
    }
    Ok(())
}

/// Comes back when a container has ended a while ago; never, for one of which nothing is known.
async fn outlived(docker: &Docker, id: &str) {
    loop {
        ended(docker, id).await;
        tokio::time::sleep(LINGER).await;
        let found = docker.inspect_container(id, None).await;
        let running = found.ok().and_then(|found| found.state?.running);
        if running == Some(false) {
            return;
        }
    }
}

/// Waits for the end. An exit code that is not 0 comes as an error, as an engine does that is away;
/// the state says it better.
async fn ended(docker: &Docker, id: &str) {
    let mut ended = pin!(docker.wait_container(id, None));
    let _ = ended.try_next().await;
}

/// Hears a container to its end; the result on its last line.
pub(super) async fn capture(
    docker: &Docker,
    id: &str,
    job: &Job,
) -> Result<Option<StepResult>, ContainerError> {
    let path = &job.log_file;
    let begin = || {
        Capture::begin(path).map_err(|source| ContainerError::File {
            path: path.clone(),
            source,
        })
    };
    Ok(hear(docker, id, begin).await?.result())
}

pub(super) async fn state(docker: &Docker, id: &str) -> Result<ContainerState, ContainerError> {
    ended(docker, id).await;
    let found = docker.inspect_container(id, None).await;
    let found = found.map_err(ContainerError::refused("look at a container"))?;
    Ok(found.state.unwrap_or_default())
}

/// Starts a describing container and reads the descriptor it prints.
pub(super) async fn listen(
    docker: &Docker,
    id: &str,
    image: &str,
) -> Result<StepDescriptor, ContainerError> {
    let wrong = |problem: String| ContainerError::Describe {
        image: image.to_owned(),
        problem,
    };
    let started = docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    started.map_err(ContainerError::refused("start a container"))?;
    let words = hear(docker, id, || Ok(Words::default())).await?;
    let state = state(docker, id).await?;
    match state.exit_code {
        Some(0) => serde_json::from_slice(&words.out)
            .map_err(|error| wrong(format!("printed no descriptor: {error}"))),
        code => Err(wrong(format!(
            "ended with {}: {}",
            code.unwrap_or_default(),
            words.complaint()
        ))),
    }
}

/// Whether the engine answered with this HTTP status.
pub(super) fn has_status(error: &EngineError, status: u16) -> bool {
    matches!(
        error,
        EngineError::DockerResponseServerError { status_code, .. } if *status_code == status
    )
}
