//! The project: where things are. One file, `mixline.toml`, and defaults when it is absent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mixline_plan::ExecutorKind;
use serde::Deserialize;

use crate::executor::ContainerSettings;
use crate::store::{Location, Retention};

/// Where a project keeps things and how much may run at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Folder of `mixline.toml`; steps run here.
    pub root: PathBuf,
    /// Store URL; a relative folder has been joined to the root.
    pub store: String,
    /// Folder of the state database, logs and results.
    pub state: PathBuf,
    /// Folder of the DAG files.
    pub dags: PathBuf,
    /// Folders searched for step binaries, in order.
    pub steps: Vec<PathBuf>,
    /// IANA zone of schedules that name none.
    pub zone: String,
    /// Namespace of lineage events.
    pub namespace: String,
    /// Pool name → slots.
    pub pools: BTreeMap<String, usize>,
    /// Attempts that may run at once.
    pub parallelism: usize,
    /// File that receives OpenLineage events, one per line.
    pub openlineage_file: Option<PathBuf>,
    /// Server that receives OpenLineage events.
    pub openlineage: OpenLineageServer,
    /// MLflow server that receives runs and models.
    pub mlflow: MlFlowServer,
    /// How long finished runs are remembered.
    pub retention: Retention,
    /// The state database: a file below the state folder unless the project file says otherwise.
    pub database: Location,
    /// Name of this machine, where the operating system does not tell machines apart.
    pub machine: Option<String>,
    /// What runs tasks that do not say it themselves.
    pub executor: ExecutorKind,
    /// How tasks run as containers.
    pub container: ContainerSettings,
}

/// The table `[mlflow]`. Tokens and passwords come from the environment only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MlFlowServer {
    /// Base address; nothing is sent without one.
    pub tracking_uri: Option<String>,
    /// Experiment of all runs; each DAG's own by default.
    pub experiment: Option<String>,
    /// Name of the registered model; `mixline-mmm` by default.
    pub model: Option<String>,
}

/// The table `[openlineage]`. The key is a secret, so it comes from `OPENLINEAGE_API_KEY` only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpenLineageServer {
    /// Base address; nothing is sent without one.
    pub url: Option<String>,
    /// Path below it; `api/v1/lineage` by default.
    pub endpoint: Option<String>,
}

/// A project file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It exists and cannot be read.
    #[error("could not read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{path} is not a valid project file; check the key or value it names")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Cause, with line and key.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The variable that names the state database.
    #[error("MIXLINE_DATABASE_URL {problem}")]
    Database {
        /// What is wrong and what to write.
        problem: String,
    },
    /// A value cannot be used.
    #[error("{path}: `{key}` {problem}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong and what to write.
        problem: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    store: Option<String>,
    state: Option<PathBuf>,
    dags: Option<PathBuf>,
    steps: Option<Vec<PathBuf>>,
    zone: Option<String>,
    namespace: Option<String>,
    pools: BTreeMap<String, usize>,
    parallelism: Option<usize>,
    openlineage_file: Option<PathBuf>,
    openlineage: OpenLineageServer,
    mlflow: MlFlowServer,
    retention: Retention,
    database: Option<String>,
    executor: ExecutorKind,
    container: ContainerSettings,
}

impl Project {
    /// Reads `dir/mixline.toml`, or takes the defaults when there is none. `exe_dir` is the folder
    /// of the running binary: step binaries are looked for there unless the file says otherwise.
    ///
    /// # Errors
    /// [`ProjectError`], with the file and the key.
    pub fn load(dir: &Path, exe_dir: Option<&Path>) -> Result<Self, ProjectError> {
        let path = dir.join("mixline.toml");
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|source| ProjectError::Parse {
                path: path.clone(),
                source: Box::new(source),
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(source) => return Err(ProjectError::Read { path, source }),
        };
        Self::from_file(dir, &path, exe_dir, file)
    }

