//! The front door: open a project, plan a DAG, run the plan, go on after a crash.

mod catalogue;
mod logs;
mod resume;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use mixline_artifact::Store;
use mixline_plan::{Catalogue, Dag, Plan, Request};
use mixline_schema::Window;

pub use mixline_plan::Force;
pub use resume::Resumed;
pub use summary::{RunSummary, TaskSummary};

use crate::Clock;
use crate::dispatcher::{Cancel, Dispatcher, Subscriber, Tools};
use crate::driven::Driving;
use crate::error::{RunError, chain};
use crate::event::{Origin, RunEvent};
use crate::executor::{ContainerExecutor, Executor, LocalExecutor};
use crate::history;
use crate::procfs;
use crate::project::Project;
use crate::relay::Consumer;
use crate::state::RunState;
use crate::store::{Owner, Retention, StateDb, Term};

/// The setting that names the store that was last found to be one.
const PROBED: &str = "probed";

/// What to plan.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Data interval.
    pub window: Option<Window>,
    /// Random seed.
    pub seed: u64,
    /// Tasks to plan, with what they need; empty means all.
    pub select: Vec<String>,
    /// Tasks to run whatever exists.
    pub force: Force,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            window: None,
            seed: 0,
            select: Vec::new(),
            force: Force::None,
        }
    }
}

/// How to run a plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Who asks: `cli`, `schedule`, `api`.
    pub trigger: String,
    /// Attempts that may run at once; the project's number when absent.
    pub max_parallel: Option<usize>,
    /// What the run is a part of.
    pub origin: Origin,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            trigger: "cli".to_owned(),
            max_parallel: None,
            origin: Origin::default(),
        }
    }
}

/// An open project.
#[derive(Debug, Clone)]
pub struct Engine {
    project: Arc<Project>,
    db: StateDb,
    store: Store,
    executor: Arc<dyn Executor>,
    containers: Arc<ContainerExecutor>,
    clock: Clock,
    owner: Owner,
    term: Option<Term>,
    retention: Retention,
}

impl Engine {
    /// Opens the state database and the store of a project.
    ///
    /// # Errors
    /// [`RunError::Store`], or those of [`StateDb::open`].
    pub async fn open(project: Project, clock: Clock) -> Result<Self, RunError> {
        let store = Store::open(&project.store)
            .await
            .map_err(RunError::store("open", &project.store))?;
        let db = StateDb::open(&project.database).await?;
        db.bind_store(&project.store).await?;
        let (owner, retention) = (this_process(&project), project.retention);
        let containers = Arc::new(ContainerExecutor::new(project.container.clone()));
        Ok(Self {
            project: Arc::new(project),
            db,
            store,
            executor: Arc::new(LocalExecutor::new(Arc::clone(&containers))),
            containers,
            clock,
            owner,
            term: None,
            retention,
        })
    }

    /// The same engine with another executor.
    #[must_use]
    pub fn with_executor(self, executor: Arc<dyn Executor>) -> Self {
        Self { executor, ..self }
    }

    /// The same engine with another retention of runs.
    #[must_use]
    pub fn with_retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The same engine; each consumer is to be told of every run it creates.
    #[must_use]
    pub fn with_consumers(self, consumers: &[Arc<dyn Consumer>]) -> Self {
        let names = consumers.iter().map(|consumer| consumer.name().to_owned());
        Self {
            db: self.db.with_consumers(names.collect()),
            ..self
        }
    }

    /// The same engine as another process would be.
    #[cfg(test)]
    fn with_owner(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }

    /// The same engine with a leader's right to start what schedules ask for.
    pub(crate) fn under(&self, term: Term) -> Self {
        Self {
            term: Some(term),
            ..self.clone()
        }
    }

    /// A leader's right to act, when it has one.
    pub(crate) fn term(&self) -> Option<Term> {
        self.term
    }

