//! Where MLflow is: `[mlflow]` in `mixline.toml`, and the variables of MLflow's own clients, which
//! win: `MLFLOW_TRACKING_URI`, `MLFLOW_TRACKING_TOKEN`, `MLFLOW_TRACKING_USERNAME` and
//! `MLFLOW_TRACKING_PASSWORD`, `MLFLOW_EXPERIMENT_NAME`.

use std::sync::Arc;
use std::time::Duration;

use mixline_artifact::Store;

use super::MlFlow;
use super::api::Api;
use crate::lineage::Variables;
use crate::project::Project;
use crate::relay::{Consumer, Http, HttpSettings, SettingsError};

/// The consumer that the project and the environment ask for, if they do.
///
/// # Errors
/// [`SettingsError`] with the address or value that cannot be used.
pub fn consumer(
    project: &Project,
    store: &Store,
    variables: Variables<'_>,
) -> Result<Option<Arc<dyn Consumer>>, SettingsError> {
    let get = |name: &str| variables(name).filter(|value| !value.trim().is_empty());
    let set = &project.mlflow;
    let Some(url) = get("MLFLOW_TRACKING_URI").or_else(|| set.tracking_uri.clone()) else {
        return Ok(None);
    };
    let mut settings = HttpSettings::new(&url);
    settings.timeout = Duration::from_secs(20);
    settings.token = get("MLFLOW_TRACKING_TOKEN");
    settings.login = get("MLFLOW_TRACKING_USERNAME").zip(get("MLFLOW_TRACKING_PASSWORD"));
    Ok(Some(Arc::new(MlFlow {
        api: Api(Http::new(&settings)?),
        store: store.clone(),
        model: set
            .model
            .clone()
            .unwrap_or_else(|| "mixline-mmm".to_owned()),
        experiment: get("MLFLOW_EXPERIMENT_NAME").or_else(|| set.experiment.clone()),
    })))
}