    fn from_file(
        dir: &Path,
        path: &Path,
        exe_dir: Option<&Path>,
        file: File,
    ) -> Result<Self, ProjectError> {
        let value = |key: &str, problem: &str| ProjectError::Value {
            path: path.to_owned(),
            key: key.to_owned(),
            problem: problem.to_owned(),
        };
        let root = std::path::absolute(dir).map_err(|source| ProjectError::Read {
            path: dir.to_owned(),
            source,
        })?;
        let zone = file.zone.unwrap_or_else(|| "UTC".to_owned());
        if zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(value(
                "zone",
                "is not an IANA zone; write one such as `Europe/Berlin`",
            ));
        }
        if file.parallelism == Some(0) {
            return Err(value("parallelism", "must be at least 1"));
        }
        if let Some((name, _)) = file.pools.iter().find(|(_, slots)| **slots == 0) {
            return Err(value(&format!("pools.{name}"), "must have at least 1 slot"));
        }
        if file.retention.days == 0 || file.retention.runs == 0 {
            return Err(value("retention", "must keep at least 1 day and 1 run"));
        }
        let state = root.join(file.state.as_deref().unwrap_or(Path::new(".mixline")));
        let database = match &file.database {
            Some(text) => Location::parse(text, &root).map_err(|why| value("database", &why))?,
            None => Location::File(state.join("state.db")),
        };
        if let Some((key, problem)) = file.container.problem() {
            return Err(value(key, &problem));
        }
        let steps = match file.steps {
            Some(folders) => folders.iter().map(|folder| root.join(folder)).collect(),
            None => exe_dir.map(Path::to_path_buf).into_iter().collect(),
        };
        Ok(Self {
            store: store_url(&root, file.store.as_deref().unwrap_or("./store")),
            state,
            database,
            machine: None,
            dags: root.join(file.dags.as_deref().unwrap_or(Path::new("dags"))),
            steps,
            zone,
            namespace: file.namespace.unwrap_or_else(|| "mixline".to_owned()),
            pools: file.pools,
            parallelism: file.parallelism.unwrap_or_else(cores),
            openlineage_file: file.openlineage_file.map(|file| root.join(file)),
            openlineage: file.openlineage,
            mlflow: file.mlflow,
            retention: file.retention,
            executor: file.executor,
            container: file.container,
            root,
        })
    }

    /// The same project with another state database, as the variable `MIXLINE_DATABASE_URL` says.
    ///
    /// # Errors
    /// [`ProjectError::Database`].
    pub fn with_database(mut self, text: &str) -> Result<Self, ProjectError> {
        let parsed = Location::parse(text, &self.root);
        self.database = parsed.map_err(|problem| ProjectError::Database { problem })?;
        Ok(self)
    }

    /// The file an attempt's output is captured to while it runs.
    #[must_use]
    pub fn log_file(&self, run_id: &str, task: &str, attempt: u32) -> PathBuf {
        let folder = self.log_folder(run_id).join(task);
        folder.join(format!("{attempt}.log"))
    }

    /// The folder of the files of a run's attempts.
    pub(crate) fn log_folder(&self, run_id: &str) -> PathBuf {
        self.state.join("logs").join(run_id)
    }
}

/// The object an attempt's output is kept under in the store after it ended.
#[must_use]
pub(crate) fn log_object(run_id: &str, task: &str, attempt: u32) -> String {
    format!("{}/{task}/{attempt}.log", log_objects(run_id))
}

/// The folder of a run's objects in the store.
#[must_use]
pub(crate) fn log_objects(run_id: &str) -> String {
    format!("_runs/{run_id}")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Relative folders mean folders below the root, wherever the command was started.
fn store_url(root: &Path, url: &str) -> String {
    if url.contains("://") || url == "memory:" || Path::new(url).is_absolute() {
        url.to_owned()
    } else {
        root.join(url.trim_start_matches("./"))
            .display()
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_defaults_hold() {
        let dir = tempfile::tempdir().unwrap();
        let project = Project::load(dir.path(), Some(Path::new("/bin"))).unwrap();
        assert_eq!(project.dags, dir.path().join("dags"));
        assert_eq!(
            project.store,
            dir.path().join("store").display().to_string()
        );
        assert_eq!(project.steps, [PathBuf::from("/bin")]);
        assert_eq!(project.zone, "UTC");
        assert!(project.parallelism >= 1);
    }

    #[test]
    fn unknown_keys_are_refused_with_the_file_and_the_key() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mixline.toml"), "stroe = \"./store\"\n").unwrap();
        let error = Project::load(dir.path(), None).unwrap_err();
        assert!(error.to_string().contains("mixline.toml"), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("stroe"), "{source}");
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mixline.toml"), "zone = \"Mars/Base\"\n").unwrap();
        let error = Project::load(dir.path(), None).unwrap_err();
        assert!(error.to_string().contains("zone"), "{error}");
    }
}
