//! Finding step binaries, asking them what they are, and digesting what they observe. All of it is
//! remembered by path, size and modification time, so a second plan starts no process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use mixline_artifact::observe;
use mixline_plan::{Catalogue, Dag, ExecutorKind, StepEntry, Task};
use mixline_schema::{Digest, StepDescriptor};
use serde_json::Value;

use super::Engine;
use crate::error::RunError;
use crate::executor::DESCRIBE;
use crate::store::FileStamp;

impl Engine {
    /// What the steps of a DAG say of themselves. A step without a binary is left out: the planner
    /// reports it together with everything else that is wrong.
    ///
    /// # Errors
    /// [`RunError::Describe`], [`RunError::Io`] or [`RunError::State`].
    pub async fn catalogue(&self, dag: &Dag) -> Result<Catalogue, RunError> {
        let (mut steps, mut tasks) = (BTreeMap::new(), BTreeMap::new());
        for (name, task) in &dag.tasks {
            if let Some(image) = self.image_of(task) {
                tasks.insert(name.clone(), self.describe_image(&image).await?);
                continue;
            }
            if steps.contains_key(&task.step) {
                continue;
            }
            if let Ok(path) = self.find_step(&task.step) {
                steps.insert(task.step.clone(), self.describe(&path).await?);
            }
        }
        Ok(Catalogue { steps, tasks })
    }

    /// The image a task runs in; `None` when it runs as a process.
    #[must_use]
    pub fn image_of(&self, task: &Task) -> Option<String> {
        if task.image.is_some() {
            return task.image.clone();
        }
        match task.executor.unwrap_or(self.project.executor) {
            ExecutorKind::Process => None,
            ExecutorKind::Container => Some(self.project.container.image_of(&task.step)),
        }
    }

    /// What the step in an image says of itself. The code version is the image's digest; as long
    /// as that stays, nothing is started.
    ///
    /// # Errors
    /// [`RunError::Container`] or [`RunError::State`].
    pub async fn describe_image(&self, image: &str) -> Result<StepEntry, RunError> {
        let code = self.containers.image_id(image).await?;
        // A digest names its content for ever, so there is nothing to stamp.
        let always = FileStamp {
            size: 0,
            modified: 0,
        };
        let descriptor = match self.db.step(&code, always).await? {
            Some((descriptor, _)) => descriptor,
            None => {
                let descriptor = self.containers.describe(image).await?;
                self.db
                    .remember_step(&code, always, &descriptor, &code)
                    .await?;
                descriptor
            }
        };
        Ok(StepEntry {
            descriptor,
            code,
            image: Some(image.to_owned()),
        })
    }

    /// The binary of a step.
    ///
    /// # Errors
    /// [`RunError::NoStep`], with the folders searched.
    pub fn find_step(&self, step: &str) -> Result<PathBuf, RunError> {
        // A name is a file name, never a way out of the folders.
        let plain = !step.is_empty() && !step.contains(['/', '\\']);
        let found = self.project.steps.iter().map(|folder| folder.join(step));
        let found = found.filter(|_| plain).find(|path| path.is_file());
        found.ok_or_else(|| {
            let folders: Vec<_> = self
                .project
                .steps
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            let searched = if folders.is_empty() {
                "no folder".to_owned()
            } else {
                folders.join(", ")
            };
            RunError::NoStep {
                step: step.to_owned(),
                searched,
            }
        })
    }

    /// The descriptor and digest of a step binary, from memory when the file has not changed.
    ///
    /// # Errors
    /// [`RunError::Describe`], [`RunError::Io`] or [`RunError::State`].
    pub async fn describe(&self, path: &Path) -> Result<StepEntry, RunError> {
        let stamp = FileStamp::of(path).map_err(RunError::io("look at", path))?;
        let name = path.display().to_string();
        if let Some((descriptor, code)) = self.db.step(&name, stamp).await? {
            return Ok(StepEntry {
                descriptor,
                code,
                image: None,
            });
        }
        let descriptor = ask(path).await?;
        let code = digest(path).await?.to_string();
        self.db
            .remember_step(&name, stamp, &descriptor, &code)
            .await?;
        Ok(StepEntry {
            descriptor,
            code,
            image: None,
        })
    }

    /// The digests of the files each task observes.
    pub(super) async fn observed(
        &self,
        dag: &Dag,
        catalogue: &Catalogue,
    ) -> Result<BTreeMap<String, BTreeMap<String, Digest>>, RunError> {
        let mut observed = BTreeMap::new();
        for (name, task) in &dag.tasks {
            let Some(entry) = catalogue.entry(name, &task.step) else {
                continue;
            };
            let paths = observed_paths(task, &entry.descriptor);
            if !paths.is_empty() {
                observed.insert(name.clone(), self.digests(&paths).await?);
            }
        }
        Ok(observed)
    }

    async fn digests(&self, paths: &[String]) -> Result<BTreeMap<String, Digest>, RunError> {
        let root = &self.project.root;
        let mut digests = BTreeMap::new();
        let (below, paths) = (root.clone(), paths.to_vec());
        let files = aside(move || observe::files(&below, &paths)).await;
        for file in files.map_err(RunError::io("look below", root))? {
            let stamp = FileStamp::of(&file.path).map_err(RunError::io("look at", &file.path))?;
            let place = file.path.display().to_string();
            let digest = match self.db.file_digest(&place, stamp).await? {
                Some(digest) => digest,
                None => {
                    let digest = digest(&file.path).await?;
                    self.db.remember_file(&place, stamp, &digest).await?;
                    digest
                }
            };
            digests.insert(file.name, digest);
        }
        Ok(digests)
    }
}

async fn digest(path: &Path) -> Result<Digest, RunError> {
    let file = path.to_owned();
    let digest = aside(move || observe::digest(&file)).await;
    digest.map_err(RunError::io("read", path))
}

/// Does what may take seconds on another thread: leases and signs of life must not wait for it.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(std::io::Error::other)?
}

/// The paths under the configuration keys that the step declares as observed.
fn observed_paths(task: &Task, descriptor: &StepDescriptor) -> Vec<String> {
    let values = descriptor.observes.iter().filter_map(|key| {
        key.split('.')
            .try_fold(&task.config, |value, part| value.get(part))
    });
    let mut paths = Vec::new();
    for value in values {
        match value {
            Value::String(path) => paths.push(path.clone()),
            Value::Array(list) => {
                paths.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    paths
}

async fn ask(path: &Path) -> Result<StepDescriptor, RunError> {
    let wrong = |problem: String| RunError::Describe {
        path: path.to_owned(),
        problem,
    };
    let output = tokio::process::Command::new(path)
        .arg("describe")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(DESCRIBE, output).await {
        Ok(output) => output.map_err(RunError::io("start", path))?,
        Err(_) => {
            return Err(wrong(format!(
                "did not answer within {} s",
                DESCRIBE.as_secs()
            )));
        }
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(wrong(format!(
            "ended with {}: {}",
            output.status,
            said.trim()
        )));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| wrong(format!("printed no descriptor: {error}")))
}
