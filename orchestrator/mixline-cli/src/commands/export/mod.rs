//! `mixline export`: pipelines for other orchestrators, as files.

mod airflow;
mod argo;
mod kubernetes;
mod pipeline;

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use self::pipeline::Pipeline;
use crate::app::App;
use crate::commands::step;
use crate::failure::Outcome;

/// Print a pipeline for Airflow, Argo or Kubernetes, or what the steps read and write
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline export airflow daily_ingest > daily_ingest.py
  mixline export argo weekly_retrain --store s3://bucket/shop | kubectl apply -f -
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
    Argo(Export),
    /// Print a CronJob that runs the tasks one after the other
    Kubernetes(Export),
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

/// Carries out `mixline export …`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let text = match &args.command {
        Command::Airflow(export) => airflow::file(&pipeline(app, export).await?),
        Command::Argo(export) => argo::file(&pipeline(app, export).await?),
        Command::Kubernetes(export) => kubernetes::file(&pipeline(app, export).await?),
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