    /// Who this process is.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The state database.
    #[must_use]
    pub fn state(&self) -> &StateDb {
        &self.db
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock it was opened with.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The names of the DAG files, sorted.
    ///
    /// # Errors
    /// [`RunError::Io`]; an absent folder holds no DAGs.
    pub fn dags(&self) -> Result<Vec<String>, RunError> {
        let folder = &self.project.dags;
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(RunError::io("list", folder)(source)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(RunError::io("list", folder))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                names.extend(
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned()),
                );
            }
        }
        names.sort();
        Ok(names)
    }

    /// Reads a DAG file of the project by its name.
    ///
    /// # Errors
    /// [`RunError::NoDag`], [`RunError::Io`] or [`RunError::Plan`] with every error of the file.
    pub fn load_dag(&self, name: &str) -> Result<Dag, RunError> {
        let known = self.dags()?;
        if !known.iter().any(|dag| dag == name) {
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            let folder = self.project.dags.clone();
            return Err(RunError::NoDag {
                name: name.to_owned(),
                folder,
                known,
            });
        }
        let path = self.project.dags.join(format!("{name}.toml"));
        let text = std::fs::read_to_string(&path).map_err(RunError::io("read", &path))?;
        let shown = path
            .strip_prefix(&self.project.root)
            .unwrap_or(&path)
            .display()
            .to_string();
        Dag::parse(&text, &shown).map_err(|errors| RunError::Plan { errors })
    }

    /// What would run, and why. Reads the logs of the DAG's artifacts first.
    ///
    /// # Errors
    /// Everything that is wrong with the DAG at once ([`RunError::Plan`]); otherwise as the parts.
    pub async fn plan(&self, dag: &str, options: &PlanOptions) -> Result<Plan, RunError> {
        self.plan_dag(&self.load_dag(dag)?, options).await
    }

    /// [`Engine::plan`] for a DAG that has been read.
    ///
    /// # Errors
    /// As [`Engine::plan`].
    pub async fn plan_dag(&self, dag: &Dag, options: &PlanOptions) -> Result<Plan, RunError> {
        let catalogue = self.catalogue(dag).await?;
        history::sync(&self.db, &self.store, &artifacts(dag, &catalogue)).await?;
        let slots = slots(dag, &catalogue, options.window);
        let history = history::load(&self.db, &slots).await?;
        let request = Request {
            window: options.window,
            seed: options.seed,
            select: options.select.clone(),
            force: options.force.clone(),
            observed: self.observed(dag, &catalogue).await?,
        };
        mixline_plan::plan(dag, &catalogue, &request, &history)
            .map_err(|errors| RunError::Plan { errors })
    }

    /// Runs a plan to its end. A failed task is not an error: it is in the summary.
    ///
    /// # Errors
    /// [`RunError::NoStep`], or when the state database cannot be written.
    pub async fn run(
        &self,
        plan: Plan,
        options: &RunOptions,
        subscribers: Vec<Arc<dyn Subscriber>>,
        cancel: Cancel,
    ) -> Result<RunSummary, RunError> {
        self.probe_store().await?;
        let run_id = uuid::Uuid::now_v7().to_string();
        let tools = self.tools(&plan)?;
        let history = self.history_of(&plan).await?;
        let max_parallel = options.max_parallel.unwrap_or(self.project.parallelism);
        let first = RunEvent::RunCreated {
            plan: Box::new(plan),
            trigger: options.trigger.clone(),
            max_parallel,
            pools: self.project.pools.clone(),
            origin: Box::new(options.origin.clone()),
        };
        let state = RunState::default();
        // The id is new, so nobody drives it.
        let Some(driving) = Driving::start(&run_id) else {
            return Err(RunError::Superseded { run_id });
        };
        let dispatcher = Dispatcher::new(tools, driving, state, history, subscribers, cancel);
        let state = dispatcher.run(first).await?;
        self.forget_old_runs().await;
        Ok(RunSummary::of(&state))
    }

    /// Makes sure that the store honours conditional creates, without which commits would be lost.
    /// One that has is not asked again.
    ///
    /// # Errors
    /// [`RunError::Store`] or [`RunError::State`].
    pub async fn probe_store(&self) -> Result<(), RunError> {
        let url = self.store.url();
        if self.db.setting(PROBED).await?.as_deref() == Some(url) {
            return Ok(());
        }
        let probed = self.store.probe().await;
        probed.map_err(RunError::store("use", url))?;
        self.db.set_setting(PROBED, url).await
    }

    fn tools(&self, plan: &Plan) -> Result<Tools, RunError> {
        let binaries = plan.tasks.iter().filter(|task| task.image.is_none());
        let steps: BTreeSet<&str> = binaries.map(|task| task.step.as_str()).collect();
        let programs = steps
            .into_iter()
            .map(|step| Ok((step.to_owned(), self.find_step(step)?)));
        let programs = programs.collect::<Result<BTreeMap<String, PathBuf>, RunError>>()?;
        Ok(Tools {
            programs,
            ..self.no_tools()
        })
    }

    /// Tools to end a run with, not to start anything.
    fn no_tools(&self) -> Tools {
        Tools {
            project: Arc::clone(&self.project),
            db: self.db.clone(),
            store: self.store.clone(),
            executor: Arc::clone(&self.executor),
            programs: BTreeMap::new(),
            owner: self.owner,
            term: self.term,
            clock: self.clock,
        }
    }

    async fn history_of(&self, plan: &Plan) -> Result<mixline_plan::History, RunError> {
        let slots: Vec<String> = plan.tasks.iter().map(|task| task.slot.clone()).collect();
        history::load(&self.db, &slots).await
    }

    /// Retention is housekeeping: that it failed is a warning, not the run's failure.
    pub(crate) async fn forget_old_runs(&self) {
        match self.db.prune(self.retention, (self.clock)()).await {
            Ok(ids) => {
                for id in ids {
                    self.forget_logs(&id).await;
                }
            }
            Err(error) => tracing::warn!(error = chain(&error), "could not forget old runs"),
        }
    }
}

/// This process as the owner of runs.
fn this_process(project: &Project) -> Owner {
    let named = project.machine.as_deref().map(procfs::hash);
    let pid = std::process::id();
    Owner {
        machine: named.or_else(procfs::machine).unwrap_or_default(),
        pid,
        start: procfs::start_time(pid).unwrap_or_default(),
    }
}

/// Every artifact a task reads or writes.
fn artifacts(dag: &Dag, catalogue: &Catalogue) -> BTreeSet<String> {
    let mut artifacts = BTreeSet::new();
    for (name, task) in &dag.tasks {
        artifacts.extend(task.inputs.values().map(|reference| reference.name.clone()));
        artifacts.extend(task.outputs.values().cloned());
        if let Some(entry) = catalogue.entry(name, &task.step) {
            let ports = entry
                .descriptor
                .inputs
                .iter()
                .chain(&entry.descriptor.outputs);
            artifacts.extend(ports.map(|port| port.artifact.clone()));
        }
    }
    artifacts
}

/// The slot of every task, as the step context makes it.
fn slots(dag: &Dag, catalogue: &Catalogue, window: Option<Window>) -> Vec<String> {
    let slot = |(name, task): (&String, &mixline_plan::Task)| {
        let windowed = catalogue
            .entry(name, &task.step)
            .is_some_and(|entry| entry.descriptor.windowed);
        match window.filter(|_| windowed) {
            Some(window) => format!("{}.{name} {window}", dag.name),
            None => format!("{}.{name}", dag.name),
        }
    };
    dag.tasks.iter().map(slot).collect()
}
