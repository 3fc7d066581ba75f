//! `mixline export`: pipelines for other orchestrators, as files.

mod airflow;
mod argo;
mod kubernetes;
mod pipeline;
mod pod;

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use self::pipeline::Pipeline;
use self::pod::Cluster;
use crate::app::App;
use crate::commands::step;
use crate::failure::{Failure, Outcome};

/// Print a pipeline for Airflow, Argo or Kubernetes, or what the steps read and write
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline export airflow daily_ingest > daily_ingest.py
  mixline export argo weekly_retrain --store s3://bucket/shop --claim shop | kubectl apply -f -
  mixline export catalogue > dags/airflow/steps.json

`dags/airflow` reads the same pipeline files without an export.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print a Python file of DockerOperators, for Airflow 3
    Airflow(Export),
    /// Print a CronWorkflow, for Argo Workflows
    ///
    /// Credentials and other variables come from the keys of a Secret named `mixline`. The cluster
    /// knows no data intervals: steps that use one read all there is, which gives the same tables. A
    /// step that has nothing to do succeeds. The workflow goes on after a task that is `tolerated`.
    Argo(Manifest),
    /// Print a CronJob that runs the tasks one after the other
    ///
    /// Credentials and other variables come from the keys of a Secret named `mixline`. The cluster
    /// knows no data intervals: steps that use one read all there is, which gives the same tables. A
    /// step that has nothing to do succeeds.
    ///
    /// The tasks share one pod. A CronJob knows no `tolerated`: the first task that fails ends the try,
    /// whatever its table says, and the next try runs all tasks once more (those that were done are
    /// reused). It ends for good after the longest time of all tries, when every task has a `timeout`.
    Kubernetes(Manifest),
    /// Print what every step reads and writes, as JSON
    Catalogue,
}

#[derive(Debug, clap::Args)]
struct Export {
    /// DAG name: a file of the folder dags/, without `.toml`
    dag: String,
    /// Store URL that the other orchestrator's containers see; by default the project's
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Image of a step, `{step}` being its name; by default the project's
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Manifest {
    #[command(flatten)]
    export: Export,
    #[command(flatten)]
    cluster: Cluster,
}

/// Carries out `mixline export …`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let text = match &args.command {
        Command::Airflow(export) => airflow::file(&pipeline(app, export).await?),
        Command::Argo(manifest) => argo::file(&in_cluster(app, manifest).await?, &manifest.cluster),
        Command::Kubernetes(manifest) => {
            kubernetes::file(&in_cluster(app, manifest).await?, &manifest.cluster)
        }
        Command::Catalogue => {
            app.document(&catalogue(app).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    app.line(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

async fn pipeline(app: &App, export: &Export) -> Outcome<Pipeline> {
    let engine = app.engine().await?;
    let mut project = engine.project().clone();
    if let Some(image) = &export.image {
        project.container.image.clone_from(image);
    }
    let store = export.store.clone();
    let store = store.unwrap_or_else(|| project.store.clone());
    let dag = engine.load_dag(&export.dag)?;
    let catalogue = engine.catalogue(&dag).await?;
    Ok(Pipeline::new(&dag, &catalogue, &project, store)?)
}

/// The pipeline, whose store pods must be able to reach.
async fn in_cluster(app: &App, manifest: &Manifest) -> Outcome<Pipeline> {
    let pipeline = pipeline(app, &manifest.export).await?;
    if !pipeline.has_folder() {
        return Ok(pipeline);
    }
    let message = format!("pods cannot reach the folder {}", pipeline.store);
    Err(Failure::usage(message)
        .hint("name a store they share, for example `--store s3://bucket/shop`"))
}

/// Step → ports, artifacts and resources.
async fn catalogue(app: &App) -> Outcome<Value> {
    let engine = app.engine().await?;
    let mut steps = Map::new();
    for (name, path) in step::binaries(&engine) {
        let descriptor = engine.describe(&path).await?.descriptor;
        let ports = |ports: &[mixline_schema::Port]| -> Map<String, Value> {
            let pair = |port: &mixline_schema::Port| (port.name.clone(), json!(port.artifact));
            ports.iter().map(pair).collect()
        };
        steps.insert(
            name,
            json!({
                "inputs": ports(&descriptor.inputs),
                "outputs": ports(&descriptor.outputs),
                "windowed": descriptor.windowed,
                "cores": descriptor.resources.cores,
                "memory_mib": descriptor.resources.memory_mib,
            }),
        );
    }
    Ok(json!({ "steps": steps }))
}
