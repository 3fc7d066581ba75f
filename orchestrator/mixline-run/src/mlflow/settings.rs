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
    let Some(api) = api(project, variables)? else {
        return Ok(None);
    };
    let get = |name: &str| set(variables, name);
    Ok(Some(Arc::new(MlFlow {
        api,
        store: store.clone(),
        model: model(project),
        experiment: get("MLFLOW_EXPERIMENT_NAME").or_else(|| project.mlflow.experiment.clone()),
    })))
}

/// A client of the server that the project and the environment name, if they name one.
pub(super) fn api(
    project: &Project,
    variables: Variables<'_>,
) -> Result<Option<Api>, SettingsError> {
    let get = |name: &str| set(variables, name);
    let url = get("MLFLOW_TRACKING_URI").or_else(|| project.mlflow.tracking_uri.clone());
    let Some(url) = url else {
        return Ok(None);
    };
    let mut settings = HttpSettings::new(&url);
    settings.timeout = Duration::from_secs(20);
    settings.token = get("MLFLOW_TRACKING_TOKEN");
    settings.login = get("MLFLOW_TRACKING_USERNAME").zip(get("MLFLOW_TRACKING_PASSWORD"));
    Ok(Some(Api(Http::new(&settings)?)))
}

/// Name of the registered model.
pub(super) fn model(project: &Project) -> String {
    let set = project.mlflow.model.clone();
    set.unwrap_or_else(|| "mixline-mmm".to_owned())
}

fn set(variables: Variables<'_>, name: &str) -> Option<String> {
    variables(name).filter(|value| !value.trim().is_empty())
}
