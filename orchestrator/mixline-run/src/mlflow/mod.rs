//! MLflow: every run of a DAG as a run of an experiment, with its models in the registry.
//!
//! | ours | MLflow |
//! |---|---|
//! | a DAG | an experiment of its name |
//! | a run, when it has ended | a run, found again by its tag `mixline.run_id` |
//! | configuration of tasks | params `task.key` |
//! | numbers a step reported, rows of tables, seconds, memory | metrics |
//! | file artifacts (`model`, `report`) | artifacts |
//! | a fit | a version of the registered model, with alias `challenger` |
//! | a promotion, also by hand ([`promote`]) | alias `champion` on the version of that fit |
//!
//! Telling a run again changes nothing: runs and versions are looked up by tag before they are
//! made, and the same params, metrics and files are written over themselves.

mod api;
mod record;
mod settings;

use mixline_artifact::{Store, StoreClass};
use mixline_schema::catalog::File;
use serde_json::{Value, json};

use crate::error::chain;
use crate::event::RecordedEvent;
use crate::lineage::Variables;
use crate::project::Project;
use crate::relay::{Consumer, Parcel, SettingsError, Trouble};

use api::{Api, Logged};
use record::Record;

pub use settings::consumer;

/// The aliases of the newest fit, and of the model in use.
const CHALLENGER_ALIAS: &str = "challenger";
const CHAMPION_ALIAS: &str = "champion";

/// The artifact that a fit writes, and the one that a promotion writes.
const MODEL: &str = "model";
const CHAMPION: &str = "champion_model";
/// File artifacts that are worth a copy.
const FILES: [&str; 3] = [MODEL, CHAMPION, "report"];

/// What became of telling MLflow of a promotion by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// No server is configured.
    Nobody,
    /// The alias is on this version of this registered model.
    Alias {
        /// Name of the registered model.
        model: String,
        /// Its version.
        version: String,
    },
    /// The server has no version of this registered model for the fit.
    Unknown {
        /// Name of the registered model.
        model: String,
    },
    /// The server could not be told.
    Failed(Trouble),
}

/// Sets the alias `champion` on the version that stands for a fit. Nothing is tried again.
///
/// # Errors
/// [`SettingsError`] with the address or value that cannot be used.
pub async fn promote(
    project: &Project,
    variables: Variables<'_>,
    model_id: &str,
) -> Result<Told, SettingsError> {
    let Some(api) = settings::api(project, variables)? else {
        return Ok(Told::Nobody);
    };
    let model = settings::model(project);
    Ok(crown(&api, model, model_id)
        .await
        .unwrap_or_else(Told::Failed))
}

async fn crown(api: &Api, model: String, model_id: &str) -> Result<Told, Trouble> {
    let Some(version) = api.version_of(&model, model_id).await? else {
        return Ok(Told::Unknown { model });
    };
    api.alias(&model, CHAMPION_ALIAS, &version).await?;
    Ok(Told::Alias { model, version })
}

#[derive(Debug)]
struct MlFlow {
    api: Api,
    store: Store,
    /// Name of the registered model.
    model: String,
    /// Name of the experiment; each DAG's own when absent.
    experiment: Option<String>,
}

#[async_trait::async_trait]
impl Consumer for MlFlow {
    fn name(&self) -> &str {
        "mlflow"
    }

    fn parcels(&self, events: &[RecordedEvent]) -> Vec<Parcel> {
        Record::of(events)
            .and_then(|record| record.parcel())
            .into_iter()
            .collect()
    }

    async fn deliver(&self, parcel: &Parcel) -> Result<(), Trouble> {
        let record = serde_json::from_value(parcel.body.clone());
        let record: Record = record.map_err(|error| never(&error))?;
        let experiment = self.experiment.as_deref().unwrap_or(&record.dag);
        let run = self.api.run(experiment, &record).await?;
        self.api.log(&run, &record).await?;
        for (artifact, version) in record
            .outputs
            .iter()
            .filter(|(name, _)| FILES.contains(&name.as_str()))
        {
            if let Some(file) = self.file(artifact, *version).await? {
                self.api.put(&run, &file.name, file.bytes).await?;
            }
        }
        self.register(&run, &record).await?;
        self.api.finish(&run, &record).await
    }
}

impl MlFlow {
    /// A file artifact; `None` when it is gone, which retention may have done.
    async fn file(&self, artifact: &str, version: u64) -> Result<Option<File>, Trouble> {
        let log = self.store.log(artifact).map_err(|error| never(&error))?;
        // On a thread of its own: reading a table is work, and nobody else should wait for it.
        let handle = tokio::runtime::Handle::current();
        let read = move || handle.block_on(log.read_table::<File>(Some(version)));
        let read = tokio::task::spawn_blocking(read).await;
        match read.map_err(|error| never(&error))? {
            Ok(table) => Ok(table.rows().into_iter().next()),
            Err(error) if error.class() == StoreClass::Storage => {
                let why = format!("the store: {}", chain(&error));
                Err(Trouble::Stuck { why })
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(artifact, version, error, "could not be copied to MLflow");
                Ok(None)
            }
        }
    }

    /// The fit as a version of the registered model, and the aliases that follow from the run.
    async fn register(&self, run: &Logged, record: &Record) -> Result<(), Trouble> {
        let Some(model_id) = &record.model_id else {
            return Ok(());
        };
        let (fitted, promoted) = (
            record.outputs.contains_key(MODEL),
            record.outputs.contains_key(CHAMPION),
        );
        if !fitted && !promoted {
            return Ok(());
        }
        let version = self
            .api
            .model_version(&self.model, model_id, run, record)
            .await?;
        if fitted {
            self.api
                .alias(&self.model, CHALLENGER_ALIAS, &version)
                .await?;
        }
        if promoted {
            self.api
                .alias(&self.model, CHAMPION_ALIAS, &version)
                .await?;
        }
        Ok(())
    }
}

fn never(error: &dyn std::error::Error) -> Trouble {
    Trouble::Never { why: chain(error) }
}

/// A tag as MLflow writes it.
fn tag(key: &str, value: impl Into<String>) -> Value {
    json!({"key": key, "value": value.into()})
}
