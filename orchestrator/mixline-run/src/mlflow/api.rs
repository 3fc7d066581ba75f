//! MLflow's REST API, as much of it as we speak.

use reqwest::Method;
use serde_json::{Value, json};

use super::record::Record;
use super::tag;
use crate::event::RunEnd;
use crate::relay::{Http, Trouble, refused, send};

const API: &str = "api/2.0/mlflow";
const FILES: &str = "api/2.0/mlflow-artifacts/artifacts";
/// The scheme of artifacts that a server keeps itself.
const SERVED: &str = "mlflow-artifacts:";
/// What the server calls something that it does not have, and something that it has already.
const ABSENT: &str = "RESOURCE_DOES_NOT_EXIST";
const PRESENT: &str = "RESOURCE_ALREADY_EXISTS";
/// Most params or metrics in one request.
const BATCH: usize = 100;

/// A client of one server.
#[derive(Debug)]
pub(super) struct Api(pub(super) Http);

/// A run that exists on the server.
#[derive(Debug)]
pub(super) struct Logged {
    id: String,
    artifact_uri: String,
}

/// What the server answered: a document, or the code of an error.
enum Answer {
    Ok(Value),
    Error { code: String, trouble: Trouble },
}

impl Api {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let path = format!("{API}/{path}");
        let request = match body.as_object().filter(|_| method == Method::GET) {
            Some(query) => {
                let pairs = query
                    .iter()
                    .filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)));
                self.0.query(&path, pairs)
            }
            None => self.0.request(method, &path).json(body),
        };
        let response = send(request).await?;
        if response.status().is_success() {
            let text = response.text().await.unwrap_or_default();
            return Ok(Answer::Ok(
                serde_json::from_str(&text).unwrap_or(Value::Null),
            ));
        }
        let trouble = refused(response).await;
        let said = trouble.why();
        let code = said
            .split("\"error_code\": \"")
            .nth(1)
            .or_else(|| said.split("\"error_code\":\"").nth(1));
        let code = code
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned();
        let trouble = match (trouble, code.as_str()) {
            // It is MLflow that speaks, of this run alone; the address is right.
            (Trouble::Away { why, .. }, ABSENT) => Trouble::Stuck { why },
            (trouble, _) => trouble,
        };
        Ok(Answer::Error { code, trouble })
    }

    /// A document; any error is trouble.
    async fn get(&self, method: Method, path: &str, body: &Value) -> Result<Value, Trouble> {
        match self.ask(method, path, body).await? {
            Answer::Ok(document) => Ok(document),
            Answer::Error { trouble, .. } => Err(trouble),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.get(Method::POST, path, body).await
    }

    /// The run of ours, found by its tag or made.
    pub(super) async fn run(&self, experiment: &str, record: &Record) -> Result<Logged, Trouble> {
        let experiment = self.experiment(experiment).await?;
        let query = json!({
            "experiment_ids": [experiment],
            "filter": format!("tags.`mixline.run_id` = '{}'", record.run_id),
            "max_results": 1,
        });
        let found = self.post("runs/search", &query).await?;
        let info = match found["runs"][0]["info"].as_object() {
            Some(_) => found["runs"][0]["info"].clone(),
            None => self.create(&experiment, record).await?,
        };
        let text = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
        Ok(Logged {
            id: text("run_id"),
            artifact_uri: text("artifact_uri"),
        })
    }

    async fn create(&self, experiment: &str, record: &Record) -> Result<Value, Trouble> {
        let mut tags = vec![
            tag("mixline.run_id", &record.run_id),
            tag("mixline.dag", &record.dag),
            tag("mixline.trigger", &record.trigger),
            tag("mlflow.source.name", "mixline"),
        ];
        tags.extend(
            record
                .window
                .as_ref()
                .map(|window| tag("mixline.window", window)),
        );
        tags.extend(record.outputs.iter().map(|(artifact, version)| {
            tag(&format!("mixline.artifact.{artifact}"), version.to_string())
        }));
        let short = record.run_id.get(..8).unwrap_or(&record.run_id);
        let body = json!({
            "experiment_id": experiment,
            "start_time": record.started,
            "run_name": format!("{} {short}", record.dag),
            "tags": tags,
        });
        Ok(self.post("runs/create", &body).await?["run"]["info"].clone())
    }

    async fn experiment(&self, name: &str) -> Result<String, Trouble> {
        let id = |document: &Value| document["experiment_id"].as_str().map(str::to_owned);
        if let Answer::Ok(document) = self.by_name(name).await? {
            return id(&document["experiment"]).ok_or_else(no_id);
        }
        match self
            .ask(Method::POST, "experiments/create", &json!({ "name": name }))
            .await?
        {
            Answer::Ok(document) => id(&document).ok_or_else(no_id),
            // Somebody else was faster.
            Answer::Error { code, trouble } if code == PRESENT => match self.by_name(name).await? {
                Answer::Ok(document) => id(&document["experiment"]).ok_or_else(no_id),
                Answer::Error { .. } => Err(trouble),
            },
            Answer::Error { trouble, .. } => Err(trouble),
        }
    }

    async fn by_name(&self, name: &str) -> Result<Answer, Trouble> {
        let query = json!({ "experiment_name": name });
        let answer = self
            .ask(Method::GET, "experiments/get-by-name", &query)
            .await?;
        match answer {
            // Only "there is none" is an answer; a server that fails is trouble.
            Answer::Error { code, trouble } if code != ABSENT => Err(trouble),
            other => Ok(other),
        }
    }

    /// Params and metrics. The instant of a metric is the end of the run, so that telling it again
    /// writes the same point.
    pub(super) async fn log(&self, run: &Logged, record: &Record) -> Result<(), Trouble> {
        let params: Vec<Value> = record.params.iter().map(|(k, v)| tag(k, v)).collect();
        for params in params.chunks(BATCH) {
            let body = json!({ "run_id": run.id, "params": params });
            self.post("runs/log-batch", &body).await?;
        }
        let metric = |(key, value): (&String, &f64)| json!({"key": key, "value": value, "timestamp": record.ended, "step": 0});
        let metrics: Vec<Value> = record.metrics.iter().map(metric).collect();
        for metrics in metrics.chunks(BATCH) {
            let body = json!({ "run_id": run.id, "metrics": metrics });
            self.post("runs/log-batch", &body).await?;
        }
        Ok(())
    }

    /// A file, over whatever was there. Servers that do not keep artifacts themselves are left out.
    pub(super) async fn put(
        &self,
        run: &Logged,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Trouble> {
        let Some(folder) = served(&run.artifact_uri, &self.0.origin()) else {
            tracing::warn!(
                uri = run.artifact_uri,
                "the MLflow server does not serve artifacts; files are left out"
            );
            return Ok(());
        };
        let path = format!("{FILES}/{folder}/{name}");
        let response = send(self.0.request(Method::PUT, &path).body(bytes)).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            _ => Err(refused(response).await),
        }
    }

    /// The version of a registered model that stands for a fit, found by its tag or made.
    pub(super) async fn model_version(
        &self,
        name: &str,
        model_id: &str,
        run: &Logged,
        record: &Record,
    ) -> Result<String, Trouble> {
        let created = self
            .ask(
                Method::POST,
                "registered-models/create",
                &json!({ "name": name }),
            )
            .await?;
        match created {
            Answer::Error { code, trouble } if code != PRESENT => {
                return Err(trouble);
            }
            _ => {}
        }
        if let Some(version) = self.version_of(name, model_id).await? {
            return Ok(version);
        }
        let body = json!({
            "name": name,
            "source": run.artifact_uri,
            "run_id": run.id,
            "tags": [
                tag("mixline.model_id", model_id),
                tag("mixline.run_id", &record.run_id),
            ],
        });
        let made = self.post("model-versions/create", &body).await?;
        made["model_version"]["version"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(no_id)
    }

    /// The version of a registered model that stands for a fit, if there is one.
    pub(super) async fn version_of(
        &self,
        name: &str,
        model_id: &str,
    ) -> Result<Option<String>, Trouble> {
        let filter = format!("name = '{name}' and tags.`mixline.model_id` = '{model_id}'");
        let query = json!({ "filter": filter, "max_results": "1" });
        let found = self
            .get(Method::GET, "model-versions/search", &query)
            .await?;
        let version = found["model_versions"][0]["version"].as_str();
        Ok(version.map(str::to_owned))
    }

    pub(super) async fn alias(
        &self,
        name: &str,
        alias: &str,
        version: &str,
    ) -> Result<(), Trouble> {
        let body = json!({ "name": name, "alias": alias, "version": version });
        self.post("registered-models/alias", &body).await.map(drop)
    }

    pub(super) async fn finish(&self, run: &Logged, record: &Record) -> Result<(), Trouble> {
        let status = match record.end {
            RunEnd::Succeeded => "FINISHED",
            RunEnd::Failed => "FAILED",
            RunEnd::Cancelled => "KILLED",
        };
        let body = json!({ "run_id": run.id, "status": status, "end_time": record.ended });
        self.post("runs/update", &body).await.map(drop)
    }
}

fn no_id() -> Trouble {
    Trouble::away("the server answered without an id; is it an MLflow server?")
}

/// The folder that a run's files have on the server at `origin`; `None` when another one keeps
/// them. Where it lies is the server's affair: experiments have roots of their own.
fn served<'a>(artifact_uri: &'a str, origin: &str) -> Option<&'a str> {
    let place = artifact_uri.strip_prefix(SERVED)?;
    let path = match place.strip_prefix("//") {
        Some(place) => {
            let (host, path) = place.split_once('/')?;
            let (_, own) = origin.split_once("://")?;
            (host.is_empty() || host == own).then_some(path)?
        }
        None => place,
    };
    let path = path.trim_matches('/');
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_where_the_server_says() {
        let origin = "http://mlflow:5000";
        for (uri, folder) in [
            ("mlflow-artifacts:/3/abc/artifacts", "3/abc/artifacts"),
            (
                "mlflow-artifacts:/team/3/abc/artifacts",
                "team/3/abc/artifacts",
            ),
            ("mlflow-artifacts:///3/abc/artifacts", "3/abc/artifacts"),
            ("mlflow-artifacts://mlflow:5000/a/b", "a/b"),
        ] {
            assert_eq!(served(uri, origin), Some(folder), "{uri}");
        }
        for uri in [
            "s3://bucket/3/abc",
            "mlflow-artifacts://other/a",
            "/mlruns/3",
            "",
        ] {
            assert_eq!(served(uri, origin), None, "{uri}");
        }
    }
}
